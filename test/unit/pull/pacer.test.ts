import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../../src/adapters/memory/index.ts';
import { Pacer } from '../../../src/adapters/pull/pacer.ts';
import { PullCells } from '../../../src/adapters/pull/pull-cells.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const { signal } = new AbortController();

/** How long it takes until so many rows may be read, in milliseconds; what the pacer says; `change` happens after so long. */
async function paced(
  { clock, pacer }: { readonly clock: VirtualClock; readonly pacer: Pacer },
  rows: number,
  change: { readonly afterMs: number; readonly to: () => Promise<void> } | null = null,
): Promise<{ readonly ms: number; readonly goesOn: boolean }> {
  const start = clock.now();
  let over = false;
  const pacing = pacer.pace('p', rows, signal).finally(() => {
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

function open() {
  const clock = new VirtualClock(1_000_000);
  const cells = new PullCells(createMemoryCoordination({ clock }).open(), 'shop');
  return { clock, cells, pacer: new Pacer(cells, clock) };
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
