import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTable, readUms } from '../../../src/consumer/index.ts';
import type { UmsMessage, UmsOperation, UmsValue } from '../../../src/ums/types.ts';
import { bytesOf, field, uidOf } from './model-line.ts';

const fields = [
  field('ums_id_', 'long', false),
  field('ums_ts_', 'datetime', false),
  field('ums_op_', 'string', false),
  field('ums_uid_', 'string', false),
  field('id', 'int', false),
  field('a', 'int', true),
  field('b', 'string', true),
];

function message(...rows: readonly (readonly [number, UmsOperation, ...UmsValue[]])[]): UmsMessage {
  return {
    protocol: { type: 'data_increment_data', version: '1.3' },
    schema: { namespace: 'mysql.shop.store.t.0.0.0', batchId: 0, fields, primaryKey: ['id'] },
    payload: rows.map(([id, op, ...values]) => ({
      tuple: [String(id), '2026-01-05 16:50:16.000', op, uidOf(1, BigInt(id), op), ...values],
    })),
  };
}

test('a column that an image lacks keeps the value that it has, and NULL is a value', () => {
  const table = createTable();
  table.apply(message([1, 'i', 1, 10, 'x'], [2, 'u', 1, {}, null], [3, 'u', 1, 11, {}]));
  assert.deepEqual([...table.rows()], [{ id: 1, a: 11, b: null }]);
});

test('an update of the key takes what its image lacks from the row with the old key', () => {
  const table = createTable();
  table.apply(message([1, 'i', 1, 10, 'x'], [2, 'b', 1, {}, {}], [2, 'u', 5, 12, {}]));
  assert.deepEqual([...table.rows()], [{ id: 5, a: 12, b: 'x' }]);
});

test('what was never seen stays absent', () => {
  const table = createTable();
  table.apply(message([2, 'u', 1, 11, {}]));
  assert.deepEqual([...table.rows()], [{ id: 1, a: 11, b: {} }]);
});

test('the reader takes bytes of a character set in text fields only, and no other object', () => {
  const mark = { base64: 'QaKg', charset: 'gbk' };
  assert.deepEqual(readUms(bytesOf(message([1, 'i', 1, 1, mark]))).payload[0]?.tuple[6], mark);
  assert.throws(() => readUms(bytesOf(message([1, 'i', 1, mark, 'x']))), /tuple\[5\]/);
  assert.throws(() => readUms(bytesOf(message([1, 'i', 1, 1, { base64: 'QaKg' }]))), /tuple\[6\]/);
});
