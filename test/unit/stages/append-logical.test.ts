import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { createTables, parseKey, parseNamespace } from '../../../src/consumer/index.ts';
import { tablePartition } from '../../../src/stages/dispatch.ts';
import { partitionOf } from '../../../src/topology/partitioner.ts';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { heartbeatImage, heartbeatTable, packetOf } from '../../support/signal-rows.ts';
import { image, le } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runsOf, table } from './append-fixture.ts';

const old = table('orders_2025', 7);
const young = table('orders_2026', 8);
const logical = (_: string, name: string): string => (name.startsWith('orders_') ? 'orders' : name);
const PARTITIONS = 8;
/** Logical names that are in the partition of the fixture's task, and in another. */
const names = Array.from({ length: 100 }, (_, i) => `logical${i}`);
const isOwn = (name: string): boolean => tablePartition('shop', name, PARTITIONS) === 3;
const OWN = names.find(isOwn) ?? assert.fail();
const ELSEWHERE = names.find(name => !isOwn(name)) ?? assert.fail();
const MICROS = 1_767_631_860_123_456;

function appended(
  build: (builder: BinlogBuilder) => void,
  options: ConstructorParameters<typeof AppendDriver>[0] = {},
): AppendDriver {
  const builder = new BinlogBuilder().begin();
  build(builder);
  const driver = new AppendDriver({ logical, subscribed: schema => schema === 'shop', ...options });
  for (const run of runsOf(builder)) driver.run(run);
  return driver;
}

function sql(builder: BinlogBuilder, text: string): void {
  builder.gtid();
  builder.query(text, 'shop');
}

/** `<table>.<version> <part>` and the rows' first values, or the reason of the end. */
const story = ({ messages }: AppendDriver): string[] =>
  messages.map(({ protocol, schema, payload }) => {
    const { table: name, version, tablePartition } = parseNamespace(schema.namespace);
    const end = protocol.type === 'data_increment_termination';
    const what = end ? schema.reason : payload.map(({ tuple }) => tuple[4]).join();
    return `${name}.${version} ${tablePartition} ${what}`;
  });

describe('the tables of a logical one', () => {
  test('are published under its name, each with part 7 and versions of its own', () => {
    const driver = appended(builder => {
      insert(builder, old, row(1, 'a'));
      insert(builder, young, row(1, 'b'));
      sql(builder, 'TRUNCATE TABLE orders_2025');
      insert(builder, old, row(2, 'c'));
      insert(builder, young, row(2, 'd'));
      sql(builder, 'DROP TABLE orders_2026');
    });
    assert.deepEqual(story(driver), [
      'orders.0 orders_2025 1',
      'orders.0 orders_2025 truncate',
      'orders.0 orders_2026 1,2',
      'orders.0 orders_2026 drop',
      'orders.1 orders_2025 2',
    ]);
    assert.deepEqual([...driver.states.keys()].sort(), ['shop.orders_2025', 'shop.orders_2026']);
    for (const [i, { output }] of driver.emitted.entries()) {
      const namespace = driver.messages[i]?.schema.namespace ?? assert.fail();
      assert.deepEqual(parseKey(output.key).namespace, parseNamespace(namespace));
      assert.equal(output.table, 'orders');
    }
  });

  test('change their columns one by one without being parked', () => {
    const wide = table('orders_2025', 9, {
      columns: [...old.columns, { name: 'more', type: T.LONG, nullable: true }],
    });
    const driver = appended(builder => {
      insert(builder, old, row(1, 'a'));
      sql(builder, 'ALTER TABLE orders_2025 ADD more INT');
      insert(builder, wide, image(le(2, 4), null, null));
      insert(builder, young, row(3, 'b'));
    });
    assert.deepEqual(story(driver), [
      'orders.0 orders_2025 1',
      'orders.0 orders_2025 schema',
      'orders.1 orders_2025 2',
      'orders.0 orders_2026 3',
    ]);
    assert.deepEqual(driver.parked, []);
  });

  test('have notices that say both names', () => {
    const driver = appended(builder => insert(builder, old, row(1, 'a')));
    const [notice] = driver.notices;
    assert.deepEqual([notice?.table, notice?.logical], ['orders_2025', 'orders']);
  });

  test('are in the partition of its name', () => {
    const driver = appended(
      builder => {
        insert(builder, old, row(1, 'a'));
        insert(builder, young, row(1, 'b'));
      },
      { result: () => ({ partitions: 16, placeBy: 'table', columns: () => null }) },
    );
    const home = partitionOf(Buffer.from('shop.orders'), 16);
    assert.deepEqual(
      driver.emitted.map(({ output }) => output.partition),
      [home, home],
    );
  });
});

describe('a heartbeat of a logical table', () => {
  const beats = (driver: AppendDriver): string[] =>
    driver.emitted
      .filter((_, i) => driver.messages[i]?.protocol.type === 'data_increment_heartbeat')
      .map(({ output }) => {
        const { namespace, status } = parseKey(output.key);
        return `${namespace.table}.${namespace.version} ${namespace.tablePartition} ${status}`;
      });
  const beat = (builder: BinlogBuilder, name: string, round = 12): void =>
    transaction(
      builder,
      heartbeatTable(90),
      heartbeatImage({ id: 7, ds: 'web', schema: '*', table: name, packet: packetOf(round, MICROS) }),
    );
  const signals = { schema: 'dbus', partitions: 1 };

  test('is one for all of its tables, behind the rows of all, with what they had together', () => {
    const inPartition = { signals, partitions: 1 };
    const driver = appended(builder => {
      insert(builder, old, row(1, 'a'));
      sql(builder, 'TRUNCATE TABLE orders_2025');
      insert(builder, old, row(2, 'a'));
      insert(builder, young, row(1, 'b'));
      insert(builder, table('customers', 20), row(1, 'c'));
      beat(builder, '*');
      insert(builder, young, row(2, 'b'));
    }, inPartition);
    assert.deepEqual(beats(driver), ['customers.0 0 ok', 'orders.1 * ok']);
    const types = driver.messages.map(({ protocol }) => protocol.type);
    const last = types.lastIndexOf('data_increment_heartbeat');
    assert.deepEqual(types.slice(last + 1), ['data_increment_data']);
    assert.equal(driver.signals.get('shop')?.totals['orders']?.[0], 3);
  });

  test('comes once a round when the tables are named one by one, or by the name of the logical one', () => {
    const driver = appended(
      builder => {
        for (const name of ['orders_2025', 'orders_2026', OWN]) beat(builder, name);
        beat(builder, OWN, 13);
      },
      {
        signals: { schema: 'dbus', partitions: PARTITIONS },
        logical: (_, name) => (name.startsWith('orders_') ? OWN : name),
      },
    );
    assert.deepEqual(beats(driver), [`${OWN}.0 * ok`, `${OWN}.0 * ok`]);
    const driverOfAnother = appended(builder => beat(builder, 'orders_2025'), {
      signals: { schema: 'dbus', partitions: PARTITIONS },
      logical: (_, name) => (name.startsWith('orders_') ? ELSEWHERE : name),
    });
    assert.deepEqual(beats(driverOfAnother), []);
  });
});

describe('a table of a logical one that is renamed', () => {
  test('takes its rows along within it, out of it and into it', () => {
    const archive = table('archive', 30);
    const newer = table('orders_0000', 31);
    const driver = appended(builder => {
      insert(builder, old, row(1, 'a'), row(2, 'b'));
      insert(builder, young, row(1, 'c'));
      sql(builder, 'RENAME TABLE orders_2025 TO orders_0000');
      insert(builder, newer, row(3, 'd'));
      sql(builder, 'RENAME TABLE orders_2026 TO archive');
      insert(builder, archive, row(4, 'e'));
      sql(builder, 'RENAME TABLE archive TO orders_2025');
    });
    const ends = driver.messages.filter(({ schema }) => schema.reason === 'rename');
    assert.deepEqual(
      ends.map(({ schema }) => [schema.renamedTo, schema.renamedPart]),
      [
        ['shop.orders', 'orders_0000'],
        ['shop.archive', undefined],
        ['shop.orders', 'orders_2025'],
      ],
    );
    const tables = createTables();
    for (const message of driver.messages) tables.apply(message);
    const ids = (part: string): unknown[] =>
      Array.from(tables.get('shop.orders', part)?.rows() ?? [], ({ id }) => id).sort();
    assert.deepEqual(ids('orders_0000'), [1, 2, 3]);
    assert.deepEqual(ids('orders_2025'), [1, 4]);
    assert.deepEqual(ids('orders_2026'), []);
    assert.equal(tables.get('shop.orders')?.size, 5);
    assert.equal(tables.get('shop.archive')?.size, 0);
  });
});
