import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import type { SchemaNotice } from '../../../src/ums/schema-notice.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { image, le } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runOf, table } from './append-fixture.ts';

const orders = table('orders');
const id = { name: 'id', type: T.LONG };
const name = { name: 'name', type: T.VARCHAR, meta: 200, nullable: true };
const more = { name: 'more', type: T.LONG, nullable: true };

/** A notice in short. */
const short = ({ table: of, reason, version, innerVersion, verdict, rows }: SchemaNotice): string =>
  `${of} ${reason} ${version}/${innerVersion} ${verdict} ${rows}`;

function statement(builder: BinlogBuilder, sql: string, schema = 'shop'): void {
  builder.gtid();
  builder.query(sql, schema);
}

describe('notices of a table', () => {
  test('tell of its first columns, and of each change with all that is different', () => {
    const builder = new BinlogBuilder({ file: 'bin.000007' }).begin();
    statement(builder, 'CREATE TABLE orders (id INT PRIMARY KEY, name VARCHAR(50))');
    insert(builder, orders, row(1, 'a'));
    statement(builder, 'ALTER TABLE orders MODIFY name VARCHAR(100)');
    insert(builder, table('orders', 8, { columns: [id, { ...name, meta: 400 }] }), image(le(2, 4), null));
    statement(builder, 'ALTER TABLE orders ADD more INT');
    statement(builder, 'ALTER TABLE orders RENAME COLUMN name TO title');
    const changed = [id, { ...name, meta: 400, name: 'title' }, more];
    insert(builder, table('orders', 9, { columns: changed }), image(le(3, 4), null, null));
    const driver = new AppendDriver().run(runOf(builder));
    assert.deepEqual(driver.notices.map(short), [
      'orders create 0/0 compatible kept',
      'orders alter 0/1 widening kept',
      'orders alter 1/2 breaking kept',
    ]);
    const [first, second, third] = driver.notices;
    assert.equal(first?.before, null);
    assert.deepEqual(first?.after, {
      columns: [
        { name: 'id', umsType: 'int', nullable: false, type: 'int' },
        {
          name: 'name',
          umsType: 'string',
          nullable: true,
          type: 'varchar(50)',
          charset: 'utf8mb4',
          length: 50,
        },
      ],
      primaryKey: ['id'],
    });
    assert.deepEqual(
      second?.changes.map(change => change.kind === 'type' && [change.name, change.change]),
      [['name', 'widened']],
    );
    assert.deepEqual(
      third?.changes.map(change => [change.kind, 'sure' in change ? change.sure : null]),
      [
        ['renamed', true],
        ['added', null],
      ],
    );
    assert.deepEqual(
      third?.statements.map(({ text }) => text),
      ['ALTER TABLE orders ADD more INT', 'ALTER TABLE orders RENAME COLUMN name TO title'],
    );
    assert.deepEqual(third?.from, third?.statements[0]?.at);
    assert.ok(BigInt(third?.uid ?? 0) < BigInt(String(driver.messages.at(-1)?.payload[0]?.tuple[3])));
    assert.deepEqual(
      driver.messages.map(({ schema }) => [schema.namespace.split('.')[4], schema.innerVersion]),
      [
        ['0', 0],
        ['0', 1],
        ['0', undefined],
        ['1', 2],
      ],
    );
  });

  test('begin at the first row where no statement is known', () => {
    const builder = new BinlogBuilder({ file: 'bin.000007' }).begin();
    insert(builder, orders, row(1, 'a'));
    const driver = new AppendDriver().run(runOf(builder));
    const [notice] = driver.notices;
    const uid = String(driver.messages[0]?.payload[0]?.tuple[3]);
    assert.deepEqual([notice?.statements, notice?.uid.slice(0, -1)], [[], uid.slice(0, -1)]);
    assert.deepEqual([notice?.from.epoch, notice?.from.file], [1, 'bin.000007']);
  });

  test('are the same however the binlog is cut into records', () => {
    const build = (cuts: boolean): AppendDriver => {
      const driver = new AppendDriver();
      let builder = new BinlogBuilder({ file: 'bin.000007' }).begin();
      const cut = (): void => {
        if (!cuts) return;
        driver.run(runOf(builder));
        builder = new BinlogBuilder({ file: 'bin.000007', position: builder.position }).begin();
      };
      statement(builder, 'CREATE TABLE orders (id INT, name VARCHAR(50))');
      cut();
      insert(builder, orders, row(1, 'a'));
      statement(builder, 'ALTER TABLE orders DROP name');
      cut();
      statement(builder, 'ALTER TABLE orders ADD name VARCHAR(50) FIRST');
      cut();
      insert(builder, table('orders', 9, { columns: [name, id], primaryKey: [1] }), image(null, le(2, 4)));
      statement(builder, 'TRUNCATE orders');
      cut();
      statement(builder, 'ALTER TABLE orders DROP PARTITION p');
      statement(builder, 'DROP TABLE orders');
      return driver.run(runOf(builder));
    };
    const [whole, cut] = [build(false), build(true)];
    assert.deepEqual(cut.notices, whole.notices);
    assert.deepEqual(cut.states, whole.states);
    assert.deepEqual(whole.notices.map(short), [
      'orders create 0/0 compatible kept',
      'orders alter 0/1 compatible kept',
      'orders truncate 1/1 compatible gone',
      'orders reload 2/1 breaking unknown',
      'orders drop 3/1 breaking gone',
    ]);
    assert.deepEqual([whole.schemas.size, whole.notices.at(-1)?.after], [0, null]);
  });

  test('count on from where a table was when it is made anew', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    statement(builder, 'CREATE OR REPLACE TABLE orders (id INT)');
    insert(builder, table('orders', 9, { columns: [id] }), image(le(1, 4)));
    const driver = new AppendDriver().run(runOf(builder));
    assert.deepEqual(driver.notices.map(short), [
      'orders create 0/0 compatible kept',
      'orders drop 1/0 breaking gone',
      'orders create 1/1 compatible kept',
    ]);
    assert.match(driver.notices[2]?.statements[0]?.text ?? '', /^CREATE OR REPLACE/);
  });

  test('are not written for statements that change nothing a reader sees', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    for (const sql of [
      'ALTER TABLE orders ADD INDEX (name)',
      "ALTER TABLE orders COMMENT 'x'",
      'CREATE TABLE other LIKE orders',
      'DROP TEMPORARY TABLE orders',
      'ALTER DATABASE shop CHARACTER SET latin1',
    ]) {
      statement(builder, sql);
    }
    insert(builder, orders, row(2, 'a'));
    const driver = new AppendDriver().run(runOf(builder));
    assert.equal(driver.notices.length, 1);
    assert.equal(driver.states.get('shop.orders')?.pending, undefined);
  });

  test('hold statements of a bounded length, and no password for elsewhere', () => {
    const builder = new BinlogBuilder().begin();
    statement(
      builder,
      `CREATE TABLE orders (id INT) ENGINE=FEDERATED CONNECTION='mysql://u:secret@h/d' COMMENT '${'x'.repeat(5_000)}'`,
    );
    for (let i = 0; i < 20; i++) statement(builder, `CREATE TABLE IF NOT EXISTS orders (n${i} INT)`);
    insert(builder, orders, row(1, 'a'));
    const [notice] = new AppendDriver().run(runOf(builder)).notices;
    assert.equal(notice?.statements.length, 8);
    const first = new BinlogBuilder().begin();
    statement(
      first,
      `CREATE TABLE orders (id INT) CONNECTION='mysql://u:se''cret@h/d' COMMENT '${'x'.repeat(5_000)}'`,
    );
    insert(first, orders, row(1, 'a'));
    const text = new AppendDriver().run(runOf(first)).notices[0]?.statements[0]?.text ?? '';
    assert.equal(text.length, 2_000);
    assert.ok(!text.includes('cret'));
  });

  test('of an ALTER in two phases come when it is committed, and not when it is rolled back', () => {
    const phases = (...flags: readonly number[]): AppendDriver => {
      const builder = new BinlogBuilder({ flavor: 'mariadb' }).begin();
      insert(builder, orders, row(1, 'a'));
      for (const flag of flags) {
        builder.gtid({ standalone: true, extraFlags: flag });
        builder.query('ALTER TABLE orders TRUNCATE PARTITION p', 'shop');
      }
      return new AppendDriver().run(runOf(builder));
    };
    const reloads = (driver: AppendDriver): number =>
      driver.notices.filter(({ reason }) => reason === 'reload').length;
    assert.deepEqual(
      [reloads(phases(2)), reloads(phases(2, 4)), reloads(phases(2, 8)), reloads(phases(0))],
      [0, 1, 0, 1],
    );
  });
});
