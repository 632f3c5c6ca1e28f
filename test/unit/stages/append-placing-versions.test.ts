import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { image, le } from '../rows/rows-fixture.ts';
import { validate } from '../ums-schema/schema.ts';
import { AppendDriver, insert, row, runOf, storyOf, table } from './append-fixture.ts';
import { driverOf, PARTITIONS, place, placedRows, placingBy } from './placing-fixture.ts';

const orders = table('orders');

describe('versions of a table placed by key', () => {
  const everywhere = (reason: string) =>
    Array.from({ length: PARTITIONS }, (_, partition) => [partition, 'end', reason]);
  const ends = (driver: AppendDriver) => placedRows(driver).filter(each => each[1] === 'end');

  test('end on every partition, and say what the next begins with when columns change', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    insert(builder, table('orders', 9, { columns: orders.columns.slice(0, 1) }), image(le(2, 4)));
    builder.query('TRUNCATE orders');
    const driver = driverOf().run(runOf(builder));
    assert.deepEqual(ends(driver), [...everywhere('schema'), ...everywhere('truncate')]);
    const next = driver.messages.flatMap(({ schema }) => (schema.reason === undefined ? [] : [schema.next]));
    const id = { name: 'id', type: 'int', nullable: false, encoded: false };
    assert.deepEqual(
      next.slice(0, PARTITIONS),
      Array.from({ length: PARTITIONS }, () => ({ fields: [id], primaryKey: ['id'] })),
    );
    assert.ok(next.slice(PARTITIONS).every(each => each === undefined));
    for (const message of driver.messages) assert.ok(validate(message), JSON.stringify(validate.errors));
    assert.deepEqual(driver.story.at(0), ['orders.0', ['i', 1, 'a']]);
  });

  test('end when the columns that place rows change, by a new key or by another setting', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    insert(builder, table('orders', 9, { primaryKey: [1] }), row(1, 'b'));
    const driver = driverOf().run(runOf(builder));
    assert.deepEqual(ends(driver), everywhere('schema'));
    const again = new BinlogBuilder({ position: builder.position }).begin();
    insert(again, table('orders', 9, { primaryKey: [1] }), row(1, 'c'));
    const changed = driverOf(['id']);
    changed.states.set('shop.orders', driver.states.get('shop.orders') ?? assert.fail());
    const run = runOf(again);
    changed.run(run);
    assert.deepEqual(ends(changed), everywhere('schema'));
    assert.deepEqual(changed.states.get('shop.orders')?.placedBy, ['id']);
    assert.equal(changed.states.get('shop.orders')?.version, 2);
    const whole = new AppendDriver({ result: () => ({ ...placingBy(), placeBy: 'table' }) });
    whole.states.set('shop.orders', changed.states.get('shop.orders') ?? assert.fail());
    whole.run(run);
    assert.deepEqual(ends(whole), everywhere('schema'));
    assert.equal(whole.states.get('shop.orders')?.placedBy, undefined);
  });

  test('end on every partition of the topic for tables that stay together too', () => {
    const { primaryKey: _, ...keyless } = orders;
    const builder = new BinlogBuilder().begin();
    insert(builder, keyless, row(1, 'a'));
    builder.query('DROP TABLE orders');
    assert.deepEqual(ends(driverOf().run(runOf(builder))), everywhere('drop'));
  });
});

describe('a topic whose tables are not split', () => {
  test('has each table where the hash of its name says, and its messages are as without placing', () => {
    const builder = new BinlogBuilder().begin();
    for (const name of ['a', 'b', 'c', 'd']) insert(builder, table(name, name.charCodeAt(0)), row(1, name));
    builder.query('TRUNCATE a');
    transaction(builder, table('a', 97), Buffer.concat([row(1, 'x'), row(2, 'x')]), 'update');
    const run = runOf(builder);
    const driver = new AppendDriver({ result: () => ({ ...placingBy(), placeBy: 'table' }) }).run(run);
    const plain = new AppendDriver().run(run);
    assert.deepEqual(
      driver.emitted.map(({ output }) => output.value),
      plain.emitted.map(({ output }) => output.value),
    );
    assert.deepEqual(driver.messages.map(storyOf), plain.story);
    for (const { output } of driver.emitted) assert.equal(output.partition, place(`shop.${output.table}`));
    assert.ok(plain.emitted.every(({ output }) => output.partition === 3));
  });
});
