import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTable, createTables, type UmsMessage } from '../../../src/consumer/index.ts';
import { SYSTEM_FIELDS } from '../../../src/ums/message.ts';

const id = { name: 'id', type: 'int', nullable: false, encoded: false } as const;
const note = { name: 'note', type: 'string', nullable: true, encoded: false } as const;
const TIME = '2026-01-01 00:00:00.000';
const uidOf = (at: number): string => `1${String(at).padStart(19, '0')}`;

function data(part: string, version: number, at: number, key: number, text: string, op = 'i'): UmsMessage {
  return {
    protocol: { type: 'data_increment_data', version: '1.3' },
    schema: {
      namespace: `mysql.web.shop.orders.${version}.0.${part}`,
      batchId: 0,
      fields: [...SYSTEM_FIELDS, id, note],
      primaryKey: ['id'],
    },
    payload: [{ tuple: [String(at), TIME, op, `${uidOf(at)}1`, key, text] }],
  };
}

function end(
  part: string,
  version: number,
  at: number,
  more: Pick<UmsMessage['schema'], 'reason' | 'renamedTo' | 'renamedPart'>,
): UmsMessage {
  return {
    protocol: { type: 'data_increment_termination', version: '1.3' },
    schema: {
      namespace: `mysql.web.shop.orders.${version}.0.${part}`,
      batchId: 0,
      fields: SYSTEM_FIELDS.slice(1, 2),
      uid: `${uidOf(at)}0`,
      ...more,
    },
    payload: [{ tuple: [TIME] }],
  };
}

const heartbeat: UmsMessage = {
  protocol: { type: 'data_increment_heartbeat', version: '1.3' },
  schema: { namespace: 'mysql.web.shop.orders.9.0.*', batchId: 0, fields: SYSTEM_FIELDS.slice(0, 2) },
  payload: [{ tuple: ['1', TIME] }],
};

const notes = (rows: Iterable<Readonly<Record<string, unknown>>>): unknown[] =>
  Array.from(rows, row => row['note']).sort();

describe('the tables of a logical one', () => {
  it('are one table to readers, in which equal keys of two tables are two rows', () => {
    const tables = createTables();
    tables.apply(data('a', 0, 1, 7, 'in a'));
    tables.apply(data('b', 0, 2, 7, 'in b'));
    tables.apply(data('b', 0, 3, 8, 'more'));
    tables.apply(data('a', 0, 4, 8, 'none', 'd'));
    const orders = tables.get('shop.orders');
    assert.deepEqual(notes(orders?.rows() ?? []), ['in a', 'in b', 'more']);
    assert.equal(orders?.size, 3);
    assert.deepEqual(notes(tables.get('shop.orders', 'a')?.rows() ?? []), ['in a']);
    assert.equal(tables.get('shop.orders', 'c'), undefined);
    assert.equal(orders?.get(8)?.['note'], 'more');
    assert.deepEqual(orders?.key, ['id']);
    assert.deepEqual(
      [...tables.entries()].map(([name]) => name),
      ['shop.orders'],
    );
  });

  it('have versions of their own: the end of one is none of the others', () => {
    const table = createTable();
    for (const part of ['a', 'b']) table.apply(data(part, 0, 1, 1, `first in ${part}`));
    assert.equal(table.apply(end('a', 0, 2, { reason: 'truncate' })).ended, 'truncate');
    assert.equal(table.apply(data('a', 0, 1, 1, 'late')).repeats, 1);
    assert.equal(table.apply(data('b', 0, 3, 2, 'second in b')).rows, 1);
    assert.equal(table.apply(data('a', 1, 4, 3, 'second in a')).rows, 1);
    assert.deepEqual(notes(table.rows()), ['first in b', 'second in a', 'second in b']);
    table.apply(end('b', 0, 5, { reason: 'drop' }));
    assert.deepEqual(notes(table.rows()), ['second in a']);
  });

  it('have heartbeats together, which end no version', () => {
    const table = createTable();
    assert.equal(table.apply(heartbeat).rows, 0);
    assert.equal(table.apply(data('a', 0, 1, 1, 'row')).rows, 1);
    table.apply(heartbeat);
    assert.equal(table.apply(data('a', 0, 2, 2, 'row')).rows, 1);
    assert.equal(table.namespace?.version, 0);
  });

  for (const make of [createTable, () => createTables()]) {
    it(`hand their rows to each other when one is renamed to another (${make.name || 'createTables'})`, () => {
      const table = make();
      table.apply(data('a', 0, 1, 1, 'moved'));
      table.apply(data('a', 0, 2, 2, 'changed before'));
      table.apply(data('b', 0, 3, 1, 'stays'));
      table.apply(end('a', 0, 4, { reason: 'rename', renamedTo: 'shop.orders', renamedPart: 'c' }));
      table.apply(data('c', 0, 5, 2, 'changed', 'u'));
      const orders = 'rows' in table ? table : table.get('shop.orders');
      assert.deepEqual(notes(orders?.rows() ?? []), ['changed', 'moved', 'stays']);
    });
  }

  it('are refused when they are of another table', () => {
    const table = createTable();
    table.apply(data('a', 0, 1, 1, 'row'));
    const other = data('a', 0, 2, 2, 'row');
    const namespace = 'mysql.web.crm.orders.0.0.a';
    assert.throws(() => table.apply({ ...other, schema: { ...other.schema, namespace } }), {
      code: 'UMBUS_UMS_INVALID',
    });
    assert.equal(table.size, 1);
  });
});
