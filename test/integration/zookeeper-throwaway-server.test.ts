import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { test } from 'node:test';
import zookeeper from 'node-zookeeper-client';
import { alive, assertDiesWithOwner, isFrozen } from '../support/servers/left-behind.ts';
import { requireZookeeper, startZookeeper } from '../support/servers.ts';
import { until } from '../support/until.ts';

type Client = zookeeper.Client;

async function connect(address: string, sessionTimeout: number): Promise<Client> {
  const client = zookeeper.createClient(address, { sessionTimeout, spinDelay: 50, retries: 0 });
  client.connect();
  await until('the client to be connected', () => client.getState() === zookeeper.State.SYNC_CONNECTED);
  return client;
}

async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(address, 10_000);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

function create(client: Client, path: string, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.create(path, Buffer.from('x'), mode, error => (error ? reject(error) : resolve()));
  });
}

function exists(client: Client, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    client.exists(path, (error, stat) => (error ? reject(error) : resolve(Boolean(stat))));
  });
}

/** A TCP line to a server on 127.0.0.1, which can be cut for good. */
interface Line extends AsyncDisposable {
  readonly address: string;
  cut(): Promise<void>;
}

async function startLine(target: number): Promise<Line> {
  const sockets = new Set<Socket>();
  const relay = createServer(near => {
    const far = connectTcp(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far).pipe(near);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const address = relay.address();
  assert.ok(address !== null && typeof address === 'object');
  const cut = async () => {
    if (!relay.listening) return;
    const closed = once(relay, 'close');
    relay.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { address: `127.0.0.1:${address.port}`, cut, [Symbol.asyncDispose]: cut };
}

const { PERSISTENT, EPHEMERAL } = zookeeper.CreateMode;

test('a throw-away ZooKeeper', { timeout: 180_000 }, async t => {
  const started = await requireZookeeper(t);
  if (started === null) return;
  await using server = started;

  await t.test('keeps what was written through a kill and through a stop', async () => {
    await withClient(server.address, client => create(client, '/before', PERSISTENT));
    await server.kill();
    assert.equal(server.pid, 0);
    await server.start();
    await withClient(server.address, client => create(client, '/between', PERSISTENT));
    await server.stop();
    await server.start();
    await withClient(server.address, async client => {
      assert.equal(await exists(client, '/before'), true);
      assert.equal(await exists(client, '/between'), true);
      assert.equal(await exists(client, '/never'), false);
    });
  });

  await t.test('ends a short session whose client fell silent', async () => {
    await using line = await startLine(server.port);
    const silent = await connect(line.address, 1_000);
    assert.equal(silent.getSessionTimeout(), 1_000);
    await create(silent, '/lease', EPHEMERAL);
    await line.cut();
    await withClient(server.address, async client => {
      assert.equal(await exists(client, '/lease'), true);
      await until('the lease to be gone', async () => !(await exists(client, '/lease')));
    });
    silent.close();
  });

  await t.test('can be paused, and goes on', async () => {
    server.pause();
    await until('it to be frozen', () => isFrozen(server.pid));
    server.resume();
    await withClient(server.address, client => create(client, '/after', PERSISTENT));
  });

  await t.test('shares neither port nor data with another one', async () => {
    await using other = await startZookeeper();
    assert.notEqual(other.port, server.port);
    assert.equal(await withClient(other.address, client => exists(client, '/before')), false);
  });

  await t.test('leaves no process and no data when it is disposed', async () => {
    const { pid, dataDir } = server;
    await server[Symbol.asyncDispose]();
    assert.equal(alive(pid), false);
    assert.equal(existsSync(dirname(dataDir)), false);
  });

  await t.test('leaves nothing when its owner is killed, be it running or stopped', async () => {
    await assertDiesWithOwner('zookeeper');
    await assertDiesWithOwner('zookeeper', 'stopped');
  });
});
