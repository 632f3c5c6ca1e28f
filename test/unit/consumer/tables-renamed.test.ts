import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTable, createTables, type UmsMessage } from '../../../src/consumer/index.ts';
import { SYSTEM_FIELDS } from '../../../src/ums/message.ts';

const id = { name: 'id', type: 'int', nullable: false, encoded: false } as const;
const note = { name: 'note', type: 'string', nullable: true, encoded: false } as const;
const uidOf = (at: number): string => `1${String(at).padStart(19, '0')}`;

type Op = 'i' | 'u' | 'd';

function data(
  table: string,
  version: number,
  ...rows: readonly (readonly [at: number, Op, id: number, note: string])[]
): UmsMessage {
  return {
    protocol: { type: 'data_increment_data', version: '1.3' },
    schema: {
      namespace: `mysql.web.shop.${table}.${version}.0.0`,
      batchId: 0,
      fields: [...SYSTEM_FIELDS, id, note],
      primaryKey: ['id'],
    },
    payload: rows.map(([at, op, ...values]) => ({
      tuple: [String(at), '2026-01-01 00:00:00.000', op, `${uidOf(at)}1`, ...values],
    })),
  };
}

function end(
  table: string,
  version: number,
  at: number,
  reason: 'rename' | 'truncate' | 'reload',
  renamedTo?: string,
): UmsMessage {
  return {
    protocol: { type: 'data_increment_termination', version: '1.3' },
    schema: {
      namespace: `mysql.web.shop.${table}.${version}.0.0`,
      batchId: 0,
      fields: SYSTEM_FIELDS.slice(1, 2),
      reason,
      uid: `${uidOf(at)}0`,
      ...(renamedTo !== undefined && { renamedTo }),
    },
    payload: [{ tuple: ['2026-01-01 00:00:00.000'] }],
  };
}

/** All ways to read some partitions, each in order. */
function* interleavings<T>(parts: readonly (readonly T[])[]): Generator<readonly T[]> {
  const left = parts.filter(part => part.length > 0);
  if (left.length === 0) yield [];
  for (const part of left) {
    const rest = left.map(each => (each === part ? each.slice(1) : each));
    for (const more of interleavings(rest)) yield [...part.slice(0, 1), ...more];
  }
}

/** Tables after each way to read messages of these partitions; all must agree. */
function outcome(...partitions: readonly (readonly UmsMessage[])[]): Record<string, unknown[]> {
  const placed = partitions.map((messages, partition) => messages.map(message => ({ message, partition })));
  const outcomes = new Set<string>();
  for (const order of interleavings(placed)) {
    const tables = createTables();
    for (const { message, partition } of order) tables.apply(message, partition);
    // What comes again changes nothing.
    for (const { message, partition } of order) tables.apply(message, partition);
    const rows = [...tables.entries()]
      .map(
        ([name, table]) =>
          [name, [...table.rows()].map(row => `${row['id']} ${row['note']}`).sort()] as const,
      )
      .filter(([, each]) => each.length > 0);
    outcomes.add(JSON.stringify(Object.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)))));
  }
  assert.equal(outcomes.size, 1, [...outcomes].join('\n'));
  return JSON.parse([...outcomes][0] ?? '');
}

describe('the rows of a renamed table', () => {
  it('go on under the new name, in whichever order the partitions are read', () => {
    const old = [
      data('a', 0, [1, 'i', 1, 'one'], [2, 'i', 2, 'two'], [3, 'i', 3, 'three']),
      end('a', 0, 10, 'rename', 'shop.b'),
      data('a', 1, [20, 'i', 9, 'another table']),
    ];
    const fresh = [data('b', 0, [11, 'u', 1, 'ONE'], [12, 'd', 2, 'two'], [13, 'i', 4, 'four'])];
    assert.deepEqual(outcome(old, fresh), {
      'shop.a': ['9 another table'],
      'shop.b': ['1 ONE', '3 three', '4 four'],
    });
  });

  it('are gone when the new name is emptied, or was made anew meanwhile', () => {
    const old = [data('a', 0, [1, 'i', 1, 'one']), end('a', 0, 10, 'rename', 'shop.b')];
    assert.deepEqual(outcome(old, [end('b', 0, 20, 'truncate'), data('b', 1, [21, 'i', 5, 'five'])]), {
      'shop.b': ['5 five'],
    });
  });

  it('are not touched by what the new name was before', () => {
    const old = [data('a', 0, [1, 'i', 1, 'one']), end('a', 0, 10, 'rename', 'shop.b')];
    const before = [data('b', 0, [2, 'i', 1, 'other'], [3, 'd', 1, 'other']), end('b', 0, 5, 'truncate')];
    assert.deepEqual(outcome(old, before), { 'shop.b': ['1 one'] });
  });

  it('go on through chains, and back', () => {
    const a = [
      data('a', 0, [1, 'i', 1, 'one']),
      end('a', 0, 10, 'rename', 'shop.b'),
      data('a', 1, [31, 'd', 1, 'ONE'], [32, 'i', 2, 'two']),
    ];
    const b = [data('b', 0, [11, 'u', 1, 'ONE']), end('b', 0, 20, 'rename', 'shop.c')];
    const c = [end('c', 0, 30, 'rename', 'shop.a')];
    assert.deepEqual(outcome(a, b, c), { 'shop.a': ['2 two'] });
  });

  it('are gone where nobody has the new name', () => {
    assert.deepEqual(outcome([data('a', 0, [1, 'i', 1, 'one']), end('a', 0, 10, 'rename')]), {});
    const alone = createTable();
    alone.apply(data('a', 0, [1, 'i', 1, 'one']));
    assert.equal(alone.apply(end('a', 0, 10, 'rename', 'shop.b')).ended, 'rename');
    assert.equal(alone.size, 0);
  });
});

it('a table that must be loaded again keeps its rows until then', () => {
  const table = createTable();
  table.apply(data('a', 0, [1, 'i', 1, 'one']));
  assert.equal(table.apply(end('a', 0, 10, 'reload')).ended, 'reload');
  assert.equal(table.size, 1);
  assert.equal(table.apply(data('a', 0, [2, 'd', 1, 'one'])).repeats, 1);
});
