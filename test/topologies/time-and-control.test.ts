import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDriver, type DriverOptions, headerText } from '../../src/testing/index.ts';
import { defineTopology, type TopologyOptions, trusted } from '../../src/topology/definition.ts';
import { int32, json, utf8 } from '../../src/topology/serdes.ts';
import type { Builder } from '../../src/topology/stream.ts';
import { topic } from '../../src/topology/topic.ts';
import type { Processor } from '../../src/topology/types.ts';

const input = topic('in', utf8, int32, { partitions: 2 });
const out = topic('out', utf8, utf8, { partitions: 2 });
const ctrl = topic('test_ctrl', utf8, utf8);

function wired(
  build: (t: Builder) => void,
  options: Partial<TopologyOptions<null>> = {},
  driver: DriverOptions = {},
) {
  return createDriver(
    defineTopology({ name: 'test', version: 1, config: trusted<null>(), ...options, build }),
    null,
    driver,
  );
}

type Buffering = (every: string) => () => Processor<string, number, string, string>;
/** Holds values back until its punctuation. */
const buffering: Buffering = every => () => {
  const held: number[] = [];
  return {
    on: ({ value }) => void held.push(value),
    every: {
      [every]: (context, emit) =>
        emit(context.task, `${held.splice(0).join('+')}@${context.now()}`, { partition: 0 }),
    },
  };
};

test('commit punctuation flushes before each commit', async () => {
  const driver = wired(t => t.source('in', input).process('hold', {}, buffering('commit')).to('out', out));
  await driver.in(input).sendAll([1, 2].map(value => ({ key: 'k', value, partition: 0 })));
  await driver.settle();
  await driver.in(input).send('k', 3, { partition: 0 });
  await driver.settle();
  assert.deepEqual(
    driver
      .out(out)
      .values()
      .map(text => text.split('@')[0]),
    ['1+2', '3'],
  );
});

test('commit.every gathers until the time has passed', async () => {
  const driver = wired(t => t.source('in', input).process('hold', {}, buffering('commit')).to('out', out), {
    commit: { every: '200ms' },
  });
  for (const value of [1, 2]) {
    await driver.in(input).send('k', value, { partition: 0 });
    await driver.advance(50);
  }
  assert.deepEqual(driver.out(out).values(), []);
  await driver.advance(150);
  assert.deepEqual(
    driver
      .out(out)
      .values()
      .map(text => text.split('@')[0]),
    ['1+2'],
  );
});

test('wall-clock punctuation fires at its times, also when no record comes', async () => {
  const driver = wired(
    t => t.source('in', input).process('hold', {}, buffering('5s')).to('out', out),
    {},
    { startMs: 1000 },
  );
  await driver.in(input).send('k', 1, { partition: 0 });
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), []);
  await driver.advance('11s');
  const values = driver.out(out).values();
  assert.deepEqual(values.toSorted(), ['1@6000', '@11000', '@11000', '@6000']);
});

test('stream-time punctuation fires after the record that passes the interval, by the records alone', async () => {
  const fired: string[] = [];
  const driver = wired(t => {
    t.source('in', input)
      .process<string, string, Record<never, never>>('windows', {}, () => ({
        on: ({ value }) => void fired.push(`r${value}`),
        every: {
          'stream:1m': (_, emit) => {
            fired.push('tick');
            emit('k', 'tick');
          },
        },
      }))
      .to('out', out);
  });
  const at = (value: number, timestampMs: number) => ({ key: 'k', value, timestampMs, partition: 0 });
  await driver.in(input).sendAll([at(1, 10_000), at(2, 59_999), at(3, 60_000), at(4, 30_000)]);
  await driver.settle();
  driver.crash(driver.instances[0] ?? assert.fail());
  await driver.in(input).sendAll([at(5, 61_000), at(6, 500_000), at(7, 540_000)]);
  await driver.settle();
  assert.deepEqual(fired, ['r1', 'r2', 'r3', 'tick', 'r4', 'r5', 'r6', 'tick', 'r7', 'tick']);
  assert.equal(driver.out(out).values().length, 3);
});

test('what punctuations emit is not taken for a repeat after a restart', async () => {
  const driver = wired(t => t.source('in', input).process('hold', {}, buffering('1s')).to('out', out));
  await driver.in(input).send('k', 1, { partition: 0 });
  await driver.advance('3s');
  driver.crash(driver.instances[0] ?? assert.fail());
  await driver.advance('3s');
  const { length } = driver.out(out).all();
  assert.ok(length >= 10, `${length} outputs of two tasks in 6 s`);
  assert.equal(driver.out(out).distinct().length, length);
});

test('every task sees each control record once, between batches, from the end of the topic on', async () => {
  const seen: string[] = [];
  const build = (t: Builder) => {
    t.control('ctrl', ctrl, (value, { task }) => void seen.push(`${task} ${value}`));
    t.source('in', input).map('text', String).to('out', out);
  };
  const driver = wired(build, {}, { instances: 2 });
  await driver.in(ctrl).send('type', 'before the start');
  await driver.settle();
  assert.deepEqual(seen, []);
  await driver.in(ctrl).send('type', 'one');
  await driver.settle();
  assert.deepEqual(seen.toSorted(), ['test-0 one', 'test-1 one']);
  for (const instance of driver.instances) driver.crash(instance);
  await driver.in(ctrl).send('type', 'two');
  await driver.settle();
  assert.deepEqual(seen.toSorted(), ['test-0 one', 'test-0 two', 'test-1 one', 'test-1 two']);
});

test('a paused input stays paused over a restart until it is resumed', async () => {
  const driver = wired(t => {
    t.control('ctrl', ctrl, (value, context) =>
      value === 'pause' ? context.pause(input) : context.resume(),
    );
    t.source('in', input).map('text', String).to('out', out);
  });
  await driver.settle();
  await driver.in(ctrl).send('type', 'pause');
  await driver.settle();
  await driver.in(input).send('k', 1);
  await driver.settle();
  driver.crash(driver.instances[0] ?? assert.fail());
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), []);
  assert.deepEqual(
    driver.snapshots()[0]?.tasks.map(({ paused }) => paused),
    [['in'], ['in']],
  );
  await driver.in(ctrl).send('type', 'resume');
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), ['1']);
});

test('a control record that cannot be applied follows the policy, once', async () => {
  const dead = topic('test_dead', utf8, utf8);
  const driver = wired(
    t => {
      t.control('ctrl', ctrl, () => {
        throw new Error('no');
      });
      t.source('in', input).map('text', String).to('out', out);
    },
    { onError: { process: 'dead-letter' }, deadLetter: () => 'test_dead' },
  );
  await driver.settle();
  await driver.in(ctrl).send('type', 'bad');
  await driver.settle();
  const parked = driver.out(dead).distinct();
  assert.deepEqual(
    parked.map(({ value, headers }) => [
      value,
      headerText(headers, 'dead.stage'),
      headerText(headers, 'dead.topic'),
    ]),
    [['bad', 'ctrl', 'test_ctrl']],
  );
});

test('a watched config swaps between batches, and one that does not decode is rejected', async () => {
  const rejected: string[] = [];
  const driver = wired(
    t => {
      const factor = t.watch('factor', '/factor', json<number>(), { initial: 1 });
      t.source('in', input)
        .map('times', value => String(value * factor.value))
        .to('out', out);
    },
    {},
    { events: { configRejected: ({ path }) => rejected.push(path) } },
  );
  const sendTwo = async () => {
    await driver.in(input).sendAll([2, 3].map(value => ({ key: 'k', value })));
    await driver.settle();
  };
  await sendTwo();
  driver.cells.set('/factor', Buffer.from('10'));
  await sendTwo();
  driver.cells.set('/factor', Buffer.from('not json'));
  await sendTwo();
  driver.cells.set('/factor', null);
  await sendTwo();
  assert.deepEqual(driver.out(out).values(), ['2', '3', '20', '30', '20', '30', '2', '3']);
  assert.deepEqual(rejected, ['/factor']);
});

test('a watched path without a value stops the start', async () => {
  const driver = wired(t => {
    t.watch('rules', '/rules', utf8);
    t.source('in', input);
  });
  await assert.rejects(driver.settle(), {
    code: 'UMBUS_CONFIG_INVALID',
    message: /\/rules.*'rules'.*no value/,
  });
});
