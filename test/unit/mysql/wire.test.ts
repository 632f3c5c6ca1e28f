import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { Wire } from '../../../src/adapters/mysql/wire.ts';
import { until } from '../../support/until.ts';

/** Two ends of a TCP connection; the reader's is a wire. */
async function pair(limits: { maxBufferedBytes?: number; idleMs?: number }) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const near = connect(address.port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  const wire = new Wire(near, {
    maxBufferedBytes: limits.maxBufferedBytes ?? 1_000_000,
    idleMs: limits.idleMs ?? 60_000,
  });
  return {
    wire,
    far,
    async [Symbol.asyncDispose]() {
      await wire[Symbol.asyncDispose]();
      far.destroy();
      server.close();
    },
  };
}

async function readAll(wire: Wire): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await wire.read(); chunk !== null; chunk = await wire.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('gives all bytes in order and then null', async () => {
  await using ends = await pair({});
  const sent = Buffer.alloc(3_000_000, 'abcdefg');
  ends.far.end(sent);
  assert.ok((await readAll(ends.wire)).equals(sent));
  assert.equal(await ends.wire.read(), null);
});

test('counts what waits, and gives back what was unread first', async () => {
  await using ends = await pair({});
  ends.far.write('hello');
  await until('the bytes to arrive', () => ends.wire.buffered === 5);
  const chunk = await ends.wire.read();
  assert.equal(ends.wire.buffered, 0);
  ends.wire.unread((chunk ?? Buffer.alloc(0)).subarray(2));
  assert.equal(ends.wire.buffered, 3);
  ends.far.end('!');
  assert.equal((await readAll(ends.wire)).toString(), 'llo!');
});

test('lets the sender wait while more than the bound is unread', async () => {
  const bound = 200_000;
  await using ends = await pair({ maxBufferedBytes: bound });
  const sent = Buffer.alloc(60_000_000, 'x');
  let flushed = false;
  ends.far.end(sent, () => {
    flushed = true;
  });
  await until('the bound to be reached', () => ends.wire.buffered > bound);
  let total = 0;
  let most = 0;
  for (let chunk = await ends.wire.read(); chunk !== null; chunk = await ends.wire.read()) {
    if (total === 0) assert.equal(flushed, false);
    total += chunk.length;
    most = Math.max(most, ends.wire.buffered);
  }
  assert.equal(total, sent.length);
  assert.ok(most <= bound + 65_536, `${most} bytes were waiting`);
});

test('takes a silent connection as dead', async () => {
  await using ends = await pair({ idleMs: 50 });
  assert.equal(await ends.wire.read(), null);
});

test('does not take a connection as dead that it holds back itself', async () => {
  await using ends = await pair({ idleMs: 30, maxBufferedBytes: 10 });
  ends.far.write(Buffer.alloc(100));
  await until('the socket to be paused', () => ends.wire.buffered === 100);
  const start = performance.now();
  await until('more than the idle time to pass', () => performance.now() - start > 120);
  assert.equal((await ends.wire.read())?.length, 100);
  ends.far.end('more');
  assert.equal((await readAll(ends.wire)).toString(), 'more');
});

test('ends a waiting read when it is disposed', async () => {
  await using ends = await pair({});
  const waiting = ends.wire.read();
  await ends.wire[Symbol.asyncDispose]();
  assert.equal(await waiting, null);
});

test('gives null when the other end breaks the connection', async () => {
  await using ends = await pair({});
  const waiting = ends.wire.read();
  ends.far.resetAndDestroy();
  assert.equal(await waiting, null);
});
