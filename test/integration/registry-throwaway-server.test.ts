import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { alive, assertDiesWithOwner } from '../support/servers/left-behind.ts';
import { type RegistryServer, requireRegistry, startRegistry } from '../support/servers.ts';

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

async function ask(server: RegistryServer, path: string, method = 'GET', body?: unknown): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': MEDIA_TYPE },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function answer(
  server: RegistryServer,
  path: string,
  method?: string,
  body?: unknown,
): Promise<unknown> {
  const response = await ask(server, path, method, body);
  assert.equal(response.status, 200, `${method ?? 'GET'} ${path}`);
  return response.json();
}

function recordOf(type: string): { readonly schema: string } {
  return { schema: JSON.stringify({ type: 'record', name: 'Change', fields: [{ name: 'id', type }] }) };
}

test('a throw-away schema registry', { timeout: 180_000 }, async t => {
  const started = await requireRegistry(t);
  if (started === null) return;
  await using server = started;

  await t.test("serves the API of Confluent's registry", async () => {
    const registered = await answer(server, '/subjects/changes-value/versions', 'POST', recordOf('long'));
    assert.deepEqual(registered, { id: 1 });
    assert.deepEqual(await answer(server, '/subjects'), ['changes-value']);
    await answer(server, '/config/changes-value', 'PUT', { compatibility: 'BACKWARD' });
    const refused = await ask(server, '/subjects/changes-value/versions', 'POST', recordOf('string'));
    assert.equal(refused.status, 409);
    await refused.arrayBuffer();
    const unknown = await ask(server, '/schemas/ids/999');
    assert.equal(unknown.status, 404);
    await unknown.arrayBuffer();
  });

  await t.test('keeps schemas and their ids through a kill and through a stop', async () => {
    const other = { schema: '"string"' };
    await server.kill();
    assert.equal(server.pid, 0);
    await server.start();
    assert.deepEqual(await answer(server, '/subjects/changes-value/versions'), [1]);
    assert.deepEqual(await answer(server, '/subjects/other-value/versions', 'POST', other), { id: 2 });
    await server.stop();
    await server.start();
    const kept = await answer(server, '/schemas/ids/1');
    assert.ok(typeof kept === 'object' && kept !== null && 'schema' in kept);
    assert.deepEqual(JSON.parse(String(kept.schema)), JSON.parse(recordOf('long').schema));
    assert.deepEqual(await answer(server, '/subjects/other-value/versions', 'POST', other), { id: 2 });
  });

  await t.test('shares neither port nor schemas with another one', async () => {
    await using other = await startRegistry();
    assert.notEqual(other.port, server.port);
    assert.deepEqual(await answer(other, '/subjects'), []);
  });

  await t.test('leaves no process and no data when it is disposed', async () => {
    const { pid, dataDir } = server;
    await server[Symbol.asyncDispose]();
    assert.equal(alive(pid), false);
    assert.equal(existsSync(dirname(dataDir)), false);
  });

  await t.test('leaves no process and no data when its owner is killed', () =>
    assertDiesWithOwner('registry'),
  );
});
