import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseColumns, presentBits } from '../../../src/sharding/chosen-columns.ts';

const table = {
  schema: 'shop',
  table: 'orders',
  indexes: [],
  columns: ['id', 'Note', 'made'].map(name => ({
    name,
    dataType: 'int',
    nullable: false,
    charset: null,
    collation: null,
  })),
};

test('columns are chosen by names in any case, with those that are needed, and all of them are no choice', () => {
  assert.deepEqual([...(chooseColumns(table, ['NOTE'], ['id']) ?? [])], [1, 0]);
  assert.equal(chooseColumns(table, ['note', 'made'], ['id']), null);
  assert.throws(() => chooseColumns(table, ['id', 'notes'], ['id']), {
    code: 'UMBUS_PULL_COLUMN',
    message: 'The table shop.orders has no column notes to pull.',
    details: { table: 'shop.orders', column: 'notes' },
  });
});

test('the bitmap of chosen columns is that of a row event', () => {
  assert.deepEqual([...presentBits(9, new Set([0, 2, 8]))], [0b101, 1]);
  assert.deepEqual([...presentBits(8, new Set([7]))], [0b1000_0000]);
});
