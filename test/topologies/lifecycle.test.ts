import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryLog, type MemoryFaults } from '../../src/adapters/memory/memory-log.ts';
import { UmbusError } from '../../src/core/errors.ts';
import { type RunningTopology, startTopology } from '../../src/runtime/start.ts';
import type { TopologyState } from '../../src/runtime/state.ts';
import { createDriver, VirtualClock } from '../../src/testing/index.ts';
import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { int32, noBytes, utf8 } from '../../src/topology/serdes.ts';
import { store, topic } from '../../src/topology/topic.ts';
import { until } from '../support/until.ts';
import { countStore, counts, lines, wordCount } from './word-count.ts';

const input = topic('in', utf8, int32, { partitions: 6 });
const out = topic('out', utf8, int32, { partitions: 6 });
const sums = store('sums', utf8, int32);

const summing = defineTopology({
  name: 'summing',
  version: 1,
  config: trusted<null>(),
  build(t) {
    t.source('in', input)
      .process<string, number, { sums: typeof sums }>('sum', { sums }, () => ({
        on({ key, value }, { stores }, emit) {
          const sum = (stores.sums.get(key) ?? 0) + value;
          stores.sums.set(key, sum);
          emit(key, sum);
        },
      }))
      .to('out', out);
  },
});

test('instances share the tasks, and those that stay keep theirs when others come and go', async () => {
  const driver = createDriver(summing, null, { instances: 3 });
  const tasksOf = () =>
    driver
      .snapshots()
      .map(({ tasks }) => tasks.length)
      .toSorted();
  await driver.settle();
  assert.deepEqual(tasksOf(), [2, 2, 2]);
  const [first] = driver.instances;
  assert.ok(first !== undefined);
  await driver.leave(first);
  await driver.settle();
  assert.deepEqual(tasksOf(), [3, 3]);
  driver.join();
  driver.join();
  await driver.settle();
  assert.deepEqual(tasksOf(), [1, 1, 2, 2]);
});

test('state moves with its partition', async () => {
  const driver = createDriver(summing, null, { instances: 2 });
  const keys = ['a', 'b', 'c', 'd', 'e'];
  for (let round = 1; round <= 4; round += 1) {
    await driver.in(input).sendAll(keys.map(key => ({ key, value: round })));
    await driver.settle();
    driver.rebalance();
    await driver.settle();
  }
  assert.deepEqual(
    Object.fromEntries(await driver.store(sums)),
    Object.fromEntries(keys.map(key => [key, 10])),
  );
  assert.equal(driver.out(out).all().length, 20, 'nothing twice, not even to be dropped');
});

test('a zombie with work in hand changes nothing', async () => {
  for (const commitMode of ['atomic', 'outputs-first'] as const) {
    const driver = createDriver(summing, null, { instances: 2, commitMode, seed: 5 });
    await driver.settle();
    await driver.in(input).sendAll([1, 2, 3].map(value => ({ key: 'k', value })));
    while (!driver.instances.some(instance => instance.hasWorkInHand)) assert.ok(await driver.step());
    driver.zombie(driver.instances.find(instance => instance.hasWorkInHand) ?? assert.fail());
    await driver.settle();
    assert.deepEqual(driver.out(out).values(), [1, 3, 6], commitMode);
    assert.deepEqual(Object.fromEntries(await driver.store(sums)), { k: 6 });
    assert.ok(
      driver.snapshots().some(({ counts: { restarts } }) => restarts === 1),
      'the zombie found out and began again',
    );
  }
});

test('stopping commits what was polled, and a new start goes on there', async () => {
  const driver = createDriver(wordCount, {});
  await driver.in(lines).send('k', 'a b a');
  await driver.settle();
  await driver.stop();
  await driver.in(lines).send('k', 'a');
  driver.join();
  await driver.settle();
  assert.deepEqual(Object.fromEntries(await driver.store(countStore)), { a: 3, b: 1 });
  assert.equal(driver.out(counts).all().length, 4);
});

test('one topology at at-least-once does repeat after a crash between outputs and offsets', async () => {
  const repeating = defineTopology({
    name: 'repeating',
    version: 1,
    config: trusted<null>(),
    guarantee: 'at-least-once',
    build: t => t.source('in', input).to('out', out),
  });
  const driver = createDriver(repeating, null, { commitMode: 'outputs-first', seed: 3 });
  await driver.settle();
  const [instance] = driver.instances;
  assert.ok(instance !== undefined);
  // The prefix that gets written is chance; some of ten crashes leave outputs behind.
  for (let value = 1; value <= 10; value += 1) {
    driver.crash(instance, 'between');
    await driver.in(input).send('k', value);
    await driver.settle();
  }
  assert.ok(driver.out(out).all().length > 10, 'repeats are in the topic');
  assert.deepEqual(
    driver.out(out).values(),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    'and a reader that watches seq drops them',
  );
});

interface Started {
  readonly running: RunningTopology;
  readonly states: TopologyState[];
  readonly log: ReturnType<typeof createMemoryLog>;
  readonly faults: MemoryFaults;
  send(value: number): Promise<void>;
}

async function started(clock = new VirtualClock(0)): Promise<Started> {
  const faults: MemoryFaults = {};
  const log = createMemoryLog({ clock, faults });
  const states: TopologyState[] = [];
  const events = { stateChanged: ({ to }: { to: TopologyState }) => states.push(to) };
  const running = startTopology(summing, null, { log, clock, instance: 'x', random: () => 0.5, events });
  const writer = await log.openWriter('test');
  const send = (value: number) =>
    writer.append([
      {
        topic: 'in',
        partition: 0,
        key: Buffer.from('k'),
        value: int32.encode(value),
        timestampMs: 0,
        headers: {},
      },
    ]);
  await until(
    'the topology runs',
    () => running.state === 'running' && running.snapshot().tasks.length === 6,
  );
  return { running, states, log, faults, send };
}

test('runs without a driver: a record is processed at once, and stop ends it', async () => {
  const { running, states, log, send } = await started();
  await send(5);
  await until('the sum is written', () => running.snapshot().counts.commits === 1);
  const written = Array.from({ length: 6 }, (_, partition) =>
    log.records({ topic: 'out', partition }),
  ).flat();
  assert.deepEqual(
    written.map(({ value }) => int32.decode(value ?? noBytes)),
    [5],
  );
  assert.deepEqual(running.snapshot().tasks[0]?.inputs, [
    { topic: 'in', partition: 0, position: 1n, lagRecords: 0n, timestampMs: 0 },
  ]);
  await running.stop();
  await running.done;
  assert.deepEqual(states, ['running', 'stopping', 'stopped']);
  assert.deepEqual(log.members('umbus.x.summing'), []);
});

test('a full log is waited for, and nothing is lost', async () => {
  const clock = new VirtualClock(0);
  const { running, states, faults, send } = await started(clock);
  faults.onCommit = (_, { offsets }) => {
    if (offsets.length > 0) throw new UmbusError('UMBUS_LOG_FULL', 'The disk is full.');
  };
  await send(2);
  await until('the topology waits', () => running.state === 'restarting');
  delete faults.onCommit;
  clock.moveTo(clock.now() + 10_000);
  await until('it is at work again', () => running.snapshot().counts.commits === 1);
  assert.equal(running.snapshot().counts.restarts, 1);
  await running.stop();
  assert.deepEqual(states, ['running', 'restarting', 'running', 'stopping', 'stopped']);
});

test('an error that does not pass rejects done, and stop still resolves', async () => {
  const { running, states, faults, send } = await started();
  faults.onCommit = (_, { offsets }) => {
    if (offsets.length > 0) throw new UmbusError('UMBUS_LOG_RECORD_SIZE', 'The record is too large.');
  };
  await send(1);
  await assert.rejects(running.done, { code: 'UMBUS_LOG_RECORD_SIZE' });
  await running.stop();
  assert.deepEqual(states, ['running', 'stopping', 'failed']);
});

test('a signal stops as stop does, also before the start', async () => {
  const log = createMemoryLog();
  const clock = new VirtualClock(0);
  const stop = new AbortController();
  const running = startTopology(summing, null, { log, clock, instance: 'x', signal: stop.signal });
  stop.abort();
  await running.done;
  assert.equal(running.state, 'stopped');
  const late = startTopology(summing, null, { log, clock, instance: 'x', signal: stop.signal });
  await late.done;
});

test('a topic that exists in another shape is an error that says so', async () => {
  const log = createMemoryLog();
  await log.ensureTopics([
    { name: 'in', partitions: 2, cleanup: 'delete', retentionMs: null, retentionBytes: null },
  ]);
  const running = startTopology(summing, null, { log, clock: new VirtualClock(0), instance: 'x' });
  await assert.rejects(running.done, { code: 'UMBUS_LOG_TOPIC_MISMATCH' });
});

test('a topic that is read keeps the retention of its writer', async () => {
  const log = createMemoryLog();
  await log.ensureTopics([
    { name: 'in', partitions: 6, cleanup: 'delete', retentionMs: 1234, retentionBytes: null },
  ]);
  const running = startTopology(summing, null, { log, clock: new VirtualClock(0), instance: 'x' });
  await until('it runs', () => running.state === 'running');
  assert.equal((await log.topics()).find(({ name }) => name === 'in')?.retentionMs, 1234);
  await running.stop();
});
