import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createTable, createTables, readUms } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { UmsMessage, UmsValue } from '../../../src/ums/types.ts';
import { bytesOf, type Command, field, type ModelRow, runModel, uidOf } from './model-line.ts';

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: insert() },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('update' as const), pick: fc.nat(20), text: text() }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('rekey' as const), pick: fc.nat(20), id: fc.nat(8) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'cut' as const }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        { kind: 'truncate' as const },
        { kind: 'toggle-column' as const },
        { kind: 'reorder' as const },
      ),
    },
  ),
  { maxLength: 60, size: 'max' },
);

function insert() {
  return fc.record({ kind: fc.constant('insert' as const), id: fc.nat(8), text: text() });
}

function text() {
  return fc.option(fc.constantFrom('a', 'b', 'ß', '"'), { nil: null });
}

/** Delivers all messages in order, going back to an earlier one as often as `steps` says. */
function deliveries(
  messages: readonly UmsMessage[],
  steps: readonly { at: number; back: number }[],
): UmsMessage[] {
  const order: UmsMessage[] = [];
  let jumps = [...steps];
  for (let index = 0; index < messages.length; index += 1) {
    order.push(...messages.slice(index, index + 1));
    const jump = jumps.find(({ at }) => at % messages.length === index);
    if (jump === undefined) continue;
    jumps = jumps.filter(other => other !== jump);
    index = Math.max(-1, index - 1 - jump.back);
  }
  return order;
}

const canonical = (rows: Iterable<ModelRow>): string[] =>
  [...rows].map(row => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();

for (const keyed of [true, false]) {
  for (const beforeImage of [true, false]) {
    test(`rebuilds a table ${keyed ? 'with' : 'without'} a key, ${beforeImage ? 'with' : 'without'} before images, whatever comes again`, () => {
      const steps = fc.array(fc.record({ at: fc.nat(60), back: fc.nat(60) }), { maxLength: 6, size: 'max' });
      fc.assert(
        fc.property(commands, steps, fc.nat(4), (script, jumps, maxTombstones) => {
          const { rows, messages } = runModel(script, { keyed, beforeImage });
          const table = createTable({ maxTombstones });
          const delivered = new Set<UmsMessage>();
          for (const message of deliveries(messages, jumps)) {
            const { rows: changed, unmatched, ended } = table.apply(message);
            // What comes again must not be seen to do anything, not even for a moment.
            if (delivered.has(message)) {
              assert.deepEqual({ changed, unmatched, ended }, { changed: 0, unmatched: 0, ended: null });
            }
            delivered.add(message);
          }
          assert.deepEqual(canonical(table.rows()), canonical(rows));
          assert.equal(table.size, rows.length);
          for (const row of keyed ? rows : []) assert.deepEqual(table.get(row['id'] ?? null), { ...row });
        }),
        { numRuns: 400 },
      );
    });
  }
}

test('gives the same rows when every message has been through its bytes', () => {
  fc.assert(
    fc.property(commands, script => {
      const { rows, messages } = runModel(script, { keyed: true, beforeImage: false });
      const tables = createTables();
      for (const message of messages) tables.apply(bytesOf(message));
      assert.deepEqual(canonical(tables.get('store.orders')?.rows() ?? []), canonical(rows));
    }),
    { numRuns: 100 },
  );
});

const names = [
  field('ums_id_', 'long', false),
  field('ums_ts_', 'datetime', false),
  field('ums_op_', 'string', false),
  field('ums_uid_', 'string', false),
];

function message(
  rows: readonly (readonly [epoch: number, id: number, op: 'i' | 'u' | 'd' | 'b', ...values: UmsValue[]])[],
  options: {
    columns?: UmsMessage['schema']['fields'];
    primaryKey?: string[] | null;
    version?: number;
    initial?: boolean;
  } = {},
): UmsMessage {
  const {
    columns = [field('id', 'int', false), field('text', 'string')],
    version = 0,
    initial = false,
  } = options;
  const primaryKey = options.primaryKey === undefined ? ['id'] : options.primaryKey;
  return readUms(
    bytesOf({
      protocol: { type: initial ? 'data_initial_data' : 'data_increment_data', version: '1.3' },
      schema: {
        namespace: `mysql.shop.store.orders.${version}.0.0`,
        fields: [...names, ...columns],
        ...(primaryKey === null ? {} : { primaryKey }),
      },
      payload: rows.map(([epoch, id, op, ...values]) => ({
        tuple: [String(id), '2026-01-01 00:00:00', op, uidOf(epoch, BigInt(id), op), ...values],
      })),
    }),
  );
}

test('takes the newer epoch for newer though its ids begin anew', () => {
  const table = createTable();
  table.apply(message([[1, 900, 'i', 1, 'old server']]));
  table.apply(message([[2, 10, 'u', 1, 'new server']]));
  assert.deepEqual(table.get(1), { id: 1, text: 'new server' });
});

test('keeps the newest row when messages come out of order', () => {
  const table = createTable();
  table.apply(message([[1, 30, 'd', 1, 'c']]));
  table.apply(message([[1, 20, 'u', 1, 'b']]));
  const applied = table.apply(message([[1, 10, 'i', 1, 'a']]));
  assert.equal(table.size, 0);
  assert.deepEqual(applied, { rows: 0, repeats: 1, unmatched: 0, ended: null });
});

test('swaps keys row by row as the binlog has them', () => {
  const table = createTable();
  table.apply(
    message([
      [1, 10, 'i', 1, 'a'],
      [1, 11, 'i', 2, 'b'],
    ]),
  );
  const shift = message([
    [1, 20, 'b', 2, 'b'],
    [1, 20, 'u', 3, 'b'],
    [1, 21, 'b', 1, 'a'],
    [1, 21, 'u', 2, 'a'],
  ]);
  table.apply(shift);
  table.apply(shift);
  assert.deepEqual(
    canonical(table.rows()),
    canonical([
      { id: 2, text: 'a' },
      { id: 3, text: 'b' },
    ]),
  );
});

test('lets a pulled row lose against any change that came with the stream', () => {
  const table = createTable();
  table.apply(
    message([
      [1, 50, 'u', 1, 'changed'],
      [1, 60, 'd', 2, 'gone'],
    ]),
  );
  table.apply(
    message(
      [
        [1, 40, 'i', 1, 'pulled'],
        [1, 40, 'i', 2, 'pulled'],
        [1, 40, 'i', 3, 'pulled'],
      ],
      { initial: true },
    ),
  );
  assert.deepEqual(
    canonical(table.rows()),
    canonical([
      { id: 1, text: 'changed' },
      { id: 3, text: 'pulled' },
    ]),
  );
});

test('ignores rows of a version that has ended, pulled ones too', () => {
  const table = createTable();
  table.apply(message([[1, 10, 'i', 1, 'old']]));
  table.apply(message([[1, 20, 'i', 2, 'new']], { version: 1 }));
  const late = message([[1, 15, 'i', 3, 'late']], { initial: true });
  assert.deepEqual(table.apply(late), { rows: 0, repeats: 1, unmatched: 0, ended: null });
  assert.equal(table.size, 2);
  assert.equal(table.namespace?.version, 1);
});

test('takes a key that the caller names', () => {
  const table = createTable({ key: ['text'] });
  table.apply(
    message(
      [
        [1, 10, 'i', 1, 'a'],
        [1, 20, 'u', 2, 'a'],
      ],
      { primaryKey: null },
    ),
  );
  assert.deepEqual([...table.rows()], [{ id: 2, text: 'a' }]);
});

test('turns a bag into a keyed table when the table gets a primary key', () => {
  const table = createTable();
  const before = message(
    [
      [1, 10, 'i', 1, 'a'],
      [1, 11, 'i', 2, 'b'],
    ],
    { primaryKey: null },
  );
  table.apply(before);
  table.apply(message([[1, 20, 'u', 1, 'c']]));
  assert.deepEqual(table.apply(before), { rows: 0, repeats: 2, unmatched: 0, ended: null });
  assert.deepEqual(table.key, ['id']);
  assert.deepEqual(
    canonical(table.rows()),
    canonical([
      { id: 1, text: 'c' },
      { id: 2, text: 'b' },
    ]),
  );
});

test('finds a row again after its key column has widened from int to long', () => {
  const table = createTable();
  table.apply(
    message([
      [1, 10, 'i', 1, 'a'],
      [1, 11, 'i', 2, 'b'],
    ]),
  );
  const wide = { columns: [field('id', 'long', false), field('text', 'string')], version: 1 };
  table.apply(message([[1, 20, 'd', '2', 'b']], wide));
  assert.deepEqual([...table.rows()], [{ id: '1', text: 'a' }]);
  assert.deepEqual(table.get('1'), { id: '1', text: 'a' });
});

test('reports removals of rows it never had', () => {
  const table = createTable();
  assert.deepEqual(table.apply(message([[1, 10, 'd', 1, 'a']])), {
    rows: 0,
    repeats: 0,
    unmatched: 1,
    ended: null,
  });
});

test('keeps a column called __proto__ like any other', () => {
  const table = createTable();
  const columns = [field('id', 'int', false), field('__proto__', 'string')];
  table.apply(message([[1, 10, 'i', 1, 'x']], { columns }));
  assert.deepEqual(Object.entries(table.get(1) ?? {}), [
    ['id', 1],
    ['__proto__', 'x'],
  ]);
});

test('refuses the message of another table', () => {
  const table = createTable();
  table.apply(message([[1, 10, 'i', 1, 'a']]));
  const other = message([[1, 10, 'i', 1, 'a']]);
  const namespace = 'mysql.shop.store.items.0.0.0';
  assert.throws(
    () => table.apply({ ...other, schema: { ...other.schema, namespace } }),
    error => isUmbusError(error, 'UMBUS_UMS_INVALID'),
  );
});

test('without a key the rows of a pull are the table once it has ended with all of them, and never before', () => {
  const table = createTable();
  const keyless = { primaryKey: null };
  const pulled = { ...keyless, initial: true };
  const numbered = (each: UmsMessage, batchId: number): UmsMessage => ({
    ...each,
    schema: { ...each.schema, batchId },
  });
  const notice = (batchId: number, state: 'begin' | 'end' | 'abort', rows?: number): UmsMessage => {
    const each = numbered(message([], pulled), batchId);
    const { primaryKey: _, ...schema } = each.schema;
    const batch = { state, pull: 'p', whole: true, ...(rows !== undefined && { rows }) };
    return { ...each, schema: { ...schema, batch } };
  };
  const shown = (): unknown[] => [...table.rows()].map(({ id }) => id).sort();
  table.apply(message([[1, 10, 'i', 1, 'a']], keyless));
  const page = numbered(
    message(
      [
        [2, 20, 'i', 2, 'a'],
        [2, 20, 'i', 2, 'a'],
      ],
      pulled,
    ),
    1,
  );
  // A reader that begins in the middle of a pull does not know the rest.
  table.apply(page);
  table.apply(notice(1, 'end', 2));
  assert.deepEqual(shown(), [1]);
  table.apply(notice(2, 'begin'));
  table.apply(numbered(page, 2));
  assert.deepEqual(shown(), [1]);
  // A stretch that came twice.
  table.apply(numbered(page, 2));
  table.apply(notice(2, 'end', 2));
  assert.deepEqual(shown(), [1]);
  table.apply(notice(3, 'begin'));
  table.apply(numbered(page, 3));
  table.apply(notice(3, 'abort', 2));
  table.apply(notice(4, 'begin'));
  table.apply(numbered(page, 4));
  assert.equal(table.apply(notice(4, 'end', 2)).rows, 2);
  assert.deepEqual(shown(), [2, 2]);
  table.apply(message([[3, 30, 'd', 2, 'a']], keyless));
  assert.deepEqual(shown(), [2]);
  // Read again, from the begin of the pull on.
  table.apply(notice(4, 'begin'));
  table.apply(numbered(page, 4));
  table.apply(notice(4, 'end', 2));
  table.apply(message([[3, 30, 'd', 2, 'a']], keyless));
  assert.deepEqual(shown(), [2]);
});
