import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import { eventStart } from '../../../src/binlog/position.ts';
import type { RawRun } from '../../../src/change/raw-run.ts';
import { createDispatcher, type Dispatched, tablePartition } from '../../../src/stages/dispatch.ts';
import type { EmitOptions } from '../../../src/topology/types.ts';
import { DISPATCHED_HEADER } from '../../../src/ums/beat-stamps.ts';
import { type LogicalName, OWN_NAME } from '../../../src/ums/namespace.ts';
import { BinlogBuilder, type TableSpec, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';

interface Part {
  readonly key: string;
  readonly part: Dispatched;
  readonly options: EmitOptions;
}

function dispatchRun(
  run: RawRun,
  partitions: number,
  schemas: readonly string[] = ['shop', 'crm'],
  logical: LogicalName = OWN_NAME,
): Part[] {
  const parts: Part[] = [];
  const processor = createDispatcher({
    partitions,
    schemas,
    logical,
    signal: (schema, name) => schema === 'dbus' && name === 'signals',
  });
  const context = { stores: {}, task: 'dispatcher-0', partition: 0, now: () => 0, park: () => assert.fail() };
  processor.on(
    {
      key: 'bin.000001:4',
      value: run,
      topic: 'web',
      offset: 0n,
      timestampMs: 0,
      seq: new Uint8Array(16),
      headers: {},
    },
    context,
    (key, part, options = {}) => parts.push({ key, part, options }),
  );
  return parts;
}

function table(tableId: number, schema: string, name: string): TableSpec {
  return { tableId, schema, table: name, columns: [{ name: 'id', type: ColumnType.LONG }] };
}

const row = (id: number): Buffer => Buffer.from([0, id, 0, 0, 0]);

function runOf(build: (builder: BinlogBuilder) => void): RawRun {
  const builder = new BinlogBuilder().begin();
  build(builder);
  const driver = new ExtractDriver({ subscribed: () => true, subscribedSchema: schema => schema !== '' });
  const [run] = driver.open().bytes(builder.packets()).commit().runs;
  return run ?? assert.fail();
}

test('a run of one table passes unchanged', () => {
  const run = runOf(builder => {
    for (let i = 0; i < 5; i++) transaction(builder, table(1, 'shop', 'orders'), row(i));
  });
  const parts = dispatchRun(run, 8);
  assert.equal(parts.length, 1);
  const partition = tablePartition('shop', 'orders', 8);
  assert.deepEqual(parts[0], {
    key: 'bin.000001:4',
    part: { schema: 'shop', partition, run },
    options: { partition },
  });
  assert.equal(parts[0]?.part.run, run);
});

test('the partition of a table is that of Kafka for the key schema.table', () => {
  // murmur2('foobar') is -790332482.
  assert.equal(tablePartition('a', 'b', 1), 0);
  const spread = new Set(Array.from({ length: 100 }, (_, i) => tablePartition('shop', `t${i}`, 8)));
  assert.equal(spread.size, 8);
});

test('all tables of a logical one are in the partition of its name', () => {
  const run = runOf(builder => {
    for (let i = 0; i < 9; i++) transaction(builder, table(i, 'shop', `orders_${i}`), row(i));
    transaction(builder, table(20, 'shop', 'customers'), row(1));
  });
  const logical = (_: string, name: string): string => (name.startsWith('orders_') ? 'orders' : name);
  const parts = dispatchRun(run, 16, ['shop'], logical);
  const own = parts.filter(({ part }) => part.run.tables.some(({ table: of }) => of.startsWith('orders_')));
  assert.deepEqual(
    own.map(({ part }) => [part.partition, part.run.tables.length]),
    [[tablePartition('shop', 'orders', 16), 9]],
  );
  assert.ok(parts.some(({ part }) => part.partition === tablePartition('shop', 'customers', 16)));
});

test('a mixed run is split by schema and partition, in order, with each part its own transactions', () => {
  const specs = [
    table(1, 'shop', 'orders'),
    table(2, 'shop', 'customers'),
    table(3, 'crm', 'leads'),
    table(4, 'secret', 'keys'),
  ];
  const run = runOf(builder => {
    for (let i = 0; i < 40; i++) {
      const spec = specs[i % specs.length];
      if (spec !== undefined) transaction(builder, spec, row(i));
    }
    builder.gtid();
    builder.query('BEGIN');
    for (const spec of specs) builder.tableMap(spec);
    for (const spec of specs) builder.rows('insert', spec.tableId, 1, row(99));
    builder.xid();
  });
  const partitions = 16;
  const parts = dispatchRun(run, partitions);
  const wanted = (name: string): string[] =>
    eventsOf(run)
      .filter(each => each.table === name)
      .map(each => Buffer.from(each.event).toString('hex'));
  assert.deepEqual(
    parts.map(({ part }) => part.schema),
    ['shop', 'shop', 'crm'],
  );
  for (const { part, options } of parts) {
    const events = eventsOf(part.run);
    const names = [...new Set(events.map(each => each.table).filter(name => name !== '-'))];
    assert.equal(names.length, 1);
    const [name = ''] = names;
    const [schema = '', tableName = ''] = name.split('.');
    assert.equal(part.schema, schema);
    assert.equal(part.partition, tablePartition(schema, tableName, partitions));
    assert.equal(options.partition, part.partition);
    assert.deepEqual(
      events.filter(each => each.table === name).map(each => Buffer.from(each.event).toString('hex')),
      wanted(name),
    );
    // One GTID before each row event, for each is of another transaction.
    assert.equal(events.length, 2 * wanted(name).length);
    assert.ok(events.every((each, i) => (each.table === '-') === (i % 2 === 0)));
    assert.equal(part.run.position, eventStart(part.run.events, 0, run.position));
    assert.deepEqual([part.run.next, part.run.resume], [run.next, run.resume]);
    assert.equal(part.run.tables.length, 1);
  }
});

test('the starts of parts add up to true offsets beyond 4 GB', () => {
  const position = 2 ** 32 - 200;
  const builder = new BinlogBuilder({ position }).begin();
  transaction(builder, table(1, 'shop', 'orders'), row(1));
  const second = builder.position;
  transaction(builder, table(3, 'crm', 'leads'), row(2));
  const driver = new ExtractDriver({ subscribed: () => true });
  driver
    .open({ from: { file: 'bin.000001', position, gtid: '' } })
    .bytes(builder.packets())
    .commit();
  const parts = dispatchRun(driver.runs[0] ?? assert.fail(), 4);
  assert.deepEqual(
    parts.map(({ part }) => part.run.position),
    [position, second],
  );
});

test('statements go to all partitions of their schema, each after its transaction start', () => {
  const run = runOf(builder => {
    transaction(builder, table(1, 'shop', 'orders'), row(1));
    builder.gtid();
    builder.query('ALTER TABLE orders ADD c INT', 'shop');
    transaction(builder, table(3, 'crm', 'leads'), row(2));
  });
  const parts = dispatchRun(run, 3);
  const shop = parts.filter(({ part }) => part.schema === 'shop');
  assert.deepEqual(shop.map(({ part }) => part.partition).sort(), [0, 1, 2]);
  const home = tablePartition('shop', 'orders', 3);
  for (const { part } of shop) {
    const names = eventsOf(part.run).map(each => each.table);
    const expected = part.partition === home ? ['-', 'shop.orders', '-', 'shop.'] : ['-', 'shop.'];
    assert.deepEqual(names, expected);
  }
  assert.equal(parts.filter(({ part }) => part.schema === 'crm').length, 1);
});

test('a run without events, or of schemas nobody asked for, emits nothing', () => {
  const run = runOf(builder => transaction(builder, table(4, 'secret', 'keys'), row(1)));
  assert.deepEqual(dispatchRun(run, 4), []);
  assert.deepEqual(dispatchRun({ ...run, tables: [], spans: [], events: Buffer.alloc(0) }, 4), []);
});

test('spans that are longer than the events are an error with a code', () => {
  const run = runOf(builder => {
    transaction(builder, table(1, 'shop', 'orders'), row(1));
    transaction(builder, table(3, 'crm', 'leads'), row(2));
  });
  const spans = run.spans.map((span, i) => (i % 2 === 1 ? span + 1000 : span));
  assert.throws(() => dispatchRun({ ...run, spans: [7, run.events.length] }, 4), {
    code: 'UMBUS_TOPOLOGY_DECODE',
  });
  assert.throws(() => dispatchRun({ ...run, spans }, 4), { code: 'UMBUS_TOPOLOGY_DECODE' });
});

test('the same run is always split alike', () => {
  const run = runOf(builder => {
    for (let i = 0; i < 30; i++) transaction(builder, table(i + 1, i % 2 ? 'shop' : 'crm', `t${i}`), row(i));
  });
  assert.deepEqual(dispatchRun(run, 5), dispatchRun(run, 5));
});

test('signals go to all partitions of all schemas, in order with the events around them', () => {
  const run = runOf(builder => {
    transaction(builder, table(1, 'shop', 'orders'), row(1));
    transaction(builder, table(9, 'dbus', 'signals'), row(2));
    transaction(builder, table(1, 'shop', 'orders'), row(3));
  });
  const parts = dispatchRun(run, 4);
  const places = parts.map(({ part }) => `${part.schema}/${part.partition}`).sort();
  assert.deepEqual(
    places,
    ['crm', 'shop'].flatMap(schema => [0, 1, 2, 3].map(partition => `${schema}/${partition}`)),
  );
  const home = tablePartition('shop', 'orders', 4);
  for (const { part } of parts) {
    const names = eventsOf(part.run).map(({ table: name }) => name);
    const isHome = part.schema === 'shop' && part.partition === home;
    const signal = ['-', 'dbus.signals'];
    const order = ['-', 'shop.orders'];
    assert.deepEqual(names, isHome ? [...order, ...signal, ...order] : signal);
  }
});

test('what has signals says when it was dispatched, and nothing else does', () => {
  const stamped = (build: (builder: BinlogBuilder) => void) =>
    dispatchRun(runOf(build), 2).map(({ options }) => Object.keys(options.headers ?? {}));
  const signal = table(9, 'dbus', 'signals');
  assert.deepEqual(
    stamped(builder => transaction(builder, signal, row(2))),
    [0, 1, 2, 3].map(() => [DISPATCHED_HEADER]),
  );
  const both = stamped(builder => {
    transaction(builder, table(1, 'shop', 'orders'), row(1));
    transaction(builder, signal, row(2));
  });
  assert.deepEqual(
    both,
    [0, 1, 2, 3].map(() => [DISPATCHED_HEADER]),
  );
  assert.deepEqual(
    stamped(builder => transaction(builder, table(1, 'shop', 'orders'), row(1))),
    [[]],
  );
});

test('a line of one schema and one partition passes a run with signals unchanged', () => {
  const run = runOf(builder => transaction(builder, table(9, 'dbus', 'signals'), row(2)));
  const parts = dispatchRun(run, 1, ['shop']);
  assert.deepEqual(
    parts.map(({ part }) => part),
    [{ schema: 'shop', partition: 0, run }],
  );
});
