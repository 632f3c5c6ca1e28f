import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import { parseTableMap, tableMapFingerprint } from '../../../src/binlog/table-map.ts';
import { BinlogBuilder, tableMapBody, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';
import { hidden, orders, row } from './extract-fixture.ts';

test('a transaction lands as GTID and row events, and nothing else', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  const driver = new ExtractDriver().open().bytes(builder.packets()).commit();
  assert.equal(driver.runs.length, 1);
  const [run] = driver.runs;
  assert.ok(run !== undefined);
  const [, , gtid, , , rows] = builder.events;
  assert.deepEqual(
    eventsOf(run).map(each => [each.table, Buffer.from(each.event)]),
    [
      ['-', gtid],
      ['shop.orders', rows],
    ],
  );
  const map = tableMapBody(orders);
  assert.deepEqual(run.tables, [
    { schema: 'shop', table: 'orders', fingerprint: tableMapFingerprint(map), map, columns: '' },
  ]);
  assert.equal(parseTableMap(run.tables[0]?.map ?? map).table, 'orders');
  const { tables: _tables, spans: _spans, events: _events, ...facts } = run;
  assert.deepEqual(facts, {
    kind: 'mysql-binlog',
    server: 'server-1',
    epoch: 1,
    file: 'bin.000001',
    position: 4 + (builder.events[1]?.length ?? 0),
    next: builder.position,
    resume: { file: 'bin.000001', position: builder.position, gtid: '' },
    checksum: true,
    captured: 1_700_000_000_000_000,
    filtered: 0,
  });
});

test('inserted rows of signal tables land whatever is subscribed, and nothing else of them', () => {
  const builder = new BinlogBuilder().begin();
  const signals = { ...hidden, tableId: 300, schema: 'dbus', table: 'signals' };
  transaction(builder, signals, row(1));
  transaction(builder, signals, row(1), 'delete');
  transaction(builder, hidden, row(1));
  builder.gtid();
  builder.query('DROP TABLE signals', 'dbus');
  const driver = new ExtractDriver({ signal: (schema, name) => schema === 'dbus' && name === 'signals' });
  const [run, ...more] = driver.open().bytes(builder.packets()).commit().runs;
  assert.ok(run !== undefined && more.length === 0);
  assert.deepEqual(
    eventsOf(run).map(({ table }) => table),
    ['-', 'dbus.signals'],
  );
  assert.equal(run.filtered, 2);
});

test('a repeated table map is in the dictionary once, a changed one again', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  transaction(builder, orders, row(2));
  transaction(builder, { ...orders, tableId: 101 }, row(3));
  const wider = {
    ...orders,
    tableId: 102,
    columns: [...orders.columns, { name: 'n', type: ColumnType.TINY }],
  };
  transaction(builder, wider, Buffer.from([0, 1, 0, 0, 0, 1]));
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.equal(run?.tables.length, 2);
  assert.deepEqual(
    run?.spans.filter((_, i) => i % 2 === 0),
    [-1, 0, -1, 0, -1, 0, -1, 1],
  );
});

test('a file with more tables than are remembered loses none', () => {
  const builder = new BinlogBuilder().begin();
  const count = 10_100;
  for (let i = 0; i < count; i++) {
    transaction(builder, { ...orders, tableId: i + 1, table: `t${i % 7}` }, row(i & 255));
  }
  const { runs } = new ExtractDriver().open().bytes(builder.packets(), 65_536).commit();
  const tables = runs.flatMap(run => eventsOf(run)).map(each => each.table);
  assert.deepEqual(
    tables.filter(table => table !== '-'),
    Array.from({ length: count }, (_, i) => `shop.t${i % 7}`),
  );
});

test('rows of one table that follow each other share a span', () => {
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('BEGIN');
  for (let i = 0; i < 3; i++) {
    builder.tableMap(orders);
    builder.rows('insert', 100, 1, row(i));
  }
  builder.xid();
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  const rows = builder.events[5]?.length ?? 0;
  assert.deepEqual(run?.spans, [-1, builder.events[2]?.length, 0, 3 * rows]);
});

test('rows of tables that are not subscribed are counted, and their transactions leave no trace', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, hidden, row(1));
  transaction(builder, hidden, row(2));
  transaction(builder, orders, row(3));
  transaction(builder, hidden, row(4));
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.equal(run?.filtered, 3);
  assert.deepEqual(
    run?.tables.map(table => table.schema),
    ['shop'],
  );
  assert.equal(eventsOf(run ?? assert.fail()).length, 2);
});

test('each further run of a transaction begins with its GTID again', () => {
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('BEGIN');
  for (let i = 0; i < 50; i++) {
    builder.tableMap(orders);
    builder.rows('insert', 100, 1, row(i));
  }
  builder.xid();
  const { runs } = new ExtractDriver({ runBytes: 500 }).open().bytes(builder.packets()).commit();
  assert.ok(runs.length > 4);
  for (const run of runs) {
    assert.ok(run.events.length <= 500);
    assert.deepEqual(
      eventsOf(run)
        .map(each => each.table)
        .slice(0, 2),
      ['-', 'shop.orders'],
    );
    assert.equal(run.position, 4 + (builder.events[1]?.length ?? 0));
  }
  const rows = runs.flatMap(run => eventsOf(run)).filter(each => each.table === 'shop.orders');
  assert.equal(rows.length, 50);
});

test('an event larger than a run is a run of its own', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  transaction(builder, orders, Buffer.concat(Array.from({ length: 1000 }, (_, i) => row(i & 255))));
  transaction(builder, orders, row(2));
  const { runs } = new ExtractDriver({ runBytes: 1000 }).open().bytes(builder.packets()).commit();
  assert.deepEqual(
    runs.map(run => run.events.length > 1000),
    [false, true, false],
  );
});
