import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { isUmbusError } from '../../../src/core/errors.ts';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { AppendDriver, insert, row, runOf, runsOf, table } from './append-fixture.ts';

const orders = table('orders');
const users = table('users', 8);

describe('the appender', () => {
  test('makes one message of a table for a record, in source order, with the ids of the positions', () => {
    const builder = new BinlogBuilder({ file: 'bin.000042' }).begin();
    insert(builder, orders, row(1, 'a'), row(2, null));
    insert(builder, users, row(9, 'u'));
    const at = builder.position;
    transaction(builder, orders, row(2, 'gone'), 'delete');
    const driver = new AppendDriver().run(runOf(builder));
    assert.deepEqual(driver.story, [
      ['orders.0', ['i', 1, 'a'], ['i', 2, null], ['d', 2, 'gone']],
      ['users.0', ['i', 9, 'u']],
    ]);
    const ids = driver.messages[0]?.payload.map(({ tuple }) => BigInt(String(tuple[0]))) ?? [];
    assert.equal(ids[1], (ids[0] ?? 0n) + 1n);
    assert.ok((ids[2] ?? 0n) > 420_000_000_000_000n + BigInt(at));
  });

  test('sends messages to the result topic of the schema, with the key of DBUS and the partition of the task', () => {
    const builder = new BinlogBuilder({ timestamp: 1_700_000_000 }).begin();
    insert(builder, orders, row(1, 'a'));
    const [emitted] = new AppendDriver().run(runOf(builder)).emitted;
    assert.equal(emitted?.output.topic, 'web.shop.result');
    assert.equal(emitted?.output.schema, 'shop');
    assert.equal(emitted?.options?.partition, 3);
    assert.equal(
      emitted?.output.key.toString(),
      'data_increment_data.mysql.web.shop.orders.0.0.0.1700000000000|web.wh_placeholder',
    );
  });

  test('takes the time from the commit on MySQL, in microseconds, and from the event on MariaDB', () => {
    const mysql = new BinlogBuilder({ timestamp: 1_700_000_000 }).begin();
    mysql.gtid({ committedMicros: 1_700_000_003_123_456 });
    mysql.tableMap(orders);
    mysql.rows('insert', 7, 2, row(1, 'a'));
    mysql.xid();
    mysql.gtid({ committedMicros: 1_700_000_004_000_001 });
    mysql.tableMap(orders);
    mysql.rows('insert', 7, 2, row(2, 'a'));
    mysql.xid();
    const times = new AppendDriver().run(runOf(mysql)).messages[0]?.payload.map(({ tuple }) => tuple[1]);
    assert.deepEqual(times, ['2023-11-14 22:13:23.123456', '2023-11-14 22:13:24.000001']);
    const mariadb = new BinlogBuilder({ flavor: 'mariadb', timestamp: 1_700_000_000 }).begin();
    insert(mariadb, orders, row(1, 'a'));
    const driver = new AppendDriver({ timeZone: 'Asia/Tokyo' }).run(runOf(mariadb));
    assert.equal(driver.messages[0]?.payload[0]?.tuple[1], '2023-11-15 07:13:20.000');
  });

  test('gives the same messages however the events are cut into runs', () => {
    const builder = new BinlogBuilder().begin();
    for (let i = 0; i < 30; i++) insert(builder, i % 3 === 0 ? users : orders, row(i, 'x'.repeat(i)));
    const packets = (runBytes: number): unknown[] => {
      const copy = new BinlogBuilder().begin();
      for (let i = 0; i < 30; i++) insert(copy, i % 3 === 0 ? users : orders, row(i, 'x'.repeat(i)));
      const driver = new AppendDriver();
      for (const run of runsOf(copy, runBytes)) driver.run(run);
      return driver.messages
        .flatMap(message =>
          message.payload.map(({ tuple }) => [message.schema.namespace, tuple[0], tuple[3], tuple[4]]),
        )
        .sort();
    };
    assert.deepEqual(packets(200), packets(262_144));
  });

  test('keeps counts and the last position of each table in its store', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'), row(2, 'b'));
    transaction(builder, orders, Buffer.concat([row(1, 'a'), row(5, 'c')]), 'update');
    transaction(builder, orders, row(2, 'b'), 'delete');
    const driver = new AppendDriver().run(runOf(builder));
    const { fingerprint, lastUmsId, lastTs, ...state } = driver.states.get('shop.orders') ?? assert.fail();
    const last = driver.messages[0]?.payload.at(-1)?.tuple;
    assert.deepEqual([lastUmsId, lastTs], [last?.[0], last?.[1]]);
    assert.match(fingerprint, /^[0-9a-f]{16}$/);
    assert.deepEqual(state, {
      version: 0,
      innerVersion: 0,
      columns: [
        { name: 'id', umsType: 'int' },
        { name: 'name', umsType: 'string' },
      ],
      inserts: 2,
      updates: 1,
      deletes: 1,
      messages: 1,
      bytes: driver.emitted[0]?.output.value.length,
      parked: null,
    });
    const second = new BinlogBuilder({ position: builder.position }).begin();
    insert(second, orders, row(3, 'c'));
    driver.run(runOf(second));
    assert.equal(driver.states.get('shop.orders')?.inserts, 3);
  });

  test('leaves out tables that are not subscribed', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    insert(builder, users, row(2, 'b'));
    const driver = new AppendDriver({ subscribed: (_, name) => name === 'users' }).run(runOf(builder));
    assert.deepEqual(driver.story, [['users.0', ['i', 2, 'b']]]);
    assert.deepEqual([...driver.states.keys()], ['shop.users']);
  });
});

describe('before images', () => {
  const update = (from: Buffer, to: Buffer, options: Partial<Parameters<typeof table>[2]> = {}) => {
    const builder = new BinlogBuilder().begin();
    transaction(builder, table('orders', 7, options), Buffer.concat([from, to]), 'update');
    return runOf(builder);
  };

  test('are written for updates of the primary key only, unless more are asked for', () => {
    assert.deepEqual(new AppendDriver().run(update(row(1, 'a'), row(1, 'b'))).story, [
      ['orders.0', ['u', 1, 'b']],
    ]);
    assert.deepEqual(new AppendDriver().run(update(row(1, 'a'), row(2, 'a'))).story, [
      ['orders.0', ['b', 1, 'a'], ['u', 2, 'a']],
    ]);
  });

  test('are written for all updates of a configured table', () => {
    const driver = new AppendDriver({ beforeImage: (schema, name) => `${schema}.${name}` === 'shop.orders' });
    assert.deepEqual(driver.run(update(row(1, 'a'), row(1, 'b'))).story, [
      ['orders.0', ['b', 1, 'a'], ['u', 1, 'b']],
    ]);
  });

  test('are written for all updates of a table without a primary key', () => {
    const builder = new BinlogBuilder().begin();
    const { primaryKey: _, ...keyless } = orders;
    transaction(builder, keyless, Buffer.concat([row(1, 'a'), row(1, 'b')]), 'update');
    assert.deepEqual(new AppendDriver().run(runOf(builder)).story, [
      ['orders.0', ['b', 1, 'a'], ['u', 1, 'b']],
    ]);
  });
});

describe('bounds of a message', () => {
  const many = (count: number, text = 'x') => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, ...Array.from({ length: count }, (_, i) => row(i, text)));
    return runOf(builder);
  };
  const sizes = (driver: AppendDriver): number[] => driver.messages.map(({ payload }) => payload.length);

  test('split an event of many rows', () => {
    const driver = new AppendDriver({ maxRows: 4 }).run(many(10));
    assert.deepEqual(sizes(driver), [4, 4, 2]);
    assert.deepEqual(
      driver.messages.flatMap(({ payload }) => payload.map(({ tuple }) => tuple[4])),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(driver.states.get('shop.orders')?.messages, 3);
  });

  test('split rows that come in several events', () => {
    const builder = new BinlogBuilder().begin();
    for (let i = 0; i < 5; i++) insert(builder, orders, row(2 * i, 'a'), row(2 * i + 1, 'b'));
    assert.deepEqual(sizes(new AppendDriver({ maxRows: 3 }).run(runOf(builder))), [3, 3, 3, 1]);
  });

  test('keep messages within the bytes, and give a larger row a message of its own', () => {
    const driver = new AppendDriver({ maxBytes: 900 }).run(many(40, 'y'.repeat(30)));
    const lengths = driver.emitted.map(({ output }) => output.value.length);
    assert.ok(lengths.length > 5 && lengths.every(length => length <= 900), String(lengths));
    assert.equal(
      sizes(driver).reduce((a, b) => a + b),
      40,
    );
    assert.deepEqual(sizes(new AppendDriver({ maxBytes: 10 }).run(many(3))), [1, 1, 1]);
  });

  test('do not part an update from its before image', () => {
    const builder = new BinlogBuilder().begin();
    const pairs = Array.from({ length: 6 }, (_, i) => Buffer.concat([row(i, 'a'), row(i + 100, 'b')]));
    transaction(builder, orders, Buffer.concat(pairs), 'update');
    const run = runOf(builder);
    for (const options of [{ maxRows: 3 }, { maxBytes: 700 }, { maxBytes: 10 }]) {
      for (const { payload } of new AppendDriver(options).run(run).messages) {
        const operations = payload.map(({ tuple }) => tuple[2]).join('');
        assert.match(operations, /^(bu)+$/);
      }
    }
  });
});

describe('a run that is unusable as a whole', () => {
  const good = () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    return runOf(builder);
  };

  test('is refused, and nothing is emitted', () => {
    const run = good();
    for (const bad of [
      { ...run, spans: [...run.spans, 0, 100] },
      { ...run, spans: run.spans.slice(0, -2) },
      { ...run, tables: [] },
      { ...run, spans: run.spans.map((each, i) => (i === 1 ? -each : each)) },
    ]) {
      const driver = new AppendDriver();
      assert.throws(
        () => driver.run(bad),
        error => isUmbusError(error, 'UMBUS_TOPOLOGY_DECODE'),
      );
      assert.deepEqual([driver.emitted.length, driver.parked.length, driver.states.size], [0, 0, 0]);
    }
  });

  test('is refused when its file has no number, or one that ums_id_ cannot hold', () => {
    for (const file of ['binlog', 'binlog.922337']) {
      assert.throws(
        () => new AppendDriver().run({ ...good(), file }),
        error => isUmbusError(error, 'UMBUS_SOURCE_PROTOCOL'),
      );
    }
  });
});
