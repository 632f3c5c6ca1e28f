import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createTable, partitionOfKey, readUms } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { UmsMessage } from '../../../src/ums/types.ts';
import { bytesOf, type Command, type ModelRow, runModel } from './model-line.ts';
import { type Placing, placed, placeOf } from './placed-line.ts';

const id = fc.nat(8);
const pick = fc.nat(20);
const text = fc.option(fc.constantFrom('a', 'b', 'ß', '"'), { nil: null });
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('insert' as const), id, text }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('update' as const), pick, text }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rekey' as const), pick, id }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'cut' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'toggle-column' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reorder' as const }) },
  ),
  { maxLength: 60, size: 'max' },
);

interface Reading {
  /** Which partition comes next, among those that have more. */
  readonly order: readonly number[];
  /** After how many messages a partition goes back, and how far. */
  readonly jumps: readonly { readonly at: number; readonly back: number }[];
}

const readings: fc.Arbitrary<Reading> = fc.record({
  order: fc.oneof(fc.constant([0]), fc.array(fc.nat(7), { minLength: 1, maxLength: 40 })),
  jumps: fc.array(fc.record({ at: fc.nat(60), back: fc.nat(10) }), { maxLength: 4 }),
});

/** Messages with their partitions, in the order in which a reader takes them. */
function* deliveries(
  topic: readonly (readonly UmsMessage[])[],
  { order, jumps }: Reading,
): Generator<readonly [message: UmsMessage, partition: number]> {
  const places = topic.map(() => 0);
  const left = [...jumps];
  for (let step = 0; ; step++) {
    const open = [...topic.keys()].filter(each => (places[each] ?? 0) < (topic[each]?.length ?? 0));
    const partition = open[(order[step % order.length] ?? 0) % open.length];
    if (partition === undefined) return;
    const place = places[partition] ?? 0;
    const message = topic[partition]?.[place];
    if (message === undefined) return;
    yield [message, partition];
    const jump = left.findIndex(({ at }) => at === step);
    places[partition] = jump < 0 ? place + 1 : Math.max(0, place - (left[jump]?.back ?? 0));
    if (jump >= 0) left.splice(jump, 1);
  }
}

const canonical = (rows: Iterable<ModelRow>): string[] =>
  [...rows].map(row => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();

interface Case {
  readonly title: string;
  readonly keyed: boolean;
  readonly beforeImage: boolean;
  readonly placingOf: (version: number) => Placing;
  /** At most; unlimited when the placing changes. */
  readonly tombstones?: number;
}

const byId: Placing = ['id'];
const byText: Placing = ['text'];
const cases: readonly Case[] = [
  { title: 'by its key', keyed: true, beforeImage: false, placingOf: () => byId, tombstones: 4 },
  {
    title: 'by its key, with before images',
    keyed: true,
    beforeImage: true,
    placingOf: () => byId,
    tombstones: 4,
  },
  {
    title: 'by a column that updates change',
    keyed: true,
    beforeImage: true,
    placingOf: () => byText,
    tombstones: 4,
  },
  { title: 'by two columns', keyed: true, beforeImage: true, placingOf: () => ['text', 'id'], tombstones: 4 },
  { title: 'by a column, without a key', keyed: false, beforeImage: true, placingOf: () => byText },
  {
    title: 'by other columns in each version',
    keyed: true,
    beforeImage: true,
    placingOf: version => (version % 2 === 0 ? byId : byText),
  },
  {
    title: 'by its key in some versions only',
    keyed: true,
    beforeImage: true,
    placingOf: version => (version % 2 === 0 ? null : byId),
  },
];

for (const { title, keyed, beforeImage, placingOf, tombstones } of cases) {
  test(`rebuilds a table that is placed ${title}, however its partitions are read`, () => {
    fc.assert(
      fc.property(
        commands,
        readings,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(4),
        (script, reading, partitions, few) => {
          const { rows, messages } = runModel(script, { keyed, beforeImage });
          const topic = placed(messages, partitions, placingOf);
          const table = createTable(tombstones === undefined ? {} : { maxTombstones: few });
          for (const [message, partition] of deliveries(topic, reading))
            table.apply(bytesOf(message), partition);
          assert.deepEqual(canonical(table.rows()), canonical(rows));
          assert.equal(table.size, rows.length);
          for (const row of keyed ? rows : []) assert.deepEqual(table.get(row['id'] ?? null), { ...row });
          for (let gone = 0; keyed && gone < 9; gone++) {
            if (!rows.some(row => row['id'] === gone)) assert.equal(table.get(gone), undefined);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
}

/** By version, terminations last, and by `ums_uid_`. */
function inSourceOrder(a: UmsMessage, b: UmsMessage): number {
  const places = [a, b].map(({ protocol, schema, payload }) => ({
    version: Number(schema.namespace.split('.')[4]),
    end: protocol.type === 'data_increment_termination' ? 1 : 0,
    uid: protocol.type === 'data_increment_termination' ? 0n : BigInt(String(payload[0]?.tuple[3])),
  }));
  const [x, y] = places;
  if (x === undefined || y === undefined) return 0;
  return x.version - y.version || x.end - y.end || (x.uid < y.uid ? -1 : x.uid > y.uid ? 1 : 0);
}

test('rebuilds a table without a key whose placing column changes, when no partition is read ahead', () => {
  fc.assert(
    fc.property(commands, fc.integer({ min: 2, max: 4 }), (script, partitions) => {
      const { rows, messages } = runModel(script, { keyed: false, beforeImage: true });
      const topic = placed(messages, partitions, version => (version % 2 === 0 ? byText : byId));
      const table = createTable();
      const all = topic.flatMap((side, partition) => side.map(message => ({ message, partition })));
      for (const { message, partition } of all.toSorted((a, b) => inSourceOrder(a.message, b.message))) {
        table.apply(message, partition);
      }
      assert.deepEqual(canonical(table.rows()), canonical(rows));
    }),
    { numRuns: 200 },
  );
});

test('hides the rows of all partitions once one of them knows that the table was emptied', () => {
  const { messages } = runModel(
    [
      ...[1, 2, 3, 4, 5, 6].map(each => ({ kind: 'insert' as const, id: each, text: 'old' })),
      { kind: 'truncate' },
      { kind: 'insert', id: 7, text: 'new' },
      { kind: 'cut' },
    ],
    { keyed: true, beforeImage: false },
  );
  const topic = placed(messages, 3, () => byId);
  const table = createTable();
  for (const [partition, all] of topic.entries())
    for (const message of all.slice(0, 1)) table.apply(message, partition);
  assert.equal(table.size, 6);
  const home = placeOf([7], 3);
  for (const message of topic[home] ?? []) table.apply(message, home);
  assert.deepEqual([...table.rows()], [{ id: 7, text: 'new' }]);
  assert.equal(table.get(1), undefined);
  assert.equal(table.namespace?.version, 1);
});

test('gives the columns of the next version before a partition has a row of it', () => {
  const { messages } = runModel(
    [
      { kind: 'insert', id: 1, text: 'a' },
      { kind: 'toggle-column' },
      { kind: 'insert', id: 2, text: 'b' },
      { kind: 'cut' },
    ],
    { keyed: true, beforeImage: false },
  );
  const topic = placed(messages, 8, () => byId);
  const table = createTable();
  const home = placeOf([1], 8);
  assert.notEqual(home, placeOf([2], 8));
  for (const message of topic[home] ?? []) table.apply(readUms(bytesOf(message)), home);
  assert.deepEqual([...table.rows()], [{ id: 1, text: 'a', extra: null }]);
});

test('refuses a next version whose columns are no columns, or whose key they lack', () => {
  const { messages } = runModel(
    [{ kind: 'insert', id: 1, text: 'a' }, { kind: 'toggle-column' }, { kind: 'insert', id: 2, text: 'b' }],
    { keyed: true, beforeImage: false },
  );
  const end = placed(messages, 1, () => byId)[0]?.find(({ schema }) => schema.next !== undefined);
  const next = end?.schema.next;
  assert.ok(end !== undefined && next !== undefined);
  const withNext = (wrong: unknown): Uint8Array =>
    Buffer.from(JSON.stringify({ ...end, schema: { ...end.schema, next: wrong } }));
  for (const wrong of [
    1,
    {},
    { fields: [{ name: 'id' }] },
    { ...next, primaryKey: ['other'] },
    { ...next, fields: [...next.fields, ...next.fields] },
  ]) {
    assert.throws(
      () => readUms(withNext(wrong)),
      error => isUmbusError(error, 'UMBUS_UMS_INVALID'),
    );
  }
});

test('says where a row with given key values is placed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer(), fc.string({ unit: 'binary' }), fc.constant(null)), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.integer({ min: 1, max: 64 }),
      (values, partitions) => {
        assert.equal(partitionOfKey(values, partitions), placeOf(values, partitions));
      },
    ),
  );
  // The table of ums-schema/README.md, "Rows placed by key".
  assert.deepEqual(
    [[1], ['1'], ['eu', 17], ['größe'], [null]].map(values => [
      partitionOfKey(values, 4),
      partitionOfKey(values, 12),
    ]),
    [
      [3, 3],
      [3, 3],
      [1, 5],
      [0, 8],
      [0, 8],
    ],
  );
  // Hashes that Kafka's own tests of murmur2 state.
  assert.equal(partitionOfKey(['foobar'], 1000), (-790332482 & 0x7fffffff) % 1000);
});
