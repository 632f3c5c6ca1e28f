import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import { collationOf } from '../../../src/binlog/rows/collations.ts';
import type { ColumnMap, TableMap } from '../../../src/binlog/table-map-types.ts';
import { fitTableMap } from '../../../src/columns/fit-table-map.ts';
import { descriptionOf, descriptionText } from '../../../src/columns/table-columns.ts';
import { PassingStatements } from './fixture.ts';

const BARE: ColumnMap = {
  name: null,
  type: ColumnType.LONG,
  meta: 0,
  nullable: true,
  unsigned: null,
  collation: null,
  labels: null,
  geometryType: null,
  visible: true,
};

function fit(definition: string, ...columns: readonly Partial<ColumnMap>[]): TableMap {
  return fitAfter([`CREATE TABLE t (${definition})`], ...columns);
}

function fitAfter(statements: readonly string[], ...columns: readonly Partial<ColumnMap>[]): TableMap {
  const { known } = new PassingStatements(...statements);
  const described = known.table('shop', 't')?.columns ?? assert.fail(statements.join());
  const map: TableMap = {
    tableId: 7,
    schema: 'shop',
    table: 't',
    columns: columns.map(column => ({ ...BARE, ...column })),
    primaryKey: null,
    named: false,
  };
  return fitTableMap(map, described);
}

const misfits: readonly (readonly [definition: string, column: Partial<ColumnMap>, problem: RegExp])[] = [
  ['a BIGINT', {}, /column 1, a, is bigint, and the binlog has type code 3/],
  ['a VARCHAR(10)', { type: ColumnType.VARCHAR, meta: 30 }, /varchar\(10\) of character set utf8mb4/],
  ['a VARCHAR(10) CHARACTER SET latin1', { type: ColumnType.VARCHAR, meta: 40 }, /varchar\(10\)/],
  ['a DECIMAL(6,2)', { type: ColumnType.NEWDECIMAL, meta: (5 << 8) | 2 }, /decimal/],
  ['a BIT(9)', { type: ColumnType.BIT, meta: (1 << 8) | 2 }, /bit/],
  ['a DATETIME(3)', { type: ColumnType.DATETIME2, meta: 0 }, /datetime/],
  ["a SET('x','y')", { type: ColumnType.SET, meta: 2 }, /set/],
  ['a INT NOT NULL', {}, /is NOT NULL, and in the binlog it may be NULL/],
  ['a INT', { nullable: false }, /may be NULL, and in the binlog it may not/],
  ['a INT UNSIGNED', { unsigned: false }, /UNSIGNED/],
  ['a INT', { name: 'b' }, /is called b in the binlog/],
  [
    'a CHAR(5)',
    { type: ColumnType.STRING, meta: (254 << 8) | 20, collation: 8 },
    /character set utf8mb4, and in the binlog latin1/,
  ],
  [
    "a ENUM('x')",
    { type: ColumnType.ENUM, meta: (247 << 8) | 1, labels: [] },
    /has 1 labels, and in the binlog 0/,
  ],
  ['a INT, b INT', {}, /it has 2 columns, and the binlog has 1/],
];

for (const [definition, column, problem] of misfits) {
  test(`${definition} does not fit a column that is another`, () => {
    assert.throws(
      () => fit(definition, column),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error);
        assert.equal(error.code, 'UMBUS_BINLOG_COLUMNS');
        assert.match(error.message, problem);
        return true;
      },
    );
  });
}

test('a table map without names gets them, with signs, character sets, labels and key', () => {
  const map = fit(
    "id INT UNSIGNED, s CHAR(5), e ENUM('ü'), u UUID, PRIMARY KEY (id)",
    { nullable: false },
    { type: ColumnType.STRING, meta: (254 << 8) | 20 },
    { type: ColumnType.ENUM, meta: (247 << 8) | 1 },
    { type: ColumnType.STRING, meta: (254 << 8) | 16 },
  );
  assert.equal(map.named, true);
  assert.deepEqual(map.primaryKey, [0]);
  assert.deepEqual(
    map.columns.map(({ name, unsigned, collation, address }) => [name, unsigned, collation, address]),
    [
      ['id', true, null, undefined],
      ['s', null, 45, undefined],
      ['e', null, 45, undefined],
      ['u', null, 63, 'uuid'],
    ],
  );
  assert.equal(Buffer.from(map.columns[2]?.labels?.[0] ?? []).toString(), 'ü');
});

test('a YEAR is unsigned, which its definition does not say', () => {
  for (const unsigned of [true, null]) {
    const map = fit(
      'y YEAR, n YEAR(4) NOT NULL',
      { type: ColumnType.YEAR, unsigned },
      { type: ColumnType.YEAR, unsigned, nullable: false },
    );
    assert.deepEqual(
      map.columns.map(column => column.unsigned),
      [true, true],
    );
  }
});

test('the key that an event names stays where the definition has no primary key, and must be its primary key otherwise', () => {
  const passed = new PassingStatements(
    'CREATE TABLE u (a INT, b INT NOT NULL, UNIQUE KEY (b))',
    'CREATE TABLE p (a INT, b INT NOT NULL, PRIMARY KEY (b))',
  );
  const columnsOf = (table: string) => passed.known.table('shop', table)?.columns ?? assert.fail(table);
  const map = (primaryKey: readonly number[] | null): TableMap => ({
    tableId: 7,
    schema: 'shop',
    table: 't',
    columns: [BARE, { ...BARE, nullable: false }],
    primaryKey,
    named: false,
  });
  assert.deepEqual(fitTableMap(map([1]), columnsOf('u')).primaryKey, [1]);
  assert.equal(fitTableMap(map(null), columnsOf('u')).primaryKey, null);
  assert.deepEqual(fitTableMap(map(null), columnsOf('p')).primaryKey, [1]);
  assert.throws(() => fitTableMap(map([0]), columnsOf('p')), { code: 'UMBUS_BINLOG_COLUMNS' });
});

const described = descriptionText({
  columns: [
    { name: 'id', type: 'int', unsigned: true, notNull: true },
    { name: 's', type: 'varchar', sizes: [20], charset: 'gbk', nullable: true },
    { name: 'e', type: 'enum', charset: 'latin1', labels: ['a', 'é'] },
  ],
  primaryKey: ['id'],
  charset: 'utf8mb4',
});

test('a description comes back from its text', () => {
  assert.equal(descriptionText(descriptionOf(described)), described);
  const unknown = descriptionText({ unknown: { since: 'bin.000001:4', why: 'nobody knows' } });
  assert.equal(descriptionText(descriptionOf(unknown)), unknown);
});

test('a text that is no description is refused with a code', () => {
  const texts = ['', '{', 'null', '[]', '{}', '"x"', '{"unknown":null}', '{"unknown":{"since":1,"why":""}}'];
  const damaged = [
    described.replace('"id"', '7'),
    described.replace('[20]', '["x"]'),
    described.replace('["a","é"]', '"a"'),
    described.replace('"unsigned":true', '"unsigned":"yes"'),
    described.replace('"primaryKey":["id"]', '"primaryKey":[null]'),
    described.replace('"columns":[', '"columns":[null,'),
  ];
  for (const text of [...texts, ...damaged]) {
    assert.notEqual(text, described);
    assert.throws(() => descriptionOf(text), { code: 'UMBUS_BINLOG_COLUMNS' });
  }
});

test('JSON of MariaDB has the character set that its table was converted to, and JSON of MySQL has none', () => {
  const statements = ['CREATE TABLE t (j JSON)', 'ALTER TABLE t CONVERT TO CHARACTER SET latin1'];
  const collationIn = (column: Partial<ColumnMap>): number | null | undefined =>
    fitAfter(statements, column).columns[0]?.collation;
  assert.equal(collationIn({ type: ColumnType.BLOB, meta: 4 }), collationOf('latin1'));
  assert.equal(collationIn({ type: ColumnType.JSON, meta: 4 }), collationOf('utf8mb4'));
});
