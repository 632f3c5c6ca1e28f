import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { createMemoryRegistry, type MemoryRegistry } from '../../src/adapters/memory/index.ts';
import { openLineSchemas } from '../../src/adapters/registry/index.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import type { LineSchema } from '../../src/config/line.ts';
import { createAvroReader, createTables, rows, type UmsMessage } from '../../src/consumer/index.ts';
import { isUmbusError, UmbusError } from '../../src/core/errors.ts';
import type { SchemaCompatibility } from '../../src/ports/schema-registry.ts';
import type { TopologyEvents } from '../../src/runtime/events.ts';
import { tablesStore } from '../../src/stages/append.ts';
import { createDriver, type Driver } from '../../src/testing/index.ts';
import { type AppenderConfig, appender } from '../../topologies/appender.ts';
import { resultTopic, schemaTopic } from '../../topologies/topics.ts';
import { BinlogBuilder, transaction } from '../support/binlog-builder.ts';
import { PullWorld } from '../support/pull-world.ts';
import { heartbeatImage, heartbeatTable, packetOf } from '../support/signal-rows.ts';
import { image, le } from '../unit/rows/rows-fixture.ts';
import { insert, row, runsOf, table } from '../unit/stages/append-fixture.ts';

type Config = AppenderConfig;

const schemaWith = (format: 'json' | 'avro'): LineSchema => ({
  tables: ['*'],
  exclude: [],
  beforeImage: [],
  logical: {},
  initial: 'none',
  masks: [],
  result: { partitions: null, placeBy: 'table', placeColumns: {}, format },
});

async function configOf(registry: MemoryRegistry, compatibility: SchemaCompatibility): Promise<Config> {
  return {
    ds: 'web',
    schemas: { shop: schemaWith('avro'), plain: schemaWith('json') },
    signals: { schema: 'dbus' },
    topics: { partitions: 1, retentionMs: null, retentionBytes: null },
    appender: { maxRows: 500, maxBytes: 1_048_576, timeZone: 'UTC' },
    masking: { keys: {}, timeoutMs: 1_000, directory: '/' },
    registered: await openLineSchemas(registry, { ds: 'web', compatibility }),
  };
}

/** Orders whose second column has turned from text into a number, which no reader of the old rows takes. */
const changed = table('orders', 8, {
  columns: [
    { name: 'id', type: 3 },
    { name: 'name', type: 3, nullable: true },
  ],
});

/** Sends what was built, a run for each transaction. */
async function send(driver: Driver, config: Config, builder: BinlogBuilder): Promise<void> {
  await sendRuns(driver, config, runsOf(builder, 1));
}

async function sendRuns(driver: Driver, config: Config, runs: readonly RawRun[]): Promise<void> {
  const input = driver.in(schemaTopic(config, 'shop'));
  for (const run of runs) await input.send(`${run.file}:${run.position}`, run);
}

async function published(driver: Driver, config: Config, registry: MemoryRegistry): Promise<UmsMessage[]> {
  const reader = createAvroReader(registry);
  const records = driver.out(resultTopic(config, 'shop')).all();
  return Promise.all(records.map(({ key, value }) => reader.read({ key, value })));
}

const brief = (messages: readonly UmsMessage[]): unknown[] =>
  messages.map(message => {
    const [row] = rows(message);
    const [, , , name, version] = message.schema.namespace.split('.');
    return [`${name}.${version}`, message.schema.reason ?? row?.values];
  });

test('a result in Avro has one record a row, with the ids of the registry, and a table is rebuilt from it', async () => {
  const registry = createMemoryRegistry(30);
  const config = await configOf(registry, 'BACKWARD');
  const driver = createDriver(appender, config);
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'), row(2, null));
  insert(builder, table('order-lines', 9), row(7, 'x'));
  insert(
    builder,
    { ...table('orders', 11), columns: [...table('orders').columns, { name: 'more', type: 3 }] },
    image(le(3, 4), Buffer.from([1, 99]), le(5, 4)),
  );
  await send(driver, config, builder);
  await driver.settle();
  const messages = await published(driver, config, registry);
  assert.deepEqual(brief(messages), [
    ['orders.0', { id: 1, name: 'a' }],
    ['orders.0', { id: 2, name: null }],
    ['order-lines.0', { id: 7, name: 'x' }],
    ['orders.0', 'schema'],
    ['orders.1', { id: 3, name: 'c', more: 5 }],
  ]);
  assert.deepEqual(
    [...registry.subjects.keys()],
    [
      'web-value',
      'web.shop.result-web.shop.orders',
      'web.shop.result-web.shop.order_x2d_lines',
      'web.shop.result-umbus.UmsTermination',
    ],
  );
  assert.equal(registry.subjects.get('web.shop.result-web.shop.orders')?.length, 2);
  assert.equal(registry.compatibilityOf('web.shop.result-web.shop.orders'), 'BACKWARD');
  const tables = createTables();
  for (const message of messages) tables.apply(message);
  assert.deepEqual([...(tables.get('shop.orders')?.rows() ?? [])].length, 3);
  await driver.stop();
});

test('heartbeats in Avro are records of their own, in order with the rows', async () => {
  const registry = createMemoryRegistry(30);
  const config = await configOf(registry, 'BACKWARD');
  const driver = createDriver(appender, config);
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'));
  const packet = packetOf(1, 1_767_631_860_123_456);
  const beat = heartbeatImage({ id: 1, ds: 'web', schema: '*', table: '*', packet });
  transaction(builder, heartbeatTable(90), beat);
  insert(builder, table('orders'), row(2, 'b'));
  await send(driver, config, builder);
  await driver.settle();
  const messages = await published(driver, config, registry);
  assert.deepEqual(
    messages.map(({ protocol, payload }) => [protocol.type, payload[0]?.tuple[1]]),
    [
      ['data_increment_data', '2023-11-14 22:13:20.000000'],
      ['data_increment_heartbeat', '2026-01-05 16:51:00.123456'],
      ['data_increment_data', '2023-11-14 22:13:20.000000'],
    ],
  );
  await driver.stop();
});

test('a table without a key that is pulled into Avro results is whole for a reader of Avro', async () => {
  const registry = createMemoryRegistry(30);
  const config = await configOf(registry, 'BACKWARD');
  const driver = createDriver(appender, config);
  const world = new PullWorld('orders', { keyless: true });
  const place = { schema: 'shop', table: 'orders' };
  // From before the line, or gone unseen: only the pull knows.
  world.put(1, 'stale');
  world.rows.clear();
  const shard = { ...place, pull: 'p', shard: 0, token: 'w' };
  world.signal({ ...place, kind: 'begin', pull: 'p', whole: true, hold: 'rows' });
  world.signal({ ...shard, kind: 'low', last: true });
  world.signal({ ...shard, kind: 'high' });
  world.put(6, 'late');
  world.page(
    'w',
    0,
    [
      [1, 'a'],
      [5, 'a'],
    ],
    null,
  );
  const input = driver.in(schemaTopic(config, 'shop'));
  for (const { run, headers } of world.records) await input.send('k', run, { headers });
  await driver.settle();
  const messages = await published(driver, config, registry);
  assert.deepEqual(
    messages.map(({ protocol, schema, payload }) => [protocol.type, schema.batch?.state, payload.length]),
    [
      ['data_increment_data', undefined, 1],
      ['data_initial_data', 'begin', 0],
      ['data_initial_data', undefined, 1],
      ['data_initial_data', undefined, 1],
      ['data_initial_data', 'end', 0],
      ['data_increment_data', undefined, 1],
    ],
  );
  const tables = createTables();
  for (const message of messages) tables.apply(message);
  assert.deepEqual(
    [...(tables.get('shop.orders')?.rows() ?? [])].map(({ id, name }) => `${id}${name}`).sort(),
    ['1a', '1a', '2late'],
  );
  await driver.stop();
});

test('a replay after a crash writes the same bytes with the same seq', async () => {
  const registry = createMemoryRegistry();
  const config = await configOf(registry, 'BACKWARD');
  const builder = new BinlogBuilder().begin();
  for (let index = 0; index < 20; index++) insert(builder, table('orders'), row(index, `n${index}`));
  const runs = runsOf(builder, 1);
  const outputs: string[][] = [];
  for (const crash of [0, 0.3]) {
    const driver = createDriver(appender, config, { commitMode: 'outputs-first', seed: 5 });
    await sendRuns(driver, config, runs);
    driver.chaos({ crash });
    for (let step = 0; step < 60; step++) await driver.step();
    driver.chaos({});
    await driver.settle();
    assert.equal(driver.faults.length > 0, crash > 0);
    const records = driver.out(resultTopic(config, 'shop')).distinct();
    outputs.push(
      records.map(
        ({ seq, value }) => `${Buffer.from(seq ?? []).toString('hex')} ${Buffer.from(value).toString('hex')}`,
      ),
    );
    await driver.stop();
  }
  assert.equal(outputs[0]?.length, 20);
  assert.deepEqual(outputs[1], outputs[0]);
});

test('a table whose new columns the registry refuses is parked with its raw events, and the others go on', async () => {
  const registry = createMemoryRegistry();
  const config = await configOf(registry, 'BACKWARD');
  const parked: string[] = [];
  const events: TopologyEvents = {
    parked: ({ key, code, message }) => parked.push(`${key} ${code} ${message}`),
  };
  const driver = createDriver(appender, config, { events });
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'));
  insert(builder, changed, image(le(2, 4), le(5, 4)));
  insert(builder, table('others', 9), row(1, 'o'));
  insert(builder, changed, image(le(3, 4), le(6, 4)));
  await send(driver, config, builder);
  await driver.settle();
  assert.deepEqual(brief(await published(driver, config, registry)), [
    ['orders.0', { id: 1, name: 'a' }],
    ['others.0', { id: 1, name: 'o' }],
  ]);
  assert.equal(parked.length, 2);
  assert.match(
    parked[0] ?? '',
    /^shop\.orders UMBUS_REGISTRY_INCOMPATIBLE .*subject web\.shop\.result-web\.shop\.orders/,
  );
  const state = (await driver.store(tablesStore)).get('shop.orders');
  assert.equal(state?.version, 0, 'the version that is open is still the one before');
  assert.equal(state?.parked?.code, 'UMBUS_REGISTRY_INCOMPATIBLE');
  await driver.stop();
});

test('a registry that is away holds the line up, which goes on by itself when it is back', async () => {
  const registry = createMemoryRegistry();
  const config = await configOf(registry, 'BACKWARD');
  const codes: string[] = [];
  const driver = createDriver(appender, config, {
    events: {
      restarted: ({ code }) => {
        codes.push(code);
        if (codes.length === 3) registry.failure = null;
      },
    },
  });
  registry.failure = new UmbusError('UMBUS_REGISTRY_UNREACHABLE', 'The registry is away.');
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'));
  await send(driver, config, builder);
  await driver.settle();
  assert.deepEqual(
    codes,
    Array.from({ length: 3 }, () => 'UMBUS_REGISTRY_UNREACHABLE'),
  );
  assert.deepEqual(brief(await published(driver, config, registry)), [['orders.0', { id: 1, name: 'a' }]]);
  await driver.stop();
});

test('an id on the input that the registry does not know stops the task at the record', async () => {
  const registry = createMemoryRegistry();
  const config = await configOf(registry, 'BACKWARD');
  const driver = createDriver(appender, config);
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'));
  const [run] = runsOf(builder);
  assert.ok(run !== undefined);
  const bytes = Buffer.from(schemaTopic(config, 'shop').value.encode(run));
  bytes.writeUInt32BE(4_711, 1);
  await driver.in(schemaTopic(config, 'shop')).sendBytes(Buffer.from('k'), bytes);
  await assert.rejects(driver.settle(), (error: unknown) => {
    assert.ok(isUmbusError(error, 'UMBUS_REGISTRY_UNKNOWN_SCHEMA'), `${error}`);
    assert.match(error.message, /at web\.shop\/0 offset 0.*4711/);
    return true;
  });
});
