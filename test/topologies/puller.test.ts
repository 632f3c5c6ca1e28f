/** How shards of full pulls go round: those of paused pulls wait without a record being written, and those that take long are given back when other processes are to have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullStep } from '../../src/adapters/pull/pull-worker.ts';
import type { ShardTask } from '../../src/change/pull-job.ts';
import { createDriver, type Driver, explore } from '../../src/testing/index.ts';
import { pausedShards, puller } from '../../topologies/puller.ts';
import { type PullConfig, splitter } from '../../topologies/splitter.ts';
import { shardsTopic, splitsTopic } from '../../topologies/topics.ts';
import { pullJob, shardTask } from '../support/pull-jobs.ts';

const PARTITIONS = 4;

/** Who reads shards: at once, but for those of pulls in `long`, which it gives back only when it is asked to. */
class Worker {
  readonly paused = new Set<string>();
  readonly long = new Set<string>();
  readonly read: string[] = [];
  /** Shards that are being read. */
  readonly reading = new Set<string>();

  isPaused(pull: string): boolean {
    return this.paused.has(pull);
  }

  async split(): Promise<PullStep> {
    this.read.push('step');
    return { shards: [], split: null };
  }

  async pull(task: ShardTask, signal: AbortSignal, leaving?: AbortSignal): Promise<PullStep> {
    const name = `${task.pull}/${task.shard}`;
    if (this.long.has(task.pull)) {
      this.reading.add(name);
      const until = AbortSignal.any(leaving === undefined ? [signal] : [signal, leaving]);
      await new Promise<void>(resolve => {
        if (until.aborted) resolve();
        else until.addEventListener('abort', () => resolve(), { once: true });
      });
      this.reading.delete(name);
      signal.throwIfAborted();
      return { shards: [task], split: null };
    }
    this.read.push(name);
    return { shards: [], split: null };
  }
}

const configOf = (pulls: PullConfig['pulls']): PullConfig => ({
  ds: 'web',
  schemas: {},
  topics: { partitions: PARTITIONS, retentionMs: null, retentionBytes: null },
  pulls,
});

async function send(driver: Driver, config: PullConfig, pull: string, shards: number): Promise<void> {
  const input = driver.in(shardsTopic(config));
  for (let shard = 0; shard < shards; shard += 1)
    await input.send(pull, shardTask({ pull, shard }), { partition: shard % PARTITIONS });
}

const written = (driver: Driver, config: PullConfig): number => driver.out(shardsTopic(config)).all().length;
const commits = (driver: Driver): number =>
  driver.snapshots().reduce((sum, { counts }) => sum + counts.commits, 0);

test('while a pull is paused its shards wait, nothing is written, and those of others pass', async () => {
  const worker = new Worker();
  const config = configOf(worker);
  const driver = createDriver(puller, config, { instances: 2 });
  worker.paused.add('slow');
  await send(driver, config, 'slow', 40);
  await send(driver, config, 'other', 8);
  await driver.settle();
  assert.equal(worker.read.length, 8, 'only those of the other pull');
  const before = [written(driver, config), commits(driver)];
  await driver.advance('10m');
  await driver.settle();
  assert.deepEqual([written(driver, config), commits(driver)], before, 'a pause costs nothing');
  assert.equal((await driver.store(pausedShards)).size, 40);
  worker.paused.delete('slow');
  await driver.advance('2s');
  await driver.settle();
  const own = worker.read.filter(name => name.startsWith('slow/'));
  assert.equal(new Set(own).size, 40);
  assert.equal(own.length, 40);
  assert.equal((await driver.store(pausedShards)).size, 0);
  await driver.stop();
});

test('shards of a paused pull survive whatever happens, and are read when it goes on', async () => {
  const worlds = new Map<Driver, { readonly worker: Worker; readonly config: PullConfig }>();
  await explore({
    seeds: 30,
    build: seed => {
      const worker = new Worker();
      const config = configOf(worker);
      const driver = createDriver(puller, config, { seed, instances: 2, commitMode: 'outputs-first' });
      worlds.set(driver, { worker, config });
      return driver;
    },
    faults: { crash: 0.05, zombie: 0.05, rebalance: 0.03, duplicate: 0.03, redeliver: 0.03 },
    run: async (driver, random) => {
      const { worker, config } = worlds.get(driver) ?? assert.fail();
      for (let round = 0; round < 3; round += 1) {
        await send(driver, config, `p${round}`, 8);
        if (random.chance(0.7)) worker.paused.add(`p${round}`);
        await driver.advance(random.chance(0.5) ? '1s' : '5s');
        if (random.chance(0.5)) worker.paused.clear();
      }
      worker.paused.clear();
      await driver.settle();
      await driver.advance('5s');
    },
    invariant: driver => {
      const { worker } = worlds.get(driver) ?? assert.fail();
      assert.equal(new Set(worker.read).size, 24);
    },
  });
});

test('the steps of a paused pull wait too, and do not hold up those of another', async () => {
  const worker = new Worker();
  const config = configOf(worker);
  const driver = createDriver(splitter, config);
  worker.paused.add('slow');
  const input = driver.in(splitsTopic(config));
  const step = { ...pullJob(), kind: 'split', after: null, cutBy: null, shard: 0 } as const;
  await input.send('slow', { ...step, pull: 'slow' });
  await input.send('other', { ...step, pull: 'other' });
  await driver.settle();
  assert.equal(worker.read.length, 1);
  const before = commits(driver);
  await driver.advance('10m');
  assert.equal(commits(driver), before);
  worker.paused.clear();
  await driver.advance('2s');
  await driver.settle();
  assert.equal(worker.read.length, 2);
  await driver.stop();
});

test('a puller that reads long shards gives back in time when another comes, so that both read, and nothing is lost', async () => {
  const worker = new Worker();
  const config = configOf(worker);
  const changes: string[] = [];
  const driver = createDriver(puller, config, {
    events: { rebalanced: ({ change }) => void changes.push(change) },
  });
  worker.long.add('long');
  await send(driver, config, 'long', 8);
  await driver.settle();
  assert.ok(worker.reading.size > 0, 'shards are read');
  await driver.advance('1h');
  assert.deepEqual(changes, ['assigned'], 'however long a shard is, the partitions stay');
  driver.join();
  await driver.settle();
  assert.deepEqual(changes.includes('lost'), false, 'nothing is taken away');
  assert.ok(changes.includes('revoked'));
  const shares = driver.snapshots().map(({ tasks }) => tasks.length);
  assert.deepEqual(shares, [PARTITIONS / 2, PARTITIONS / 2]);
  worker.long.clear();
  for (const name of worker.reading) assert.ok(name.startsWith('long/'));
  // All partitions move: both let go of what they read, which now takes no time.
  driver.rebalance();
  await driver.settle();
  assert.equal(new Set(worker.read).size, 8);
  await driver.stop();
});
