import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDriver, explore, headerText } from '../../src/testing/index.ts';
import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { int32, json, none, nullable, utf8 } from '../../src/topology/serdes.ts';
import type { Builder } from '../../src/topology/stream.ts';
import { topic } from '../../src/topology/topic.ts';

const input = topic('in', utf8, utf8);
const numbers = topic('numbers', utf8, int32, { partitions: 4 });
const out = topic('out', utf8, utf8);

const wired = (build: (t: Builder) => void) =>
  createDriver(defineTopology({ name: 'test', version: 1, config: trusted<null>(), build }), null);

test('map, flatMap, filter and key change what they say and nothing else', async () => {
  const driver = wired(t => {
    t.source('in', input)
      .flatMap('words', line => line.split(' '))
      .filter('long', word => word.length > 2)
      .map('upper', (word, record) => `${word.toUpperCase()}/${record.key}/${record.timestampMs}`)
      .key('first', word => word.slice(0, 1))
      .to('out', out);
  });
  await driver
    .in(input)
    .send('k', 'one of three', { timestampMs: 77, headers: { trace: Buffer.from('t1') } });
  await driver.settle();
  const records = driver.out(out).all();
  assert.deepEqual(
    records.map(({ key, value }) => [key, value]),
    [
      ['O', 'ONE/k/77'],
      ['T', 'THREE/k/77'],
    ],
  );
  assert.deepEqual(
    records.map(({ timestampMs, headers }) => [timestampMs, headerText(headers, 'trace')]),
    [
      [77, 't1'],
      [77, 't1'],
    ],
  );
  assert.equal(driver.snapshots()[0]?.counts.filtered, 1);
});

test('a branch takes the first predicate that holds, and siblings see the record unchanged', async () => {
  const driver = wired(t => {
    const source = t.source('in', input);
    const { a, b } = source.branch('letter', { a: v => v.startsWith('a'), b: v => v.length > 1 });
    a.map('a-up', v => v.toUpperCase()).to('a', out);
    b.key('b-key', () => 'b').to('b', out);
    source.to('all', topic('all', utf8, utf8));
  });
  await driver.in(input).sendAll(['ab', 'bb', 'c'].map(value => ({ key: 'k', value })));
  await driver.settle();
  assert.deepEqual(
    driver
      .out(out)
      .all()
      .map(({ key, value }) => [key, value]),
    [
      ['k', 'AB'],
      ['b', 'bb'],
    ],
  );
  assert.deepEqual(driver.out(topic('all', utf8, utf8)).values(), ['ab', 'bb', 'c']);
});

test('a sink routes by key, by its option, by the emit, and without a key to the partition of the input', async () => {
  const wide = (name: string) => topic(name, nullable(utf8), int32, { partitions: 4 });
  const driver = wired(t => {
    const source = t.source('numbers', numbers);
    source.to('by-key', wide('by-key'));
    source.to('by-option', wide('by-option'), { partition: (value, _key, partitions) => value % partitions });
    source
      .process<string, number, Record<never, never>>('emit', {}, () => ({
        on: (record, _, emit) => emit(record.key, record.value, { partition: 3 }),
      }))
      .to('by-emit', wide('by-emit'));
    source.key('no-key', () => null).to('by-input', wide('by-input'));
  });
  await driver.in(numbers).sendAll([5, 6].map(value => ({ key: 'foobar', value, partition: 2 })));
  await driver.settle();
  const partitions = (name: string) =>
    driver
      .out(wide(name))
      .all()
      .map(({ partition }) => partition);
  const hashed = (-790332482 & 0x7fffffff) % 4;
  assert.deepEqual(partitions('by-key'), [hashed, hashed]);
  assert.deepEqual(partitions('by-option'), [1, 2]);
  assert.deepEqual(partitions('by-emit'), [3, 3]);
  assert.deepEqual(partitions('by-input'), [2, 2]);
});

test('a sink chooses topics by value, makes those nobody declared, and projects key and value', async () => {
  const kept = (name: string) => topic(name, none, json<{ readonly n: string }>());
  const driver = wired(t => {
    t.source('in', input).to('chosen', v => kept(`to.${v}`), { key: () => null, value: v => ({ n: v }) });
  });
  await driver.in(input).sendAll(['x', 'y', 'x'].map(value => ({ key: 'k', value })));
  await driver.settle();
  assert.deepEqual(driver.out(kept('to.x')).values(), [{ n: 'x' }, { n: 'x' }]);
  assert.deepEqual(driver.out(kept('to.y')).all()[0]?.key, null);
});

test('each output has the seq of its input and an ordinal, in the lane of its task', async () => {
  const driver = wired(t => {
    t.source('in', input)
      .flatMap('twice', v => [v, v])
      .to('out', out);
  });
  await driver.in(input).send('k', 'a');
  await driver.in(input).send('k', 'b');
  await driver.settle();
  const records = driver.out(out).all();
  assert.deepEqual(
    records.map(({ seq }) => Buffer.from(seq ?? []).toString('hex')),
    [
      '000000000000000000000000',
      '000000000000000000000001',
      '000000000000000100000000',
      '000000000000000100000001',
    ],
  );
  assert.deepEqual([...new Set(records.map(({ lane }) => lane))], ['umbus.test.test:in/0']);
});

for (const order of ['partition', 'key', 'none'] as const) {
  test(`mapAsync with order '${order}' keeps its bound and its order, and writes in input order`, async () => {
    const results: string[] = [];
    let running = 0;
    let most = 0;
    const driver = wired(t => {
      t.source('in', input)
        .mapAsync(
          'slow',
          async value => {
            running += 1;
            most = Math.max(most, running);
            // Later ones are faster.
            for (let turns = 10 - Number(value.slice(1)); turns > 0; turns -= 1) await Promise.resolve();
            running -= 1;
            return value;
          },
          { inFlight: 3, order },
        )
        .map('seen', value => {
          results.push(value);
          return value;
        })
        .to('out', out);
    });
    const values = ['a0', 'a1', 'b2', 'b3', 'a4', 'c5', 'c6', 'b7'];
    await driver.in(input).sendAll(values.map(value => ({ key: value.slice(0, 1), value })));
    await driver.settle();
    assert.equal(most, 3);
    assert.deepEqual(driver.out(out).values(), values, 'written in input order');
    assert.deepEqual(results.toSorted(), values.toSorted());
    if (order === 'partition') assert.deepEqual(results, values);
    else assert.notDeepEqual(results, values, 'goes on as it comes');
    if (order !== 'none') {
      for (const key of ['a', 'b', 'c']) {
        const of = (list: string[]) => list.filter(value => value.startsWith(key));
        assert.deepEqual(of(results), of(values), `key ${key}`);
      }
    }
  });
}

test('mapAsync loses and doubles nothing whatever happens', async () => {
  const doubled = defineTopology({
    name: 'doubled',
    version: 1,
    config: trusted<null>(),
    build(t) {
      t.source('numbers', numbers)
        .flatMap('pair', n => [n, n + 100])
        .mapAsync(
          'later',
          async n => {
            for (let turns = n % 7; turns > 0; turns -= 1) await Promise.resolve();
            return n * 2;
          },
          { inFlight: 4, order: 'none' },
        )
        .to('out', topic('doubles', utf8, int32, { partitions: 4 }));
    },
  });
  await explore({
    seeds: 60,
    build: seed => createDriver(doubled, null, { seed, instances: 2, commitMode: 'outputs-first' }),
    faults: { crash: 0.05, zombie: 0.05, rebalance: 0.03, duplicate: 0.03, redeliver: 0.03 },
    run: async (driver, random) => {
      for (let n = 0; n < 20; n += 1) {
        await driver.in(numbers).send(`k${n % 5}`, n);
        if (random.chance(0.3)) await driver.settle();
      }
    },
    invariant: driver => {
      const expected = Array.from({ length: 20 }, (_, n) => [n * 2, (n + 100) * 2]).flat();
      const found = [...driver.out(topic('doubles', utf8, int32, { partitions: 4 })).values()];
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        expected.toSorted((a, b) => a - b),
      );
    },
  });
});
