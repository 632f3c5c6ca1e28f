import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diffSchemas } from '../../../src/change/schema-diff.ts';
import type { SchemaColumn, TableSchema } from '../../../src/ums/table-schema.ts';

const column = (name: string, type: string, more: Partial<SchemaColumn> = {}): SchemaColumn => ({
  name,
  type,
  umsType: 'string',
  nullable: true,
  ...more,
});
const schema = (...columns: readonly SchemaColumn[]): TableSchema => ({ columns, primaryKey: [] });

/** Kind, what it says of types, and verdict, of the changes of one column's type. */
function typeChange(before: string, after: string, more: Partial<SchemaColumn> = {}): string {
  const { changes } = diffSchemas(schema(column('c', before, more)), schema(column('c', after, more)));
  return changes
    .map(change => (change.kind === 'type' ? `${change.change} ${change.verdict}` : change.kind))
    .join();
}

describe('the diff of two schemas', () => {
  it('knows which types hold the values of which', () => {
    const cases: readonly (readonly [before: string, after: string, expected: string])[] = [
      ['tinyint', 'int', 'widened widening'],
      ['int', 'tinyint', 'narrowed breaking'],
      ['int', 'int unsigned', 'changed breaking'],
      ['smallint unsigned', 'int', 'widened widening'],
      ['decimal(10,2)', 'decimal(12,4)', 'widened widening'],
      ['decimal(10,2)', 'decimal(10,4)', 'changed breaking'],
      ['decimal(10,2) unsigned', 'decimal(10,2)', 'widened widening'],
      ['float', 'double', 'widened widening'],
      ['varchar(20)', 'varchar(10)', 'narrowed breaking'],
      ['varchar(20)', 'char(20)', 'respelled compatible'],
      ['varchar(20)', 'tinytext', 'widened widening'],
      ['varchar(300)', 'tinytext', 'narrowed breaking'],
      ['text', 'varchar(100)', 'narrowed breaking'],
      ['text', 'text compressed', 'respelled compatible'],
      ['varchar(20)', 'varbinary(20)', 'changed breaking'],
      ['binary(4)', 'binary(8)', 'changed breaking'],
      ['binary(4)', 'varbinary(8)', 'widened widening'],
      ["enum('a','b')", "enum('a','b','c')", 'widened widening'],
      ["enum('a','b')", "enum('b','a')", 'respelled compatible'],
      ["enum('a','b')", "enum('a')", 'narrowed breaking'],
      ["enum('a','bb')", 'varchar(2)', 'widened widening'],
      ["enum('a','bbb')", 'varchar(2)', 'changed breaking'],
      ["set('a','b')", "set('a','x','b')", 'widened widening'],
      ["set('a','b')", "set('b','a')", 'changed breaking'],
      ['datetime', 'datetime(3)', 'widened widening'],
      ['datetime(6)', 'datetime', 'narrowed breaking'],
      ['datetime', 'timestamp', 'changed breaking'],
      ['point', 'geometry', 'widened widening'],
      ['bit(8)', 'bit(9)', 'widened widening'],
      ['date', 'json', 'changed breaking'],
    ];
    assert.deepEqual(
      cases.map(([before, after]) => [before, after, typeChange(before, after)]),
      cases,
    );
  });

  it('counts what a text can hold in characters', () => {
    assert.equal(typeChange('varchar(20)', 'varchar(21)', { charset: 'utf8mb4' }), 'widened widening');
    const latin = schema(column('c', 'varchar(20)', { charset: 'latin1' }));
    const unicode = schema(column('c', 'varchar(20)', { charset: 'utf8mb4' }));
    assert.deepEqual(diffSchemas(latin, unicode).changes, [
      { kind: 'charset', verdict: 'compatible', name: 'c', before: 'latin1', after: 'utf8mb4' },
    ]);
    assert.equal(diffSchemas(unicode, latin).verdict, 'breaking');
  });

  it('takes another UMS type for breaking, however well its values fit', () => {
    const before = schema(column('c', 'int', { umsType: 'int' }));
    const after = schema(column('c', 'bigint', { umsType: 'long' }));
    const [change] = diffSchemas(before, after).changes;
    assert.equal(change?.kind === 'type' && change.change, 'widened');
    assert.equal(change?.verdict, 'breaking');
  });

  it('guesses a rename where one column went and one like it came in its place, and says that it is a guess', () => {
    const [a, b] = [column('a', 'int'), column('b', 'date')];
    const guess = diffSchemas(schema(a, b), schema(a, { ...b, name: 'c' }));
    assert.deepEqual(guess.changes, [
      { kind: 'renamed', verdict: 'breaking', name: 'c', from: 'b', sure: false },
    ]);
    for (const after of [
      schema(a, column('c', 'datetime')),
      schema({ ...b, name: 'c' }, a),
      schema(a, { ...b, name: 'c' }, column('d', 'date')),
    ]) {
      assert.ok(!diffSchemas(schema(a, b), after).changes.some(({ kind }) => kind === 'renamed'));
    }
  });

  it('does not believe a statement that speaks of columns that are not there', () => {
    const before = schema(column('a', 'int'), column('b', 'date'));
    const after = schema(column('a', 'int'), column('b', 'date'));
    assert.deepEqual(diffSchemas(before, after, [{ from: 'x', to: 'b' }]).changes, []);
  });

  it('follows the names of key columns', () => {
    const before = { columns: [column('a', 'int')], primaryKey: ['a'] };
    const after = { columns: [column('b', 'int')], primaryKey: ['b'] };
    assert.deepEqual(
      diffSchemas(before, after, [{ from: 'a', to: 'b' }]).changes.map(({ kind }) => kind),
      ['renamed'],
    );
    assert.deepEqual(diffSchemas(before, { ...before, primaryKey: [] }).changes, [
      { kind: 'key', verdict: 'breaking', before: ['a'], after: [] },
    ]);
  });
});
