import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUmbusError } from '../../../src/core/errors.ts';
import {
  crashPoints,
  createDriver,
  explore,
  seededRandom,
  VirtualClock,
} from '../../../src/testing/index.ts';
import { counts, lines, wordCount } from '../../topologies/word-count.ts';

test('equal seeds give equal choices, other seeds others', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 50 }, () => random.below(1000));
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  const random = seededRandom(1);
  const drawn = Array.from({ length: 10_000 }, () => random.next());
  assert.ok(drawn.every(value => value >= 0 && value < 1));
  assert.ok(Math.abs(drawn.reduce((sum, value) => sum + value, 0) / drawn.length - 0.5) < 0.02);
  assert.equal(random.chance(0), false);
  assert.equal(random.pick([]), undefined);
});

test('sleepers wake in the order of their times, and only when time comes', async () => {
  const clock = new VirtualClock(1000);
  const woken: string[] = [];
  const sleep = (name: string, ms: number, signal?: AbortSignal) =>
    clock.sleep(ms, signal).then(() => woken.push(name));
  const abort = new AbortController();
  const all = [sleep('late', 20), sleep('early', 10), sleep('aborted', 99, abort.signal), sleep('none', 0)];
  assert.equal(clock.nextDueMs, 1010);
  clock.moveTo(1009);
  await Promise.resolve();
  assert.ok(!woken.includes('early'));
  abort.abort();
  clock.moveTo(1030);
  await Promise.all(all);
  assert.deepEqual(
    woken.filter(name => name === 'early' || name === 'late'),
    ['early', 'late'],
  );
  assert.equal(clock.now(), 1030);
  clock.moveTo(5);
  assert.equal(clock.now(), 1030, 'time does not go back');
  assert.equal(clock.nextDueMs, null);
});

async function history(seed: number): Promise<readonly string[]> {
  const driver = createDriver(wordCount, {}, { seed, instances: 3 });
  driver.chaos({ crash: 0.05, zombie: 0.05, rebalance: 0.05, duplicate: 0.05 });
  for (const line of ['a b c', 'b c', 'c']) {
    await driver.in(lines).send(line, line);
    await driver.settle();
  }
  const written = driver
    .out(counts)
    .all()
    .map(({ partition, offset, value }) => `${partition}/${offset} ${value.word} ${value.count}`);
  return [...written, ...driver.faults.map(({ step, what }) => `${step} ${what}`)];
}

test('equal seeds give equal interleavings, faults and outputs', async () => {
  const first = await history(11);
  assert.deepEqual(await history(11), first);
  assert.notDeepEqual(await history(12), first);
});

for (const point of crashPoints) {
  test(`a crash ${point} is survived, and does happen`, async () => {
    const driver = createDriver(wordCount, {}, { commitMode: 'outputs-first' });
    await driver.settle();
    const [instance] = driver.instances;
    assert.ok(instance !== undefined);
    const life = instance.running;
    driver.crash(instance, point);
    await driver.in(lines).send('k', 'a b a');
    await driver.settle();
    assert.notEqual(instance.running, life, 'a new life has begun');
    assert.deepEqual(
      driver
        .out(counts)
        .values()
        .map(({ word, count }) => `${word}${count}`)
        .toSorted(),
      ['a1', 'a2', 'b1'],
    );
  });
}

const broken = () =>
  explore({
    seeds: { from: 20, to: 40 },
    build: seed => createDriver(wordCount, {}, { seed }),
    faults: { crash: 0.2 },
    run: async driver => {
      await driver.in(lines).send('k', 'a');
    },
    invariant: driver => assert.ok(driver.seed < 23, 'the seed is too large'),
  });

test('explore names the seed, the faults and the command of the first failure', async () => {
  await assert.rejects(broken(), error => {
    assert.ok(isUmbusError(error, 'UMBUS_INTERNAL'));
    assert.match(
      error.message,
      /^Seed 23 fails: the seed is too large\nFaults \(\d+\):\n {2}(none|step \d+: )/,
    );
    assert.match(error.message, /\nReplay: UMBUS_SEED=23 node --test .*driver\.test\.ts$/);
    assert.ok(error.cause instanceof assert.AssertionError);
    return true;
  });
});

test('UMBUS_SEED replays one seed', async t => {
  t.after(() => {
    delete process.env['UMBUS_SEED'];
  });
  process.env['UMBUS_SEED'] = '21';
  assert.equal(
    (
      await explore({
        seeds: 500,
        build: seed => createDriver(wordCount, {}, { seed }),
        invariant: driver => assert.equal(driver.seed, 21),
      })
    ).seeds,
    1,
  );
  process.env['UMBUS_SEED'] = 'x';
  await assert.rejects(broken(), { code: 'UMBUS_USAGE' });
});

test('the driver shows stores, snapshots and the description of what it drives', async () => {
  const driver = createDriver(wordCount, {});
  await driver.in(lines).send('k', 'a a');
  await driver.settle();
  assert.match(driver.describe(), /^topology word-count v1/);
  const [snapshot] = driver.snapshots();
  assert.deepEqual(snapshot?.tasks.map(({ task }) => task).toSorted(), [
    'word-count-0',
    'word-count-1',
    'word-count-2',
    'word-count.words-read-0',
    'word-count.words-read-1',
    'word-count.words-read-2',
  ]);
  assert.equal(
    snapshot?.tasks.reduce((keys, { stores }) => keys + (stores['counts'] ?? 0), 0),
    1,
  );
  await driver.stop();
  assert.deepEqual(driver.snapshots(), []);
});
