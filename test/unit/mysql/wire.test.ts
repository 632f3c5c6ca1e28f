import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { ReadTap } from '../../../src/adapters/mysql/read-tap.ts';
import { Wire } from '../../../src/adapters/mysql/wire.ts';
import { until } from '../../support/until.ts';

interface Limits {
  maxBufferedBytes?: number;
  idleMs?: number;
  /** Whether the wire has a tap. */
  tapped?: boolean;
}

/** Two ends of a TCP connection; the reader's is a wire. */
async function pair(limits: Limits) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const tap = limits.tapped === true ? new ReadTap('127.0.0.1', address.port) : null;
  const near = tap?.socket ?? connect(address.port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  const wire = new Wire(near, {
    maxBufferedBytes: limits.maxBufferedBytes ?? 1_000_000,
    idleMs: limits.idleMs ?? 60_000,
    tap,
  });
  return {
    wire,
    far,
    server,
    async [Symbol.asyncDispose]() {
      await wire[Symbol.asyncDispose]();
      far.destroy();
      server.close();
    },
  };
}

async function readAll(wire: Wire): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // What a tapped wire gives is valid until the next read.
  for (let chunk = await wire.read(); chunk !== null; chunk = await wire.read())
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

for (const tapped of [false, true]) {
  const whose = tapped ? 'of a tapped socket' : 'of a socket';

  test(`gives all bytes ${whose} in order and then null`, async () => {
    await using ends = await pair({ tapped });
    const sent = Buffer.from(Uint32Array.from({ length: 750_000 }, (_, i) => i * 2_654_435_761).buffer);
    ends.far.end(sent);
    assert.ok((await readAll(ends.wire)).equals(sent));
    assert.equal(await ends.wire.read(), null);
  });

  test(`lets the sender wait while more than the bound ${whose} is unread`, async () => {
    const bound = 200_000;
    await using ends = await pair({ maxBufferedBytes: bound, tapped });
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

  test(`counts what waits ${whose}, and gives back what was unread first`, async () => {
    await using ends = await pair({ tapped });
    ends.far.write('hello');
    await until('the bytes to arrive', () => ends.wire.buffered === 5);
    const chunk = await ends.wire.read();
    assert.equal(ends.wire.buffered, 0);
    ends.wire.unread((chunk ?? Buffer.alloc(0)).subarray(2));
    assert.equal(ends.wire.buffered, 3);
    ends.far.end('!');
    assert.equal((await readAll(ends.wire)).toString(), 'llo!');
  });
}

test('gives a tapped socket to those who listen until a wire takes it', async () => {
  await using ends = await pair({ tapped: true });
  ends.far.write('one');
  assert.equal(String(await ends.wire.read()), 'one');
  const again = new ReadTap('127.0.0.1', ends.far.localPort ?? 0);
  const [other] = (await once(ends.server, 'connection')) as [Socket];
  const heard: Buffer[] = [];
  again.socket.on('data', chunk => heard.push(chunk));
  for (const text of ['two', 'three']) {
    other.write(text);
    await until(text, () => Buffer.concat(heard).includes(text));
  }
  assert.equal(Buffer.concat(heard).toString(), 'twothree');
  again.socket.destroy();
  other.destroy();
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
