import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';
import { orders, resumed, row } from './extract-fixture.ts';

/** The ids of the rows that landed, each of which is a row event of its own. */
const idsOf = (driver: ExtractDriver): number[] =>
  driver.runs
    .flatMap(run => eventsOf(run))
    .filter(({ table }) => table === 'shop.orders')
    .map(({ event }) => event[event.length - 8] ?? -1);

/** Begins a transaction. */
function begin(builder: BinlogBuilder): void {
  builder.gtid();
  builder.query('BEGIN');
  builder.tableMap(orders);
}

/** A row event of one row; 32 bytes of it fit a run of 100. */
const insert = (builder: BinlogBuilder, id: number): void => void builder.rows('insert', 100, 1, row(id));

const read = (builder: BinlogBuilder, runBytes = 262_144): ExtractDriver =>
  new ExtractDriver({ runBytes }).open().bytes(builder.packets()).commit();

test('the rows of a rolled back transaction do not land, and those around it do', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  begin(builder);
  insert(builder, 2);
  insert(builder, 3);
  builder.query('ROLLBACK');
  transaction(builder, orders, row(4));
  const driver = read(builder);
  assert.deepEqual(idsOf(driver), [1, 4]);
  const last = driver.runs.at(-1);
  assert.deepEqual(
    eventsOf(last ?? assert.fail()).map(({ table }) => table),
    ['-', 'shop.orders', '-', 'shop.orders'],
    'the GTID of the rolled back transaction is gone too',
  );
  assert.equal(last?.resume.position, builder.position);
});

test('rows come out of the run however the bytes are cut', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  begin(builder);
  insert(builder, 2);
  builder.query('SAVEPOINT `a`');
  insert(builder, 3);
  builder.query('ROLLBACK TO `a`');
  insert(builder, 4);
  builder.xid();
  const packets = builder.packets();
  for (const chunk of [1, 7, 50, packets.length]) {
    const driver = new ExtractDriver().open();
    for (let at = 0; at < packets.length; at += chunk) {
      driver.bytes(packets.subarray(at, at + chunk)).commit();
    }
    assert.deepEqual(idsOf(driver), [1, 2, 4], `chunks of ${chunk} bytes`);
  }
});

test('a rollback to a savepoint goes to the newest of its name, and ends those after it', () => {
  const builder = new BinlogBuilder().begin();
  begin(builder);
  builder.query('SAVEPOINT `a`');
  insert(builder, 1);
  builder.query('SAVEPOINT `b`');
  insert(builder, 2);
  builder.query('SAVEPOINT `a`');
  insert(builder, 3);
  builder.query('ROLLBACK TO `a`');
  insert(builder, 4);
  builder.query('ROLLBACK TO `b`');
  insert(builder, 5);
  builder.xid();
  assert.deepEqual(idsOf(read(builder)), [1, 5]);
});

test('a rollback of rows that are landed already halts the line once, and it goes on behind it', () => {
  for (const statement of ['ROLLBACK', 'ROLLBACK TO `a`']) {
    const builder = new BinlogBuilder().begin();
    transaction(builder, orders, row(1));
    begin(builder);
    builder.query('SAVEPOINT `a`');
    for (let id = 2; id < 9; id++) insert(builder, id);
    builder.query(statement);
    const behind = builder.position;
    if (statement !== 'ROLLBACK') builder.xid();
    for (const id of [9, 10, 11]) transaction(builder, orders, row(id));
    const driver = new ExtractDriver({ runBytes: 100 }).open().bytes(builder.packets());
    assert.throws(() => driver.commit(), {
      code: 'UMBUS_SOURCE_ROLLED_BACK',
      message: /a transaction.*at bin\.000001:\d+/,
    });
    const landed = idsOf(driver);
    assert.ok(landed.length > 1 && !landed.includes(9), statement);
    const { next = 0, resume } = driver.runs.at(-1) ?? assert.fail();
    assert.equal(next, behind, statement);
    const again = new ExtractDriver({ runBytes: 100 })
      .open({
        from: { file: 'bin.000001', position: resume.position, gtid: '' },
        skipBefore: { file: 'bin.000001', position: next },
      })
      .bytes(resumed(builder, resume.position))
      .commit();
    assert.deepEqual(idsOf(again), [9, 10, 11], statement);
  }
});

test('rows that found no room in the run before them come out like any others', () => {
  for (const statement of ['ROLLBACK', 'ROLLBACK TO `a`']) {
    const builder = new BinlogBuilder().begin();
    transaction(builder, orders, row(1));
    begin(builder);
    builder.query('SAVEPOINT `a`');
    insert(builder, 2);
    builder.query(statement);
    if (statement === 'ROLLBACK') begin(builder);
    insert(builder, 3);
    builder.xid();
    const driver = read(builder, 100);
    assert.deepEqual(idsOf(driver), [1, 3], statement);
    const tables = driver.runs.map(run => eventsOf(run).map(({ table }) => table));
    assert.deepEqual(tables, Array(2).fill(['-', 'shop.orders']), 'each with the GTID of its transaction');
  }
});

test('a rollback of published rows is told even if the connection ends right behind it', () => {
  const builder = new BinlogBuilder().begin();
  begin(builder);
  for (let id = 1; id < 9; id++) insert(builder, id);
  builder.query('ROLLBACK');
  const driver = new ExtractDriver({ runBytes: 100 }).open().bytes(builder.packets());
  assert.throws(() => driver.end(), { code: 'UMBUS_SOURCE_ROLLED_BACK' });
});

test('a connection that is cut within a transaction leaves what has come of it landed', () => {
  const builder = new BinlogBuilder().begin();
  begin(builder);
  insert(builder, 1);
  const driver = new ExtractDriver().open().bytes(builder.packets()).commit();
  assert.deepEqual(idsOf(driver), [], 'it may still be rolled back');
  assert.deepEqual(idsOf(driver.end()), [1]);
});

test('what an earlier dump has taken back is not held against the line that goes on behind it', () => {
  const builder = new BinlogBuilder().begin();
  const start = builder.position;
  begin(builder);
  insert(builder, 1);
  builder.query('SAVEPOINT `a`');
  insert(builder, 2);
  builder.query('ROLLBACK TO `a`');
  insert(builder, 3);
  const next = builder.position;
  insert(builder, 4);
  builder.query('SAVEPOINT `b`');
  insert(builder, 5);
  builder.query('ROLLBACK TO `b`');
  builder.xid();
  const driver = new ExtractDriver()
    .open({
      from: { file: 'bin.000001', position: start, gtid: '' },
      skipBefore: { file: 'bin.000001', position: next },
    })
    .bytes(resumed(builder, start))
    .commit();
  assert.deepEqual(idsOf(driver), [4]);
});

/** An XA transaction with a row, or without one, up to where it is prepared. */
function prepare(builder: BinlogBuilder, name: string, id: number | null): void {
  builder.gtid();
  builder.query(`XA START ${name}`);
  builder.tableMap(orders);
  if (id !== null) insert(builder, id);
  builder.query(`XA END ${name}`);
  builder.event(38, Buffer.alloc(14));
}

/** XA COMMIT or XA ROLLBACK. */
function endXa(builder: BinlogBuilder, sql: string): void {
  builder.gtid();
  builder.query(sql);
}

test('an XA transaction that is rolled back after its rows were published halts the line once', () => {
  const builder = new BinlogBuilder().begin();
  prepare(builder, "X'31',X'',1", 1);
  prepare(builder, "X'32',X'',1", 2);
  prepare(builder, "X'33',X'',1", null);
  endXa(builder, "XA COMMIT X'31',X'',1");
  endXa(builder, "XA ROLLBACK X'33',X'',1");
  endXa(builder, "XA ROLLBACK X'39',X'',1");
  const driver = read(builder);
  assert.deepEqual(idsOf(driver), [1, 2]);
  endXa(builder, "XA ROLLBACK X'32',X'',1");
  assert.throws(() => driver.bytes(builder.packets()).commit(), {
    code: 'UMBUS_SOURCE_ROLLED_BACK',
    message: /an XA transaction/,
  });
});

test('so does one that an earlier connection has seen, and one without rows does not', () => {
  const builder = new BinlogBuilder().begin();
  prepare(builder, "X'31',X'',1", 1);
  const start = builder.position;
  prepare(builder, "X'32',X'',1", null);
  endXa(builder, "XA ROLLBACK X'32',X'',1");
  const before = builder.position;
  endXa(builder, "XA ROLLBACK X'31',X'',1");
  const behind = builder.position;
  const open = (driver: ExtractDriver, next: number): ExtractDriver =>
    driver
      .open({
        from: { file: 'bin.000001', position: start, gtid: '' },
        skipBefore: { file: 'bin.000001', position: next },
      })
      .bytes(resumed(builder, start));
  const driver = open(new ExtractDriver(), before);
  assert.throws(() => driver.commit(), {
    code: 'UMBUS_SOURCE_ROLLED_BACK',
    message: /prepared before the line connected/,
  });
  assert.equal(driver.emitted.at(-1)?.run.next, behind);
  assert.deepEqual(open(new ExtractDriver(), behind).commit().runs, []);
  assert.deepEqual(open(new ExtractDriver({ lands: false }), before).commit().runs, []);
});
