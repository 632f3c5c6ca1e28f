import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../../src/adapters/memory/index.ts';
import { LoadWatch } from '../../../src/adapters/pull/load-watch.ts';
import { Pacer } from '../../../src/adapters/pull/pacer.ts';
import { PullCells } from '../../../src/adapters/pull/pull-cells.ts';
import { isUmbusError, UmbusError } from '../../../src/core/errors.ts';
import type { SourceLoad } from '../../../src/ports/source-load.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const { signal } = new AbortController();

/** How long it takes until so many rows may be read, in milliseconds; what the pacer says; `change` happens after so long. */
async function paced(
  { clock, pacer }: { readonly clock: VirtualClock; readonly pacer: Pacer },
  rows: number,
  change: { readonly afterMs: number; readonly to: () => Promise<void> } | null = null,
  leaves = true,
): Promise<{ readonly ms: number; readonly goesOn: boolean }> {
  const start = clock.now();
  let over = false;
  const pacing = pacer.pace('p', rows, signal, leaves).finally(() => {
    over = true;
  });
  pacing.catch(() => {});
  let changed = change === null;
  for (;;) {
    await new Promise(resolve => setImmediate(resolve));
    if (over) return { ms: clock.now() - start, goesOn: await pacing };
    if (!changed && change !== null && clock.now() - start >= change.afterMs) {
      await change.to();
      changed = true;
    }
    const { nextDueMs } = clock;
    if (nextDueMs !== null) clock.moveTo(nextDueMs);
  }
}

/** `busy`: what the source says of itself. */
function open(busy: { threadsRunning: number | null } = { threadsRunning: 1 }) {
  const clock = new VirtualClock(1_000_000);
  const cells = new PullCells(createMemoryCoordination({ clock }).open(), 'shop');
  const load: SourceLoad = {
    read: async () => ({ ...busy, replicationLagMs: null }),
    [Symbol.asyncDispose]: async () => {},
  };
  const bounds = { threadsRunning: 10, replicationLagMs: 5000, lineLagMs: 5000 };
  const watch = new LoadWatch(load, bounds, clock);
  return { clock, cells, watch, busy, pacer: new Pacer(cells, clock, watch) };
}

test('a pull that nobody bounds waits for nothing', async () => {
  assert.deepEqual(await paced(open(), 1_000_000), { ms: 0, goesOn: true });
});

test('rows are let through as many a second as were asked for', async () => {
  const world = open();
  await world.cells.setControl('p', { state: 'run', rowsPerSecond: 100 });
  assert.equal((await paced(world, 500)).ms, 0);
  assert.equal((await paced(world, 100)).ms, 5000);
  assert.equal((await paced(world, 100)).ms, 1000);
});

test('another rate, and none, counts at once for rows that wait already', async () => {
  const world = open();
  const { cells } = world;
  await cells.setControl('p', { state: 'run', rowsPerSecond: 1 });
  await paced(world, 100_000);
  const free = { afterMs: 3000, to: () => cells.setControl('p', { state: 'run', rowsPerSecond: null }) };
  const { ms } = await paced(world, 1000, free);
  assert.ok(ms >= 3000 && ms <= 5000, `${ms} ms`);
  await cells.setControl('p', { state: 'run', rowsPerSecond: 1000 });
  assert.ok((await paced(world, 1000)).ms <= 2000);
  assert.ok((await paced(world, 1000)).ms <= 2000);
});

test('a pull that is paused while rows wait gives its turn back, and one that is cancelled fails', async () => {
  const world = open();
  const { cells } = world;
  await cells.setControl('p', { state: 'run', rowsPerSecond: 1 });
  await paced(world, 100_000);
  const pause = { afterMs: 3000, to: () => cells.setControl('p', { state: 'pause', rowsPerSecond: 1 }) };
  const { ms, goesOn } = await paced(world, 10, pause);
  assert.ok(!goesOn && ms >= 3000 && ms <= 5000, `${ms} ms`);
  await cells.setControl('p', { state: 'cancel', rowsPerSecond: null });
  world.clock.moveTo(world.clock.now() + 5000);
  await assert.rejects(paced(world, 10), error => isUmbusError(error, 'UMBUS_PULL_CANCELLED'));
});

test('rows wait while more threads run in the source than may, and say why', async () => {
  const world = open({ threadsRunning: 11 });
  const calm = {
    afterMs: 4000,
    to: async () => {
      assert.match((await world.cells.burden('p'))?.waits ?? '', /11 threads run in the source.* 10 may/);
      world.busy.threadsRunning = 10;
    },
  };
  const { ms, goesOn } = await paced(world, 1000, calm);
  assert.ok(goesOn && ms >= 4000 && ms <= 6000, `${ms} ms`);
  assert.equal((await world.cells.burden('p'))?.waits, null);
});

test('rows that wait for long are left, and no window is opened before all is calm', async () => {
  const world = open({ threadsRunning: 99 });
  const { ms, goesOn } = await paced(world, 1000);
  assert.ok(!goesOn && ms >= 10_000 && ms <= 11_000, `${ms} ms`);
  let ready = false;
  const waiting = world.pacer.ready('p', signal).then(() => {
    ready = true;
  });
  for (let looks = 0; looks < 40; looks++) {
    await new Promise(resolve => setImmediate(resolve));
    world.clock.moveTo(world.clock.now() + 500);
  }
  assert.equal(ready, false);
  world.busy.threadsRunning = null;
  for (let looks = 0; looks < 40 && !ready; looks++) {
    await new Promise(resolve => setImmediate(resolve));
    world.clock.moveTo(world.clock.now() + 500);
  }
  await waiting;
});

test('rows of a shard that could only be read from its start again are not left, however long they wait', async () => {
  const world = open({ threadsRunning: 99 });
  const calm = {
    afterMs: 60_000,
    to: async () => {
      world.busy.threadsRunning = 1;
    },
  };
  const { ms, goesOn } = await paced(world, 1000, calm, false);
  assert.ok(goesOn && ms >= 60_000 && ms <= 62_000, `${ms} ms`);
});

test('the line is as late as the watermark that is longest on its way, and a source that fails is not known to be busy', async () => {
  const { clock, watch } = open();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const passing = [watch.passing(first.promise)];
  clock.moveTo(clock.now() + 3000);
  passing.push(watch.passing(second.promise));
  clock.moveTo(clock.now() + 3000);
  const late = await watch.load();
  assert.equal(late.lineLagMs, 6000);
  assert.match(watch.excess(late) ?? '', /the line is 6 s late/);
  first.resolve();
  await passing[0];
  assert.equal((await watch.load()).lineLagMs, 3000);
  second.resolve();
  await Promise.all(passing);
  assert.equal(watch.excess(await watch.load()), null);

  const failing: SourceLoad = {
    read: async () => {
      throw new UmbusError('UMBUS_SOURCE_DISCONNECTED', 'Gone.');
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const bounds = { threadsRunning: 1, replicationLagMs: 1, lineLagMs: 1 };
  const blind = new LoadWatch(failing, bounds, clock);
  assert.equal(blind.excess(await blind.load()), null);
  assert.match(
    blind.excess({ threadsRunning: 1, replicationLagMs: 90_000, lineLagMs: 0 }) ?? '',
    /the source is 90 s behind/,
  );
});
