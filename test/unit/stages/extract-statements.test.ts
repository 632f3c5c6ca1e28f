import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinlogBuilder, BUILDER_UUID, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';
import { orders, row } from './extract-fixture.ts';

test('definitions land under their schema, with their GTID', () => {
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('ALTER TABLE orders ADD c INT', 'shop');
  builder.gtid();
  builder.query('ALTER TABLE x ADD c INT', 'other');
  builder.gtid();
  builder.query('ALTER TABLE `shop`.orders ADD d INT', '');
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.deepEqual(
    eventsOf(run ?? assert.fail()).map(each => each.table),
    ['-', 'shop.', '-', 'shop.'],
  );
  assert.deepEqual(run?.tables, [
    { schema: 'shop', table: '', fingerprint: Buffer.alloc(0), map: Buffer.alloc(0), columns: '' },
  ]);
  assert.equal(run?.resume.position, builder.position);
});

test('a definition that concerns several schemas lands once for each, all in one run', () => {
  const subscribed = (schema: string): boolean => schema === 'shop' || schema === 'stock';
  for (const runBytes of [200, 400, 4096]) {
    const builder = new BinlogBuilder().begin();
    transaction(builder, orders, row(1));
    builder.gtid();
    builder.query('DROP TABLE `stock`.`items`, other.x', 'shop');
    const driver = new ExtractDriver({ subscribed, subscribedSchema: subscribed, runBytes });
    const { runs } = driver.open().bytes(builder.packets()).commit();
    const landed = eventsOf(runs.at(-1) ?? assert.fail()).map(each => each.table);
    assert.deepEqual(landed.slice(-3), ['-', 'shop.', 'stock.']);
    assert.equal(runs.at(-1)?.next, builder.position);
  }
});

test('rows changed by a statement halt the stream, unless nobody asked for them', () => {
  const halting: [sql: string, schema: string][] = [
    ['INSERT INTO orders VALUES (1)', 'shop'],
    ['UPDATE shop.orders SET id = 2', 'other'],
    ['CREATE TABLE t2 AS SELECT * FROM orders', 'shop'],
  ];
  for (const [sql, schema] of halting) {
    const builder = new BinlogBuilder().begin();
    builder.gtid();
    builder.query('BEGIN', schema);
    builder.query(sql, schema);
    const driver = new ExtractDriver().open();
    // The start of the line is emitted first.
    driver.bytes(builder.packets());
    assert.throws(() => driver.commit(), {
      code: 'UMBUS_SOURCE_SETTING',
      message: /SET GLOBAL binlog_format = 'ROW'/,
    });
  }
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('BEGIN', 'other');
  builder.query('INSERT INTO x VALUES (1)', 'other');
  builder.query('COMMIT', 'other');
  assert.equal(new ExtractDriver().open().bytes(builder.packets()).commit().runs.length, 0);
});

test('a savepoint, an XA transaction and a rollback keep the resume point right', () => {
  const builder = new BinlogBuilder().begin();
  builder.event(35, Buffer.alloc(8), { flags: 0x80 });
  const driver = new ExtractDriver().open();
  const resumePoint = (): string => {
    // A row of its own makes a run, whose resume point tells.
    const at = builder.position;
    transaction(builder, orders, row(1));
    driver.bytes(builder.packets()).commit();
    const resume = driver.runs.at(-1)?.resume;
    assert.equal(resume?.position, builder.position, `after ${at}`);
    return resume?.gtid ?? '';
  };
  builder.gtid();
  builder.query('BEGIN');
  builder.query('SAVEPOINT `a`');
  builder.query('ROLLBACK TO `a`');
  builder.query('COMMIT');
  assert.equal(resumePoint(), `${BUILDER_UUID}:1-2`);
  builder.gtid();
  builder.query("XA START X'31',X'',1");
  builder.query("XA END X'31',X'',1");
  builder.event(38, Buffer.alloc(14));
  builder.gtid();
  builder.query("XA COMMIT X'31',X'',1");
  assert.equal(resumePoint(), `${BUILDER_UUID}:1-5`);
  builder.gtid();
  builder.query('BEGIN');
  builder.query('CREATE TABLE `c` (a INT) START TRANSACTION');
  driver.bytes(builder.packets()).commit();
  assert.equal(driver.runs.at(-1)?.resume.gtid, `${BUILDER_UUID}:1-5`);
  builder.query('ROLLBACK');
  assert.equal(resumePoint(), `${BUILDER_UUID}:1-7`);
});
