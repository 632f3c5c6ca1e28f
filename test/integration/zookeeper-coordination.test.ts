import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { openZookeeperCoordination } from '../../src/adapters/zookeeper/index.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Coordination, LeaseHolder } from '../../src/ports/coordination.ts';
import { hurried, take, Watching } from '../conformance/coordination-fixture.ts';
import { requireZookeeper } from '../support/servers.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const root = '/umbus';
/** Types of requests: org.apache.zookeeper.ZooDefs.OpCode. One follows the length and the number of the request, four bytes each. */
const CREATE = 1;
const SET_DATA = 5;
const typeOf = (sent: Buffer): number => (sent.length < 12 ? -1 : sent.readInt32BE(8));
const bytes = (text: string): Uint8Array => Buffer.from(text);

const open = (port: number, sessionTimeoutMs: number, clock: Clock = systemClock): Promise<Coordination> =>
  openZookeeperCoordination({ servers: [`127.0.0.1:${port}`], root, sessionTimeoutMs, clock });

const aborted = (signal: AbortSignal): Promise<void> => until('the lease is lost', () => signal.aborted);

async function holderOf(process: Coordination, name: string): Promise<LeaseHolder | null> {
  return (await process.leases()).find(each => each.name === name) ?? null;
}

test('leases, members and watches on a server with its troubles', { timeout: 300_000 }, async t => {
  await using server = await requireZookeeper(t);
  if (server === null) return;
  const { port } = server;

  await t.test(
    'a lease, a member and a watch outlive a server that is killed and started again',
    async () => {
      await using one = await open(port, 30_000);
      await using other = await open(port, 30_000);
      const lease = await take(one, 'restart', 30_000);
      await one.announce({ id: 'restart/one', info: {} });
      await using watching = new Watching(other, 'restart');
      await server.kill();
      const put = one.put('restart/cell', bytes('put while it was away'));
      await server.start();
      const version = await put;
      await until('the change is told', () => watching.told.at(-1)?.version === version);
      assert.equal(lease.lost.aborted, false);
      assert.equal((await holderOf(other, 'restart'))?.token, lease.token);
      assert.deepEqual(
        (await other.members()).map(({ id }) => id),
        ['restart/one'],
      );
    },
  );

  await t.test('a lease is lost while the server is silent, and a new session takes it again', async () => {
    await using one = await open(port, 1_500);
    const lease = await take(one, 'silent', 1_500);
    await one.announce({ id: 'silent/one', info: {} });
    await using watching = new Watching(one, 'silent');
    server.pause();
    await aborted(lease.lost);
    assert.ok(isUmbusError(lease.lost.reason, 'UMBUS_COORDINATION_LOST'));
    server.resume();
    const again = await take(one, 'silent', 1_500);
    assert.ok(again.token > lease.token);
    await one.put('silent/cell', bytes('1'));
    await until('the watch goes on', () => watching.lines.at(-1) === 'silent/cell=1');
    await until('the member is shown again', async () => (await one.members()).length === 1);
  });

  await t.test('a session that the server has ended is followed by another', async () => {
    await using proxy = await startTcpProxy(port);
    // For this process time hardly passes, so that the server is the first to give up.
    await using slow = await open(proxy.port, 1_000, hurried(0.05));
    await using other = await open(port, 30_000);
    const lease = await take(slow, 'expired', 1_000);
    await slow.announce({ id: 'expired/slow', info: {} });
    proxy.silence();
    const next = await take(other, 'expired', 1_000);
    assert.ok(next.token > lease.token);
    assert.deepEqual(await other.members(), []);
    assert.equal(lease.lost.aborted, false);
    proxy.heal();
    await aborted(lease.lost);
    const again = take(slow, 'expired', 1_000);
    await until('the member is shown again', async () => (await other.members()).length === 1);
    await next.release();
    assert.ok((await again).token > next.token);
  });

  await t.test('requests whose answers are lost are not done twice', async () => {
    await using proxy = await startTcpProxy(port);
    await using one = await open(proxy.port, 60_000);
    await using other = await open(port, 30_000);
    const first = await one.put('answers/cell', bytes('1'));

    await (await take(one, 'answers', 60_000)).release();
    const deafenAt = (request: number): void => {
      proxy.asked = sent => {
        if (typeOf(sent) === request) proxy.deafen();
      };
    };

    deafenAt(CREATE);
    const taking = take(one, 'answers', 60_000, 'one');
    await until('the lease is held', async () => (await holderOf(other, 'answers')) !== null);
    const held = await holderOf(other, 'answers');
    proxy.asked = null;
    proxy.heal();
    const lease = await taking;
    assert.equal(lease.token, held?.token);
    await lease.release();
    assert.equal(await holderOf(other, 'answers'), null);

    deafenAt(SET_DATA);
    const putting = one.put('answers/cell', bytes('2'), { ifVersion: first });
    await until('the value is there', async () => (await other.get('answers/cell'))?.version !== first);
    proxy.asked = null;
    proxy.heal();
    assert.equal(await putting, (await other.get('answers/cell'))?.version);
  });

  await t.test(
    'nodes that others have made are cells, and what DBus would read is the plain value',
    async () => {
      await using all = await openZookeeperCoordination({
        servers: [`127.0.0.1:${port}`],
        root: '/',
        sessionTimeoutMs: 30_000,
        clock: systemClock,
      });
      await all.put('DBus/FullPuller/shop', bytes('{"Status":"ending"}'));
      await using below = await openZookeeperCoordination({
        servers: [`127.0.0.1:${port}`],
        root: '/DBus',
        sessionTimeoutMs: 30_000,
        clock: systemClock,
      });
      const [cell] = await below.list('FullPuller');
      assert.equal(cell?.path, 'FullPuller/shop');
      assert.equal(Buffer.from(cell?.value ?? []).toString(), '{"Status":"ending"}');
    },
  );
});

test('says that no server can be reached', async (t: TestContext) => {
  const proxy = await startTcpProxy(1);
  const { port } = proxy;
  await proxy[Symbol.asyncDispose]();
  await assert.rejects(open(port, 3_000, hurried(20)), error => {
    t.diagnostic(String(error));
    return (
      isUmbusError(error, 'UMBUS_COORDINATION_UNREACHABLE') && error.message.includes(`127.0.0.1:${port}`)
    );
  });
});
