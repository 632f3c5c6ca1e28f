import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { OutgoingRecord } from '../../../src/ports/log.ts';
import { backoffMs } from '../../../src/runtime/backoff.ts';
import { InFlight } from '../../../src/runtime/in-flight.ts';
import { Outputs, seqWith } from '../../../src/runtime/outputs.ts';
import { StateMachine, type TopologyState, transitions } from '../../../src/runtime/state.ts';
import { TaskStore } from '../../../src/runtime/task-store.ts';
import { Waker } from '../../../src/runtime/waker.ts';
import { int32, utf8 } from '../../../src/topology/serdes.ts';
import { store, topic } from '../../../src/topology/topic.ts';

test('only declared transitions are taken, and each is told', () => {
  const told: string[] = [];
  const machine = new StateMachine((from, to) => told.push(`${from}>${to}`));
  for (const next of ['running', 'running', 'restarting', 'running', 'stopping', 'stopped'] as const)
    machine.to(next);
  assert.deepEqual(told, [
    'starting>running',
    'running>restarting',
    'restarting>running',
    'running>stopping',
    'stopping>stopped',
  ]);
  assert.throws(() => machine.to('running'), { code: 'UMBUS_INTERNAL' });
  const ends = (Object.keys(transitions) as TopologyState[]).filter(state => transitions[state].length === 0);
  assert.deepEqual(ends, ['stopped', 'failed']);
});

test('waits double up to the maximum, and half of each is chance', () => {
  const waits = (random: number) =>
    [1, 2, 3, 4, 5, 100].map(attempt =>
      backoffMs(attempt, { minMs: 100, maxMs: 1000, random: () => random }),
    );
  assert.deepEqual(waits(0), [50, 100, 200, 400, 500, 500]);
  assert.deepEqual(waits(1), [100, 200, 400, 800, 1000, 1000]);
});

test('a store takes back the changes of one call, and writes each changed key once', () => {
  const counts = new TaskStore(store('counts', utf8, int32));
  counts.set('a', 1);
  counts.set('b', 2);
  counts.begin();
  counts.set('a', 10);
  counts.set('a', 11);
  counts.delete('b');
  counts.set('c', 3);
  counts.undo();
  assert.deepEqual(
    [...counts.entries()],
    [
      ['a', 1],
      ['b', 2],
    ],
  );
  counts.begin();
  counts.delete('b');
  counts.delete('never there');
  const written: OutgoingRecord[] = [];
  counts.takeChanges('changelog', 0, 5, Buffer.from('t=1'), written);
  const byKey = new Map(
    written.map(record => [
      String(record.key),
      record.value === null ? null : Buffer.from(record.value).readInt32BE(),
    ]),
  );
  assert.deepEqual(
    byKey,
    new Map([
      ['a', 1],
      ['b', null],
      ['c', null],
    ]),
  );
  assert.equal(counts.changed, false);
});

test('entries come in the order of the key bytes, whatever the history', () => {
  const one = new TaskStore(store('s', utf8, int32));
  const other = new TaskStore(store('s', utf8, int32));
  for (const key of ['b', 'a', 'c', '\u00e9']) one.set(key, 1);
  for (const key of ['\u00e9', 'c', 'x', 'a', 'b']) other.set(key, 1);
  other.delete('x');
  assert.deepEqual([...one.entries()], [...other.entries()]);
});

test('outputs of asynchronous tasks are ordered by lane and seq', () => {
  const out = topic('out', utf8, utf8);
  const outputs = new Outputs(new Set());
  const push = (lane: string, seq: number) =>
    outputs.push(
      out,
      0,
      null,
      Buffer.from(`${lane}${seq}`),
      0,
      {},
      seqWith(Buffer.alloc(8), seq),
      Buffer.from(lane),
    );
  for (const [lane, seq] of [
    ['b', 2],
    ['a', 9],
    ['b', 1],
    ['a', 3],
  ] as const)
    push(lane, seq);
  const { records, bytes, topics } = outputs.take(true);
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    ['a3', 'a9', 'b1', 'b2'],
  );
  assert.equal(bytes, 8);
  assert.deepEqual(
    topics.map(({ name }) => name),
    ['out'],
    'a topic nobody declared is to be made',
  );
  push('a', 1);
  assert.deepEqual(outputs.take(true).topics, [], 'once');
});

test('a wake before the wait is not lost', async () => {
  const waker = new Waker();
  waker.wake();
  await waker.wait();
  let woken = false;
  const waiting = waker.wait().then(() => {
    woken = true;
  });
  await Promise.resolve();
  assert.equal(woken, false);
  waker.wake();
  await waiting;
});

test('a held-back write begins only after all before it, and a failure is told once', async () => {
  const told: unknown[] = [];
  const inFlight = new InFlight(error => told.push(error));
  const first = Promise.withResolvers<void>();
  const order: string[] = [];
  inFlight.add(first.promise);
  inFlight.add(
    inFlight.afterAll(async () => {
      order.push('second');
      throw new Error('broken');
    }),
  );
  assert.equal(inFlight.ordered, true);
  assert.equal(inFlight.size, 2);
  await Promise.resolve();
  assert.deepEqual(order, []);
  first.resolve();
  await inFlight.settled();
  assert.deepEqual(order, ['second']);
  assert.equal(told.length, 1);
  assert.equal(inFlight.ordered, false);
  assert.equal(inFlight.size, 0);
});
