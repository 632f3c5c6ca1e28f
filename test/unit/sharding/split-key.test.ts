import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { keyColumnOf, keyLiteral, type SourceColumn } from '../../../src/sharding/key-column.ts';
import { rangeCondition } from '../../../src/sharding/key-range.ts';
import { chooseSplitKey, type SourceTable, withoutHidden } from '../../../src/sharding/split-key.ts';
import { boundarySql, fromClause, rowsSql } from '../../../src/sharding/split-plan.ts';

const column = (name: string, dataType: string, nullable = false): SourceColumn => ({
  name,
  dataType,
  nullable,
  charset: dataType.includes('char') ? 'utf8mb4' : null,
  collation: dataType.includes('char') ? 'utf8mb4_general_ci' : null,
});
const index = (name: string, unique: boolean, ...columns: readonly string[]) => ({
  name,
  unique,
  columns: columns.map(each => ({ name: each.replace('*', ''), whole: !each.endsWith('*') })),
});
const table = (
  columns: readonly SourceColumn[],
  ...indexes: readonly ReturnType<typeof index>[]
): SourceTable => ({ schema: 'shop', table: 'orders', columns, indexes });

const columns = [
  column('id', 'bigint'),
  column('region', 'varchar'),
  column('kind', 'enum'),
  column('code', 'char', true),
  column('made', 'datetime'),
];
const namesOf = (source: SourceTable, wanted?: readonly string[]) =>
  chooseSplitKey(source, wanted)?.columns.map(({ name }) => name) ?? null;

test('a table is not cut by columns whose values nobody may see', () => {
  const keyed = table(columns, index('PRIMARY', true, 'region'), index('m', true, 'made'));
  const hidden = (source: SourceTable, ...names: readonly string[]) =>
    withoutHidden(source, name => names.includes(name));
  assert.deepEqual(namesOf(hidden(keyed, 'region')), ['made']);
  assert.equal(namesOf(hidden(keyed, 'region', 'made')), null);
  assert.deepEqual(namesOf(hidden(keyed, 'kind')), ['region']);
  // An index that is not unique would be made so by the primary key.
  assert.equal(
    namesOf(hidden(table(columns, index('PRIMARY', true, 'region'), index('i', false, 'made')), 'region')),
    null,
  );
});

test('a table is cut by its primary key, else by a unique key without NULL, else not at all', () => {
  assert.deepEqual(
    namesOf(table(columns, index('u', true, 'made'), index('PRIMARY', true, 'region', 'id'))),
    ['region', 'id'],
  );
  assert.deepEqual(namesOf(table(columns, index('n', true, 'code'), index('u', true, 'made', 'id'))), [
    'made',
    'id',
  ]);
  assert.equal(namesOf(table(columns, index('i', false, 'made'))), null);
});

test('columns whose order in SQL is not that of their index are not cut by', () => {
  assert.equal(namesOf(table(columns, index('PRIMARY', true, 'kind', 'id'))), null);
  assert.deepEqual(namesOf(table(columns, index('PRIMARY', true, 'kind'), index('u', true, 'id'))), ['id']);
  assert.equal(namesOf(table(columns, index('PRIMARY', true, 'region*'))), null);
  for (const type of ['float', 'double', 'set', 'json', 'text', 'blob', 'point']) {
    assert.equal(keyColumnOf(column('c', type)), null, type);
  }
});

test('chosen columns need an index, which the primary key makes unique', () => {
  const source = table(columns, index('PRIMARY', true, 'id'), index('by_made', false, 'made', 'region'));
  assert.deepEqual(namesOf(source, ['made']), ['made', 'region', 'id']);
  assert.deepEqual(namesOf(source, ['id']), ['id']);
  for (const [wanted, why] of [
    ['nothing', /is not there/],
    ['kind', /ENUM/],
    ['code', /may be NULL/],
    ['region', /no index begins with region/],
  ] as const) {
    assert.throws(() => chooseSplitKey(source, [wanted]), why);
  }
});

test('a literal holds what the server compares, and nothing that ends it', () => {
  const literal = (dataType: string, bytes: string | Uint8Array): string => {
    const key = keyColumnOf(column('c', dataType)) ?? assert.fail(dataType);
    return keyLiteral(key, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  };
  assert.equal(literal('bigint', '-9223372036854775808'), '-9223372036854775808');
  assert.equal(literal('decimal', '10.50'), '10.50');
  assert.equal(literal('bit', Buffer.from([1, 255])), '511');
  assert.equal(literal('datetime', '0000-00-00 00:00:00.000001'), "'0000-00-00 00:00:00.000001'");
  assert.equal(literal('varchar', "a'b"), "_utf8mb4 X'612762' COLLATE utf8mb4_general_ci");
  assert.equal(literal('varchar', ''), "_utf8mb4 X'' COLLATE utf8mb4_general_ci");
  assert.equal(literal('varbinary', Buffer.from([0, 39])), "X'0027'");
  assert.throws(() => literal('bigint', '1 OR 1=1'), /UMBUS_PULL_KEY|not in the form/);
  assert.throws(() => literal('datetime', "2026'"), /not in the form/);
});

test('ranges of several columns are bounded by the first and written out by the others', () => {
  const key = chooseSplitKey(table(columns, index('PRIMARY', true, 'made', 'id'))) ?? assert.fail();
  assert.equal(rangeCondition(key, { after: null, upTo: null }), '');
  assert.equal(
    rangeCondition(key, { after: ['1', '2'], upTo: ['3', '4'] }),
    '`made` >= 1 AND (`made` > 1 OR (`id` > 2)) AND `made` <= 3 AND (`made` < 3 OR (`id` <= 4))',
  );
  const from = fromClause('sh`op', 'orders', key);
  assert.equal(from, '`sh``op`.`orders` FORCE INDEX (`PRIMARY`)');
  assert.equal(
    boundarySql(from, key, ['1', '2'], 100),
    `SELECT \`made\`, \`id\` FROM ${from} WHERE \`made\` >= 1 AND (\`made\` > 1 OR (\`id\` > 2)) ORDER BY \`made\`, \`id\` LIMIT 1 OFFSET 99`,
  );
  assert.equal(
    rowsSql('t', null, { after: null, upTo: null }, ['a'], 'b = 1 OR c', 5),
    'SELECT a FROM t WHERE (b = 1 OR c) LIMIT 5',
  );
});
