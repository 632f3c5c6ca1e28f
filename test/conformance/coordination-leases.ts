import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import type { Lease } from '../../src/ports/coordination.ts';
import { until } from '../support/until.ts';
import { type CoordinationTraits, type OpenCoordination, take } from './coordination-fixture.ts';

/** Leases and members. */
export function describeLeases(open: OpenCoordination, { ttlMs }: CoordinationTraits): void {
  it('grants a free lease and shows its holder', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    const lease = await take(one, 'job/extract', ttlMs, 'host:1');
    assert.equal(lease.name, 'job/extract');
    assert.equal(lease.lost.aborted, false);
    assert.deepEqual(await other.leases(), [{ name: 'job/extract', holder: 'host:1', token: lease.token }]);
    await lease.release();
    assert.equal(lease.lost.aborted, true);
    await until('nobody holds it', async () => (await other.leases()).length === 0);
  });

  it('gives a lease to the next when it is released, with a greater token', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    const first = await take(one, 'job', ttlMs);
    let taken: Lease | null = null;
    const second = take(other, 'job', ttlMs).then(lease => {
      taken = lease;
      return lease;
    });
    const elsewhere = await take(other, 'job2', ttlMs);
    assert.equal(taken, null);
    await first.release();
    assert.ok((await second).token > first.token);
    await (await second).release();
    const third = await take(one, 'job', ttlMs);
    assert.ok(third.token > (await second).token);
    await elsewhere.release();
  });

  it('is held across renewals', async () => {
    await using world = await open();
    await withPatience(async () => {
      await using one = await world.open();
      await using other = await world.open();
      const lease = await take(one, 'job', ttlMs, 'first');
      const stop = new AbortController();
      const second = other.lease('job', { holder: 'second', ttlMs, signal: stop.signal });
      second.catch(() => {});
      // As long as it takes to succeed one who has died, a living one holds on.
      const dying = await world.open();
      await take(dying, 'job of the dead', ttlMs);
      await world.crash(dying);
      await (await take(other, 'job of the dead', ttlMs)).release();
      const kept = !lease.lost.aborted && (await other.leases()).some(({ holder }) => holder === 'first');
      stop.abort(new Error('enough'));
      if (kept) await assert.rejects(second, /enough/);
      return kept;
    });
  });

  it('lets go of one who waits when its signal aborts, and the lease goes on to the next', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    const first = await take(one, 'job', ttlMs);
    const stop = new AbortController();
    const waiting = other.lease('job', { holder: 'waiting', ttlMs, signal: stop.signal });
    stop.abort(new Error('No longer wanted.'));
    await assert.rejects(waiting, /No longer wanted/);
    await first.release();
    await (await take(one, 'job', ttlMs)).release();
    const before = AbortSignal.abort(new Error('Never wanted.'));
    await assert.rejects(one.lease('job', { holder: 'never', ttlMs, signal: before }), /Never wanted/);
    await (await take(other, 'job', ttlMs)).release();
  });

  it('succeeds a holder that has died', async () => {
    await using world = await open();
    const one = await world.open();
    await using other = await world.open();
    const first = await take(one, 'job', ttlMs);
    const second = take(other, 'job', ttlMs);
    await world.crash(one);
    assert.ok((await second).token > first.token);
  });

  it('never has two holders, however many want it, and each token is greater than the one before', async () => {
    await using world = await open();
    const processes = await Promise.all(Array.from({ length: 5 }, () => world.open()));
    const held = new Set<Lease>();
    const tokens: bigint[] = [];
    const work = processes.map(async process => {
      for (let turn = 0; turn < 4; turn += 1) {
        const lease = await take(process, 'crowded', ttlMs);
        for (const other of held) assert.ok(other.lost.aborted, 'two hold it');
        held.add(lease);
        tokens.push(lease.token);
        await process.get('anything');
        held.delete(lease);
        await lease.release();
      }
    });
    await Promise.all(work);
    assert.equal(tokens.length, 20);
    for (const [index, token] of tokens.entries()) assert.ok(token > (tokens[index - 1] ?? 0n));
    await Promise.all(processes.map(process => process[Symbol.asyncDispose]()));
  });

  it('gives back what it holds when it is closed, and refuses who waits', async () => {
    await using world = await open();
    const one = await world.open();
    await using other = await world.open();
    const lease = await take(one, 'held', ttlMs);
    const blocking = await take(other, 'wanted', ttlMs);
    const waiting = assert.rejects(take(one, 'wanted', ttlMs), error =>
      isUmbusError(error, 'UMBUS_COORDINATION_CLOSED'),
    );
    await one[Symbol.asyncDispose]();
    await waiting;
    assert.equal(lease.lost.aborted, true);
    await take(other, 'held', ttlMs);
    await blocking.release();
    await (await take(other, 'wanted', ttlMs)).release();
    await assert.rejects(take(one, 'held', ttlMs), error => isUmbusError(error, 'UMBUS_COORDINATION_CLOSED'));
    await one[Symbol.asyncDispose]();
  });

  it('tells a holder that is cut off of its loss before another holds the lease', async t => {
    await using world = await open();
    if (world.isolate === undefined) return t.diagnostic('Nothing lies between a process and this service.');
    await using one = await world.open();
    await using other = await world.open();
    const first = await take(one, 'job', ttlMs);
    const order: string[] = [];
    first.lost.addEventListener('abort', () => order.push('lost'));
    const second = take(other, 'job', ttlMs).then(lease => {
      order.push('taken');
      return lease;
    });
    await world.isolate(one);
    const { token } = await second;
    assert.deepEqual(order, ['lost', 'taken']);
    assert.ok(isUmbusError(first.lost.reason, 'UMBUS_COORDINATION_LOST'));
    assert.ok(token > first.token);
    await world.heal?.(one);
    const third = take(one, 'job', ttlMs);
    await (await second).release();
    assert.ok((await third).token > token);
  });

  it('keeps a lease over a connection that is cut and made anew', async t => {
    await using world = await open();
    const { disrupt } = world;
    if (disrupt === undefined) return t.diagnostic('There is no connection to cut.');
    await withPatience(async () => {
      await using one = await world.open();
      await using other = await world.open();
      const lease = await take(one, 'job', ttlMs);
      await disrupt();
      await one.put('sign', new Uint8Array(1));
      const [holder] = await other.leases();
      return !lease.lost.aborted && holder?.token === lease.token;
    });
  });

  it('shows members that come and go, and those that die no more', async () => {
    await using world = await open();
    const one = await world.open();
    await using other = await world.open();
    const ids = async () => (await other.members()).map(({ id }) => id);
    const first = await one.announce({ id: 'shop/a/extractor', info: { host: 'here', pid: '1' } });
    await other.announce({ id: 'shop/b/appender', info: {} });
    await one.announce({ id: 'shop/a/appender', info: { topologies: 'appender' } });
    assert.deepEqual(await other.members(), [
      { id: 'shop/a/appender', info: { topologies: 'appender' } },
      { id: 'shop/a/extractor', info: { host: 'here', pid: '1' } },
      { id: 'shop/b/appender', info: {} },
    ]);
    await first[Symbol.asyncDispose]();
    assert.deepEqual(await ids(), ['shop/a/appender', 'shop/b/appender']);
    await world.crash(one);
    await until('the dead is gone', async () => (await ids()).length === 1);
    assert.deepEqual(await ids(), ['shop/b/appender']);
  });

  it('puts a later member with the same id in the place of the first', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    const first = await one.announce({ id: 'same', info: { life: '1' } });
    const second = await other.announce({ id: 'same', info: { life: '2' } });
    await first[Symbol.asyncDispose]();
    assert.deepEqual(await one.members(), [{ id: 'same', info: { life: '2' } }]);
    await second[Symbol.asyncDispose]();
    assert.deepEqual(await one.members(), []);
  });
}

/** A machine that stands still for too long loses a lease by right: one of three tries has to keep it. */
async function withPatience(keeps: () => Promise<boolean>): Promise<void> {
  let kept = false;
  for (let attempt = 1; !kept && attempt <= 3; attempt += 1) kept = await keeps();
  assert.ok(kept, 'the lease was lost three times');
}
