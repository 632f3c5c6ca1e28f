import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { inspect } from 'node:util';
import { openRegistry, type RegistryOptions } from '../../../src/adapters/registry/index.ts';
import { type ErrorCode, isUmbusError, UmbusError } from '../../../src/core/errors.ts';

const schema = JSON.stringify({ type: 'record', name: 'R', namespace: 'a', fields: [] });
const secret = 'hunter2-7f3a';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Something that answers like a registry, or does not. */
async function answering(answer: Answer) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/apis/ccompat/v7/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const json = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
  response.end(JSON.stringify(body));
};

const open = (url: string, more: Partial<RegistryOptions> = {}) =>
  openRegistry({ url, username: null, password: null, timeoutMs: 5_000, ...more });

/** What a call fails with; checks that the login is nowhere in it. */
async function failureOf(promise: Promise<unknown>, code: ErrorCode): Promise<UmbusError> {
  const error = await promise.then(
    () => assert.fail('The call did not fail.'),
    (reason: unknown) => reason,
  );
  assert.ok(isUmbusError(error, code), `${inspect(error)}`);
  const shown = inspect(error, { depth: 10, showHidden: true });
  assert.doesNotMatch(shown, new RegExp(`${secret}|${Buffer.from(`umbus:${secret}`).toString('base64')}`));
  return error;
}

test('a login goes with each request, and one that is refused is told without its secret', async () => {
  const seen: (string | undefined)[] = [];
  await using server = await answering((request, response) => {
    seen.push(request.headers.authorization);
    json(response, 401, { error_code: 40101, message: 'Unauthorized' });
  });
  await using registry = open(server.url, { username: 'umbus', password: secret });
  const error = await failureOf(registry.register('s', schema), 'UMBUS_REGISTRY_REFUSED');
  assert.match(error.message, /refuses the login for subject s \(status 401\)/);
  assert.deepEqual(seen, [`Basic ${Buffer.from(`umbus:${secret}`).toString('base64')}`]);
  await failureOf(registry.schema(1), 'UMBUS_REGISTRY_REFUSED');
});

test('a right that is missing names the subject', async () => {
  await using server = await answering((_, response) =>
    json(response, 403, { error_code: 40301, message: 'User is denied operation Write.' }),
  );
  await using registry = open(server.url);
  const error = await failureOf(registry.register('s', schema), 'UMBUS_REGISTRY_REFUSED');
  assert.match(
    error.message,
    /this user the right for subject s \(status 403\): User is denied operation Write\.$/,
  );
});

test('a registry that fails for a moment is asked again', async () => {
  let requests = 0;
  await using server = await answering((_, response) => {
    requests += 1;
    if (requests < 3) json(response, 503, { error_code: 50301, message: 'Starting.' });
    else json(response, 200, { id: 9 });
  });
  await using registry = open(server.url);
  assert.equal(await registry.register('s', schema), 9);
  assert.equal(requests, 3);
  assert.equal(await registry.register('s', schema), 9);
  assert.equal(requests, 3, 'what is known is not asked for');
});

test('a registry that keeps failing, that nobody listens as, and one that cuts its answers are unreachable, which passes', async () => {
  let away = true;
  await using failing = await answering((_, response) => {
    if (away) json(response, 500, { error_code: 50001, message: 'Error in the backend datastore' });
    else json(response, 200, { schema });
  });
  await using cutting = await answering((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"schema":');
    response.socket?.destroySoon();
  });
  const gone = await answering(() => {});
  await gone[Symbol.asyncDispose]();
  const expectations: readonly (readonly [string, RegExp])[] = [
    [failing.url, /Error in the backend datastore/],
    [cutting.url, /no answer within 1200 ms/],
    [gone.url, /ECONNREFUSED/],
    ['http://registry.invalid/', /registry\.invalid/],
  ];
  for (const [url, reason] of expectations) {
    await using registry = open(url, { timeoutMs: url === cutting.url ? 300 : 5_000 });
    const error = await failureOf(registry.schema(3), 'UMBUS_REGISTRY_UNREACHABLE');
    assert.ok(error.retryable);
    assert.match(error.message, reason);
    assert.match(error.message, /for the schema with id 3/);
    if (url !== failing.url) continue;
    away = false;
    assert.equal(await registry.schema(3), schema, 'a failure is not remembered');
  }
});

test('an answer that does not come ends with the time that a request has', async () => {
  await using server = await answering(() => {});
  await using registry = open(server.url, { timeoutMs: 200 });
  const error = await failureOf(registry.schema(3), 'UMBUS_REGISTRY_UNREACHABLE');
  assert.match(error.message, /200ms|800 ms/);
});

test('what is no registry is told as such', async () => {
  await using server = await answering((request, response) => {
    if (request.method === 'POST') json(response, 200, { hello: 'world' });
    else {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<html>not here</html>');
    }
  });
  await using registry = open(server.url);
  const notFound = await failureOf(registry.schema(3), 'UMBUS_REGISTRY_REFUSED');
  assert.match(notFound.message, /There is no schema registry at http/);
  const noId = await failureOf(registry.register('s', schema), 'UMBUS_REGISTRY_REFUSED');
  assert.match(noId.message, /no schema registry: it gave no id for subject s/);
});

test('a schema that is known is registered without writing, so that a user who may only read can start', async () => {
  const requests: string[] = [];
  await using server = await answering((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    json(response, 200, { id: 4, version: 1, subject: 'a/b c', schema });
  });
  await using registry = open(server.url);
  assert.equal(await registry.register('a/b c', schema, 'FULL'), 4);
  assert.deepEqual(requests, ['POST /apis/ccompat/v7/subjects/a%2Fb%20c']);
});

test('the compatibility is set before the first schema, and after it where there is no subject before', async () => {
  for (const early of [true, false]) {
    const requests: string[] = [];
    let registered = false;
    await using server = await answering((request, response) => {
      const what = `${request.method} ${request.url?.replace('/apis/ccompat/v7', '')}`;
      requests.push(what);
      const missing = { error_code: 40401, message: "Subject 's' not found." };
      if (what === 'POST /subjects/s/versions') {
        registered = true;
        json(response, 200, { id: 1 });
      } else if (what === 'PUT /config/s' && (early || registered)) {
        json(response, 200, { compatibility: 'FULL' });
      } else json(response, 404, missing);
    });
    await using registry = open(server.url);
    assert.equal(await registry.register('s', schema, 'FULL'), 1);
    const late = ['POST /subjects/s/versions', 'GET /config/s', 'PUT /config/s'];
    assert.deepEqual(requests, [
      'POST /subjects/s',
      'GET /config/s',
      'PUT /config/s',
      ...(early ? late.slice(0, 1) : late),
    ]);
  }
});

test('a URL with a login in it, or that is none, is refused without being shown', () => {
  for (const url of [`http://umbus:${secret}@127.0.0.1/`, 'registry:8081', '']) {
    assert.throws(
      () => open(url),
      (error: unknown) => error instanceof UmbusError && !error.message.includes(secret),
    );
  }
});
