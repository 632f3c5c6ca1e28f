import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import { parseTableMap, tableMapFingerprint } from '../../../src/binlog/table-map.ts';
import type { TableMap } from '../../../src/binlog/table-map-types.ts';
import { type TableSpec, tableMapBody } from '../../support/binlog-builder.ts';
import { capturedEvents } from '../../support/captures.ts';

const T = ColumnType;

function captured(name: string, table: string): TableMap {
  const event = capturedEvents(name).find(
    each => each[4] === 19 && parseTableMap(each.subarray(19, each.length - 4)).table === table,
  );
  assert.ok(event !== undefined);
  return parseTableMap(event.subarray(19, event.length - 4));
}

/** `name type[u] meta collation labels` of each column, as short text. */
function summary(map: TableMap): string[] {
  return map.columns.map(column =>
    [
      column.name,
      `${column.type}${column.unsigned === true ? 'u' : ''}`,
      column.meta,
      column.collation ?? '-',
      column.labels?.map(label => Buffer.from(label).toString()).join('|') ?? '',
      column.geometryType === null ? '' : `geometry ${column.geometryType}`,
      column.visible ? '' : 'invisible',
    ]
      .filter(part => part !== '')
      .join(' '),
  );
}

test('a table map of MySQL 9.7 is read whole: signs, charsets, labels, vector, geometry, visibility', () => {
  const map = captured('mysql-9.7', 'types');
  assert.equal(map.schema, 'shop');
  assert.deepEqual(map.primaryKey, [0]);
  assert.equal(map.named, true);
  assert.equal(map.columns[0]?.nullable, false);
  assert.equal(map.columns[1]?.nullable, true);
  assert.deepEqual(summary(map), [
    'id 3u 0 -',
    't1 1 0 -',
    'y 13u 0 -',
    'i2 2u 0 -',
    'i3 9u 0 -',
    'y2 13u 0 -',
    'f 4u 4 -',
    'd 5 8 -',
    'n 246u 2562 -',
    'b 8u 0 -',
    'bt 16 258 -',
    'c1 15 10 8',
    'g 255 4 - geometry 1',
    'c2 252 2 255',
    'v 242 4 63',
    'e1 247 63233 8 a|b',
    'j 245 4 -',
    's1 248 63489 255 x|y',
    'bin 15 9 63',
    'bl 252 2 63',
    'ch 254 52968 255',
    'dt 18 6 -',
    'ts 17 3 -',
    'tm 19 2 -',
    'inv 3 0 - invisible',
    'arr 245 4 -',
  ]);
});

test('a table map of MariaDB 10.11 is read whole, with GEOMETRY among the charsets', () => {
  const map = captured('mariadb-10.11', 'types');
  assert.deepEqual(map.primaryKey, [0]);
  assert.deepEqual(summary(map), [
    'id 3u 0 -',
    't1 1 0 -',
    'y 13u 0 -',
    'i2 2u 0 -',
    'i3 9u 0 -',
    'y2 13u 0 -',
    'f 4u 4 -',
    'd 5 8 -',
    'n 246u 2562 -',
    'b 8u 0 -',
    'bt 16 258 -',
    'c1 15 10 8',
    'g 255 4 63 geometry 1',
    'c2 252 2 45',
    'u 254 65040 63',
    'ip 254 65040 63',
    'e1 247 63233 8 a|b',
    'j 252 4 46',
    's1 248 63489 45 x|y',
    'bin 15 9 63',
    'bl 252 2 63',
    'ch 254 52968 45',
    'cmp 140 2 8',
    'vcmp 141 101 8',
    'dt 18 6 -',
    'ts 17 3 -',
    'tm 19 2 -',
    'inv 3 0 -',
  ]);
});

test('a primary key with a prefix keeps the order of the key', () => {
  for (const name of ['mysql-9.7', 'mariadb-10.11']) {
    assert.deepEqual(captured(name, 'pfx').primaryKey, [2, 1], name);
    assert.equal(captured(name, 'y').primaryKey, null, name);
  }
});

const orders: TableSpec = {
  tableId: 0xa0_0000_0001,
  schema: 'shop',
  table: 'Größe',
  columns: [
    { name: 'id', type: T.LONGLONG, unsigned: true },
    { name: 'näme', type: T.VARCHAR, meta: 400, nullable: true, collation: 255 },
    { name: 'state', type: T.ENUM, meta: 1, labels: ['new', 'päid', ''], collation: 8 },
  ],
  primaryKey: [0],
};

test('names are UTF-8 and table ids have 48 bits', () => {
  const map = parseTableMap(tableMapBody(orders));
  assert.equal(map.tableId, 0xa0_0000_0001);
  assert.equal(map.table, 'Größe');
  assert.deepEqual(summary(map), ['id 8u 0 -', 'näme 15 400 255', 'state 247 63233 8 new|päid|']);
});

test('without metadata the columns have no names and nothing is made up', () => {
  const map = parseTableMap(tableMapBody({ ...orders, metadata: false }));
  assert.equal(map.named, false);
  assert.equal(map.primaryKey, null);
  for (const column of map.columns) {
    const { name, unsigned, collation, labels, visible } = column;
    assert.deepEqual(
      { name, unsigned, collation, labels, visible },
      {
        name: null,
        unsigned: null,
        collation: null,
        labels: null,
        visible: true,
      },
    );
  }
});

test('a metadata field of an unknown kind is skipped', () => {
  const body = Buffer.concat([tableMapBody(orders), Buffer.from([99, 3, 1, 2, 3])]);
  assert.deepEqual(parseTableMap(body), parseTableMap(tableMapBody(orders)));
});

test('a table map with more than 250 columns is read', () => {
  const columns = Array.from({ length: 1000 }, (_, i) => ({
    name: `c${i}`,
    type: T.LONG,
    unsigned: i % 3 === 0,
  }));
  const map = parseTableMap(tableMapBody({ ...orders, columns }));
  assert.equal(map.columns.length, 1000);
  assert.ok(map.columns.every((column, i) => column.unsigned === (i % 3 === 0) && column.name === `c${i}`));
});

test('a default charset applies to all columns but the exceptions', () => {
  const bare = tableMapBody({
    ...orders,
    metadata: false,
    columns: [
      { name: 'a', type: T.VARCHAR, meta: 10 },
      { name: 'g', type: T.GEOMETRY, meta: 4 },
      { name: 'b', type: T.VARCHAR, meta: 10 },
      { name: 'c', type: T.BLOB, meta: 2 },
    ],
  });
  const collations = (...metadata: number[]): (number | null)[] =>
    parseTableMap(Buffer.concat([bare, Buffer.from(metadata)])).columns.map(column => column.collation);
  // Default 8; the second character column has 63.
  const visible = [12, 1, 0xf0];
  assert.deepEqual(collations(2, 3, 8, 1, 63, ...visible), [8, null, 63, 8], 'MySQL');
  // The same bytes where GEOMETRY counts: the second one is the geometry itself.
  assert.deepEqual(collations(2, 3, 8, 1, 63), [8, 63, 8, 8], 'MariaDB');
  // GEOMETRY would not be binary, so it does not count.
  assert.deepEqual(collations(2, 3, 8, 2, 63), [8, null, 8, 63], 'MySQL before 8.0.23');
});

test('every cut and every misfit is an error with a code', () => {
  const body = tableMapBody(orders);
  const bareLength = tableMapBody({ ...orders, metadata: false }).length;
  for (let length = 0; length < body.length; length++) {
    if (length === bareLength) continue;
    try {
      parseTableMap(body.subarray(0, length));
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'UMBUS_BINLOG_TABLE_MAP', `${length}`);
    }
  }
  const bare = body.subarray(0, bareLength);
  const misfits = [
    [1, 2, 0x80, 0],
    [3, 3, 8, 8, 8],
    [2, 3, 8, 7, 63],
    [8, 1, 3],
    [6, 2, 200, 1],
    [4, 1, 0],
  ];
  for (const misfit of misfits) {
    assert.throws(
      () => parseTableMap(Buffer.concat([bare, Buffer.from(misfit)])),
      { code: 'UMBUS_BINLOG_TABLE_MAP' },
      misfit.join(' '),
    );
  }
});

test('a column type that is not known is named', () => {
  const body = tableMapBody({ ...orders, metadata: false, columns: [{ name: 'x', type: 200 }] });
  assert.throws(() => parseTableMap(body), {
    code: 'UMBUS_BINLOG_TYPE',
    message: /Column 1 of shop\.Größe.*200/,
  });
});

test('the fingerprint is that of the definition, not of the table id', () => {
  const a = tableMapBody(orders);
  const b = tableMapBody({ ...orders, tableId: 7 });
  const c = tableMapBody({ ...orders, primaryKey: [1] });
  assert.equal(tableMapFingerprint(a).length, 8);
  assert.deepEqual(tableMapFingerprint(a), tableMapFingerprint(b));
  assert.notDeepEqual(tableMapFingerprint(a), tableMapFingerprint(c));
});
