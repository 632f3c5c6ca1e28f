import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import type { SchemaNotice } from '../../../src/ums/schema-notice.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { image, le } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runOf, table } from './append-fixture.ts';

const orders = table('orders');
const wide = (name: string, tableId: number) =>
  table(name, tableId, {
    columns: [...table(name).columns, { name: 'more', type: T.LONG, nullable: true }],
  });
const short = ({ table: of, reason, version, rows, renamedFrom, renamedTo }: SchemaNotice): string =>
  `${of} ${reason} ${version} ${rows}${renamedFrom === undefined ? '' : ` from ${renamedFrom}`}${renamedTo === undefined ? '' : ` to ${renamedTo}`}`;

/** An appender after rows of `orders` and these statements; rows of a name are given by it. */
function after(
  steps: readonly (string | ReturnType<typeof table>)[],
  subscribed: (table: string) => boolean = () => true,
): AppendDriver {
  const builder = new BinlogBuilder().begin();
  insert(builder, orders, row(1, 'a'));
  for (const step of steps) {
    if (typeof step === 'string') {
      builder.gtid();
      builder.query(step, 'shop');
    } else insert(builder, step, step.columns.length > 2 ? image(le(2, 4), null, null) : row(2, 'b'));
  }
  return new AppendDriver({ subscribed: (_, name) => subscribed(name) }).run(runOf(builder));
}

const ends = (driver: AppendDriver): unknown[] =>
  driver.messages
    .filter(({ protocol }) => protocol.type === 'data_increment_termination')
    .map(({ schema }) => [schema.namespace.split('.')[3], schema.reason, schema.renamedTo]);

describe('a table with another name', () => {
  test('ends under the old name, which says the new one, and begins under it', () => {
    const driver = after(['RENAME TABLE orders TO archive', table('archive', 8)]);
    assert.deepEqual(ends(driver), [['orders', 'rename', 'shop.archive']]);
    assert.deepEqual(driver.notices.map(short).slice(1), [
      'orders rename 1 moved to shop.archive',
      'archive rename 0 moved from shop.orders',
    ]);
    assert.deepEqual(
      driver.notices.at(-1)?.statements.map(({ text }) => text),
      ['RENAME TABLE orders TO archive'],
    );
    const end = driver.messages.find(({ schema }) => schema.reason === 'rename');
    assert.equal(end?.schema.uid, driver.notices[1]?.uid);
  });

  test('is gone for readers when the new name is not published', () => {
    const driver = after(['RENAME TABLE orders TO archive'], name => name === 'orders');
    assert.deepEqual(ends(driver), [['orders', 'rename', undefined]]);
    assert.deepEqual(driver.notices.map(short).slice(1), ['orders rename 1 gone to shop.archive']);
  });

  test('has rows that nobody has read when the old name was not published', () => {
    const driver = after(['RENAME TABLE staging TO items', table('items', 8)], name => name !== 'staging');
    assert.deepEqual(driver.notices.map(short).slice(1), ['items rename 0 unknown from shop.staging']);
  });

  test('may change places with another', () => {
    const driver = after([
      table('items', 8),
      'RENAME TABLE orders TO between, items TO orders, between TO items',
      table('orders', 9),
      table('items', 10),
    ]);
    assert.deepEqual(ends(driver), [
      ['orders', 'rename', 'shop.items'],
      ['items', 'rename', 'shop.orders'],
    ]);
    assert.deepEqual(driver.notices.map(short).slice(2), [
      'orders rename 1 moved to shop.items',
      'items rename 1 moved to shop.orders',
      'orders rename 1 moved from shop.items',
      'items rename 1 moved from shop.orders',
    ]);
  });

  test('may be emptied, dropped or renamed again before it has a row', () => {
    const moved = 'RENAME TABLE orders TO archive';
    assert.deepEqual(ends(after([moved, 'TRUNCATE archive', 'TRUNCATE archive'])).slice(1), [
      ['archive', 'truncate', undefined],
    ]);
    assert.deepEqual(ends(after([moved, 'DROP TABLE archive'])).slice(1), [['archive', 'drop', undefined]]);
    assert.deepEqual(ends(after([moved, 'RENAME TABLE archive TO attic'])).slice(1), [
      ['archive', 'rename', 'shop.attic'],
    ]);
  });

  test('leaves nothing behind when it never had a row', () => {
    const driver = after([
      'CREATE TABLE items (id INT)',
      'RENAME TABLE items TO things',
      'DROP TABLE things',
    ]);
    for (const name of ['shop.items', 'shop.things']) {
      assert.equal(driver.states.get(name)?.pending, undefined);
    }
  });
});

describe('the cut-over of an online change', () => {
  const ghost = wide('orders', 9);

  for (const [tool, copy, old] of [
    ['gh-ost', '_orders_gho', '_orders_del'],
    ['pt-online-schema-change', '_orders_new', '_orders_old'],
  ] as const) {
    for (const published of [true, false]) {
      test(`of ${tool} keeps the rows${published ? ', with its own tables published too' : ''}`, () => {
        const driver = after(
          [
            `CREATE TABLE ${copy} LIKE orders`,
            `ALTER TABLE ${copy} ADD more INT`,
            wide(copy, 8),
            `RENAME TABLE orders TO ${old}, ${copy} TO orders`,
            `DROP TABLE IF EXISTS ${old}`,
            ghost,
          ],
          name => published || name === 'orders',
        );
        assert.deepEqual(
          ends(driver),
          published
            ? [
                [copy, 'rename', undefined],
                ['orders', 'schema', undefined],
              ]
            : [['orders', 'schema', undefined]],
        );
        assert.equal(short(driver.notices.at(-1) ?? assert.fail()), `orders swap 1 kept from shop.${copy}`);
        assert.deepEqual(
          driver.notices.at(-1)?.changes.map(({ kind }) => kind),
          ['added'],
        );
      });
    }
  }

  test('of gh-ost in two steps keeps the rows', () => {
    const driver = after(
      ['ALTER TABLE orders RENAME _orders_del', 'ALTER TABLE _orders_gho RENAME orders', ghost],
      name => name === 'orders',
    );
    assert.deepEqual(ends(driver), [['orders', 'schema', undefined]]);
    assert.equal(driver.states.get('shop.orders')?.aside, undefined);
  });

  test('of gh-ost in two steps may be given up in between', () => {
    const driver = after([
      'ALTER TABLE orders RENAME _orders_del',
      'ALTER TABLE _orders_del RENAME orders',
      orders,
    ]);
    assert.deepEqual(ends(driver), []);
    assert.deepEqual(driver.story, [
      ['orders.0', ['i', 1, 'a']],
      ['orders.0', ['i', 2, 'b']],
    ]);
  });

  test('that turns out to be none is a renaming at its place', () => {
    const driver = after(
      ['ALTER TABLE orders RENAME _orders_del', 'CREATE TABLE orders (id INT)', orders],
      name => name === 'orders',
    );
    assert.deepEqual(ends(driver), [['orders', 'rename', undefined]]);
    const [, renamed] = driver.notices;
    assert.equal(renamed?.statements[0]?.text, 'ALTER TABLE orders RENAME _orders_del');
    assert.deepEqual(renamed?.from, renamed?.statements[0]?.at);
    const end = driver.messages.find(({ schema }) => schema.reason === 'rename');
    assert.equal(end?.schema.uid, renamed?.uid);
  });
});
