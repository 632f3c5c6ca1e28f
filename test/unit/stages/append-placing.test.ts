import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { replayParked } from '../../../src/stages/append.ts';
import type { UmsValue } from '../../../src/ums/types.ts';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { image, le, sized } from '../rows/rows-fixture.ts';
import { insert, row, runOf, table } from './append-fixture.ts';
import { driverOf, PARTITIONS, place, placedRows, placingBy, rowsOf } from './placing-fixture.ts';

const orders = table('orders');
/** Ids of two different partitions. */
const [here, there] = [1, [2, 3, 4, 5].find(id => place(id) !== place(1)) ?? 0];

describe('rows placed by key', () => {
  test('go where the hash of their key says, one message a partition and record, by partition', () => {
    const builder = new BinlogBuilder().begin();
    const ids = Array.from({ length: 40 }, (_, id) => id * 7 - 100);
    for (const id of ids) insert(builder, orders, row(id, `row ${id}`));
    const driver = driverOf().run(runOf(builder));
    assert.equal(driver.emitted.length, PARTITIONS);
    assert.deepEqual(
      driver.emitted.map(({ output, options }) => [output.partition, options?.partition, output.table]),
      Array.from({ length: PARTITIONS }, (_, partition) => [partition, partition, 'orders']),
    );
    for (const [partition, id] of placedRows(driver).map(each => [each[0], each[3]] as const)) {
      assert.equal(partition, place(Number(id)));
    }
    assert.deepEqual(
      placedRows(driver)
        .map(each => Number(each[3]))
        .sort((a, b) => a - b),
      ids,
    );
    assert.equal(driver.states.get('shop.orders')?.messages, PARTITIONS);
  });

  test('keep the order of each partition over several events, tables and operations', () => {
    const builder = new BinlogBuilder().begin();
    const users = table('users', 8);
    for (let i = 0; i < 30; i++) {
      insert(builder, i % 3 === 0 ? users : orders, row(i % 4, 'a'));
      transaction(builder, orders, Buffer.concat([row(i % 4, 'a'), row(i % 4, 'b')]), 'update');
      transaction(builder, orders, row(i % 4, 'b'), 'delete');
    }
    const { emitted } = driverOf().run(runOf(builder));
    const tables = emitted.map(({ output }) => output.table);
    assert.deepEqual(tables, tables.toSorted().reverse());
    for (const name of ['orders', 'users']) {
      const partitions = emitted
        .filter(each => each.output.table === name)
        .map(each => each.output.partition);
      assert.deepEqual(partitions, [...new Set(partitions)].sort());
    }
    for (const { output } of emitted) {
      const ids = rowsOf(output).map(each => BigInt(String(each[1])));
      for (const [i, id] of ids.entries()) assert.ok(i === 0 || id > (ids[i - 1] ?? 0n));
    }
  });

  test('are placed by all columns of a key, in its order', () => {
    const spec = table('lines', 9, {
      columns: [
        { name: 'number', type: T.LONG },
        { name: 'note', type: T.VARCHAR, meta: 200, nullable: true },
        { name: 'region', type: T.VARCHAR, meta: 200 },
      ],
      primaryKey: [2, 0],
    });
    const builder = new BinlogBuilder().begin();
    const regions = ['north', '', 'a,b', 'quote "\\" here', 'tab\there', 'größe', '🍵'];
    for (const [i, region] of regions.entries())
      insert(builder, spec, image(le(i, 4), sized('n', 1), sized(region, 1)));
    const rows = placedRows(driverOf().run(runOf(builder)));
    assert.equal(rows.length, regions.length);
    for (const [partition, , , number, , region] of rows) {
      assert.equal(partition, place(String(region), Number(number)), String(region));
    }
  });

  test('are placed by the text that UMS has, whatever character set or type the key has', () => {
    const latin1 = { name: 'k', type: T.VARCHAR, meta: 40, collation: 8 };
    const binary = { name: 'k', type: T.VARCHAR, meta: 40, collation: 63 };
    const keys: readonly [object, Buffer, UmsValue][] = [
      [latin1, sized(Buffer.from([0x67, 0xf6, 0x80]), 1), 'gö€'],
      [binary, sized(Buffer.from([0, 255, 34, 92]), 1), Buffer.from([0, 255, 34, 92]).toString('base64')],
      [{ name: 'k', type: T.LONGLONG }, le(2 ** 40, 8), String(2 ** 40)],
      [{ name: 'k', type: T.TINY }, le(7, 1), 7],
    ];
    for (const [column, bytes, text] of keys) {
      const spec = table('t', 9, {
        columns: [
          { ...orders.columns[1], name: 'v', type: T.VARCHAR, meta: 200 },
          { name: 'k', type: T.LONG, ...column },
        ],
        primaryKey: [1],
      });
      const builder = new BinlogBuilder().begin();
      insert(builder, spec, image(sized('before', 1), bytes));
      const [[partition, , , , key] = []] = placedRows(driverOf().run(runOf(builder)));
      assert.equal(key, text);
      assert.equal(partition, place(text));
    }
  });

  test('of a table without a key and without chosen columns stay together', () => {
    const { primaryKey: _, ...keyless } = orders;
    const builder = new BinlogBuilder().begin();
    for (let i = 0; i < 20; i++) insert(builder, keyless, row(i, 'a'));
    transaction(builder, keyless, Buffer.concat([row(1, 'a'), row(2, 'a')]), 'update');
    const driver = driverOf().run(runOf(builder));
    assert.deepEqual(
      driver.emitted.map(({ output }) => output.partition),
      [place('shop.orders')],
    );
    assert.equal(driver.states.get('shop.orders')?.placedBy, undefined);
  });

  test('are split by the bounds of a message in each partition', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, ...Array.from({ length: 60 }, (_, id) => row(id, 'x'.repeat(30))));
    const run = runOf(builder);
    const driver = driverOf(null, { maxRows: 4 }).run(run);
    assert.ok(driver.messages.every(({ payload }) => payload.length <= 4));
    assert.equal(placedRows(driver).length, 60);
    const bytes = driverOf(null, { maxBytes: 900 }).run(run);
    assert.ok(bytes.emitted.every(({ output }) => output.value.length <= 900));
    assert.equal(placedRows(bytes).length, 60);
    for (const { output } of [...driver.emitted, ...bytes.emitted]) {
      for (const [partition, , , id] of rowsOf(output)) assert.equal(partition, place(Number(id)));
    }
  });

  test('of an event that cannot be decoded are not taken, on no partition', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'), row(2, 'b'));
    const bad = [...Array.from({ length: 20 }, (_, id) => row(id, 'new')), row(9, 'x').subarray(0, 3)];
    insert(builder, orders, ...bad);
    insert(builder, orders, row(3, 'c'));
    const driver = driverOf(null, { maxRows: 2 }).run(runOf(builder));
    assert.deepEqual(
      placedRows(driver)
        .map(each => each[3])
        .sort(),
      [1, 2],
    );
    assert.equal(driver.parked.length, 1);
    assert.equal(driver.states.get('shop.orders')?.parked?.events, 2);
  });

  test('come from a replay of what was parked as they would have come', () => {
    const builder = new BinlogBuilder().begin();
    for (let i = 0; i < 20; i++) insert(builder, orders, row(i, 'a'));
    const run = runOf(builder);
    const state = driverOf().run(run).before('shop.orders');
    const name = { schema: 'shop', table: 'orders' };
    const { outputs } = replayParked({ ds: 'web', result: () => placingBy() }, name, state, [run], 3);
    assert.deepEqual(
      outputs.filter(({ notice }) => notice !== true).flatMap(rowsOf),
      placedRows(driverOf().run(run)),
    );
  });
});

describe('an update of a row placed by key', () => {
  const update = (...rows: readonly Buffer[]) => {
    const builder = new BinlogBuilder({ file: 'bin.000007' }).begin();
    transaction(builder, orders, Buffer.concat(rows), 'update');
    return runOf(builder);
  };

  test('that changes the key is a delete there and an insert here, with an id each', () => {
    const run = update(row(here, 'a'), row(there, 'a2'), row(here, 'b'), row(here, 'c'));
    const driver = driverOf().run(run);
    const rows = placedRows(driver).sort((a, b) => (BigInt(String(a[1])) < BigInt(String(b[1])) ? -1 : 1));
    const first = BigInt(String(rows[0]?.[1]));
    assert.deepEqual(rows, [
      [place(here), first, 'd', here, 'a'],
      [place(there), first + 1n, 'i', there, 'a2'],
      [place(here), first + 3n, 'u', here, 'c'],
    ]);
    const uids = driver.messages.flatMap(({ payload }) => payload.map(({ tuple }) => String(tuple[3])));
    assert.ok(uids.every(uid => uid.endsWith('1')));
    const { inserts, updates, deletes, lastUmsId } = driver.states.get('shop.orders') ?? assert.fail();
    assert.deepEqual([inserts, updates, deletes, lastUmsId], [1, 1, 1, String(first + 3n)]);
  });

  test('that changes the key is so too when both rows are in one partition', () => {
    const near = Array.from({ length: 50 }, (_, i) => i + 2).find(id => place(id) === place(here)) ?? 0;
    const ops = placedRows(driverOf().run(update(row(here, 'a'), row(near, 'a')))).map(each => [
      each[0],
      each[2],
      each[3],
    ]);
    assert.deepEqual(ops, [
      [place(here), 'd', here],
      [place(here), 'i', near],
    ]);
  });

  test('has its before image beside it when the line asks for it', () => {
    const driver = driverOf(null, { beforeImage: () => true });
    const [before, after, ...more] = placedRows(driver.run(update(row(here, 'a'), row(here, 'b'))));
    assert.deepEqual(more, []);
    assert.deepEqual(
      [before?.[0], before?.[2], after?.[0], after?.[2]],
      [place(here), 'b', place(here), 'u'],
    );
    assert.equal(before?.[1], after?.[1]);
    const moved = driverOf(null, { beforeImage: () => true }).run(update(row(here, 'a'), row(there, 'a')));
    assert.deepEqual(
      placedRows(moved)
        .map(each => each[2])
        .sort(),
      ['d', 'i'],
    );
  });

  test('is placed by the chosen columns, NULL among them, and follows their changes alone', () => {
    const run = update(
      ...[row(1, 'a'), row(2, 'a')],
      ...[row(3, 'b'), row(3, null)],
      ...[row(4, null), row(5, null)],
      ...[row(6, 'c'), row(6, 'c')],
    );
    const rows = placedRows(driverOf(['name']).run(run)).sort((a, b) =>
      String(a.slice(1, 3)) < String(b.slice(1, 3)) ? -1 : 1,
    );
    assert.deepEqual(
      rows.map(([partition, , ...rest]) => [partition, ...rest]),
      [
        [place('a'), 'b', 1, 'a'],
        [place('a'), 'u', 2, 'a'],
        [place('b'), 'd', 3, 'b'],
        [place(null), 'i', 3, null],
        [place(null), 'b', 4, null],
        [place(null), 'u', 5, null],
        [place('c'), 'u', 6, 'c'],
      ],
    );
  });

  test('is placed by the primary key when the table lacks a chosen column', () => {
    const driver = driverOf(['name', 'customer']).run(update(row(here, 'a'), row(here, 'b')));
    assert.deepEqual(
      placedRows(driver).map(each => [each[0], each[2]]),
      [[place(here), 'u']],
    );
    assert.deepEqual(driver.states.get('shop.orders')?.placedBy, ['id']);
  });
});
