import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { parseKey } from '../../../src/consumer/index.ts';
import type { AppendOptions } from '../../../src/stages/append.ts';
import { tablePartition } from '../../../src/stages/dispatch.ts';
import { BEAT_HEADER, beatStampsOf } from '../../../src/ums/beat-stamps.ts';
import { BinlogBuilder, type TableSpec, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver } from '../../support/extract-driver.ts';
import {
  heartbeatImage,
  heartbeatTable,
  packetOf,
  watermarkImage,
  watermarkTable,
} from '../../support/signal-rows.ts';
import { AppendDriver, insert, row, table } from './append-fixture.ts';

const PARTITIONS = 8;
/** A table of the fixture's task, which has partition 3. */
const QUIET =
  Array.from({ length: 100 }, (_, i) => `quiet${i}`).find(
    name => tablePartition('shop', name, PARTITIONS) === 3,
  ) ?? assert.fail();
const MICROS = 1_767_631_860_123_456;

function beat(builder: BinlogBuilder, options: Partial<Parameters<typeof heartbeatImage>[0]> = {}): void {
  const image = heartbeatImage({
    id: 7,
    ds: 'web',
    schema: '*',
    table: '*',
    packet: packetOf(12, MICROS),
    ...options,
  });
  transaction(builder, heartbeatTable(90), image);
}

function appended(
  build: (builder: BinlogBuilder) => void,
  options: Partial<AppendOptions> = {},
): AppendDriver {
  const builder = new BinlogBuilder().begin();
  build(builder);
  const extractor = new ExtractDriver({ signal: schema => schema === 'dbus' });
  const driver = new AppendDriver({
    signals: { schema: 'dbus', partitions: PARTITIONS },
    subscribed: schema => schema === 'shop',
    ...options,
  });
  for (const run of extractor.open().bytes(builder.packets()).commit().runs) driver.run(run);
  return driver;
}

/** Rows as their first value, heartbeats as `beat` with table, partition and status. */
function storyOf({ emitted, messages }: AppendDriver): string[] {
  return messages.map(({ protocol, payload, schema }, i) => {
    const { key, partition } = emitted[i]?.output ?? assert.fail();
    if (protocol.type !== 'data_increment_heartbeat') return payload.map(({ tuple }) => tuple[4]).join();
    const [, , , name, version] = schema.namespace.split('.');
    return `beat ${name}.${version} ${partition} ${parseKey(key).status}`;
  });
}

test('a heartbeat stands behind the rows that came before it and before those that came after', () => {
  const driver = appended(builder => {
    insert(builder, table('orders'), row(1, 'a'), row(2, 'b'));
    beat(builder);
    insert(builder, table('orders'), row(3, 'c'));
  });
  assert.deepEqual(storyOf(driver), ['1,2', 'beat orders.0 3 ok', '3']);
  assert.deepEqual(driver.signals.get('shop'), {
    heartbeats: 1,
    watermarks: 0,
    foreign: 0,
    unreadable: 0,
    last: { beat: 12, micros: MICROS },
    totals: { orders: [2, driver.emitted[0]?.output.value.length, 0, 0, 12] },
  });
});

test('each heartbeat tells what its table has had since the one before, and when it passed the hops', () => {
  const driver = appended(builder => {
    insert(builder, table('orders'), row(1, 'a'), row(2, 'b'));
    beat(builder, { packet: packetOf(1, MICROS) });
    insert(builder, table('orders'), row(3, 'c'));
    beat(builder, { packet: packetOf(2, MICROS) });
    beat(builder, { packet: packetOf(3, MICROS) });
  });
  const outputs = driver.emitted.map(({ output }) => output);
  const beats = outputs.filter(({ stat }) => stat !== undefined);
  assert.deepEqual(
    beats.map(({ stat }) => [stat?.count, stat?.errorCount, stat?.payload.bytes]),
    [
      [2, 0, outputs[0]?.value.length],
      [1, 0, outputs[2]?.value.length],
      [0, 0, 0],
    ],
  );
  const stamps = beatStampsOf(beats[0]?.headers?.[BEAT_HEADER]) ?? assert.fail();
  assert.deepEqual(
    { ...stamps, bytes: 0 },
    {
      beat: 1,
      us: MICROS,
      skew: 0,
      captured: 1_700_000_000_000_000,
      dispatched: null,
      appended: 0,
      rows: 2,
      bytes: 0,
      errors: 0,
      warnings: 0,
    },
  );
});

test('a heartbeat has the time of its row with microseconds, and its key the time, the round and the status', () => {
  const { messages, emitted } = appended(builder => {
    insert(builder, table('orders'), row(1, 'a'));
    beat(builder);
  });
  const [, message] = messages;
  assert.equal(message?.payload[0]?.tuple[1], '2026-01-05 16:51:00.123456');
  const { key } = emitted[1]?.output ?? assert.fail();
  assert.equal(
    key.toString(),
    `data_increment_heartbeat.mysql.web.shop.orders.0.0.0.${MICROS / 1000 - 0.456}|${MICROS / 1000 - 1.456}|ok|web.wh_placeholder`,
  );
});

test('a heartbeat of all tables concerns those that are known, of its schema only', () => {
  const driver = appended(builder => {
    beat(builder);
    insert(builder, table('orders'), row(1, 'a'));
    insert(builder, table('items', 8), row(2, 'b'));
    beat(builder, { schema: 'crm' });
    beat(builder, { schema: 'shop' });
  });
  assert.deepEqual(storyOf(driver), ['2', 'beat items.0 3 ok', '1', 'beat orders.0 3 ok']);
});

test('a heartbeat that names a table makes it known, until it is dropped', () => {
  const driver = appended(builder => {
    beat(builder, { schema: 'shop', table: QUIET, packet: packetOf(1, MICROS) });
    beat(builder, { packet: packetOf(1, MICROS) });
    beat(builder, { packet: packetOf(2, MICROS) });
    builder.gtid();
    builder.query(`DROP TABLE ${QUIET}`);
    beat(builder, { packet: packetOf(3, MICROS) });
  });
  assert.deepEqual(storyOf(driver), [`beat ${QUIET}.0 3 ok`, `beat ${QUIET}.0 3 ok`]);
});

test('a table that is not in the partition of the task, or not published, is left to others', () => {
  const builder = (spec: BinlogBuilder): void => {
    beat(spec, { schema: 'shop', table: 'quiet0' });
    beat(spec, { schema: 'shop', table: 'left_out' });
  };
  const elsewhere = appended(builder, {
    signals: { schema: 'dbus', partitions: 4 },
    subscribed: () => false,
  });
  assert.deepEqual(storyOf(elsewhere), []);
  assert.equal(elsewhere.states.size, 0);
});

test('heartbeats of rows that are placed by key are on every partition', () => {
  const placing = { partitions: 3, placeBy: 'primary-key', columns: () => null } as const;
  const driver = appended(
    builder => {
      insert(builder, table('orders'), row(1, 'a'));
      beat(builder);
    },
    { result: () => placing },
  );
  const beats = storyOf(driver).filter(text => text.startsWith('beat'));
  assert.deepEqual(beats, ['beat orders.0 0 ok', 'beat orders.0 1 ok', 'beat orders.0 2 ok']);
});

test('a parked table has heartbeats that say so', () => {
  const driver = appended(builder => {
    insert(builder, table('orders'), row(1, 'a'));
    transaction(builder, table('orders'), Buffer.concat([row(2, 'b'), Buffer.alloc(1)]));
    beat(builder);
  });
  assert.deepEqual(storyOf(driver), ['1', 'beat orders.0 3 abort']);
});

test('signal rows are read by the order of their columns where the binlog has no names', () => {
  const driver = appended(builder => {
    insert(builder, table('orders'), row(1, 'a'));
    const image = heartbeatImage({ id: 1, ds: 'web', schema: '*', table: '*', packet: packetOf(3, MICROS) });
    transaction(builder, heartbeatTable(91, { metadata: false }), image);
  });
  assert.deepEqual(storyOf(driver), ['1', 'beat orders.0 3 ok']);
});

test('rows of other lines and rows that nobody understands are counted and do nothing', () => {
  const alien: TableSpec = { ...heartbeatTable(92), columns: [{ name: 'geometry', type: 200 }] };
  const driver = appended(builder => {
    insert(builder, table('orders'), row(1, 'a'));
    beat(builder, { ds: 'other' });
    beat(builder, { packet: 'no JSON' });
    transaction(builder, alien, Buffer.from([0, 1]));
    const mark = { id: 1, ds: 'web', mark: 'low', token: 't', packet: '{}' };
    transaction(builder, watermarkTable(93), watermarkImage(mark));
    const packet = JSON.stringify({ pull: 'p', schema: 'shop', table: QUIET });
    transaction(builder, watermarkTable(93), watermarkImage({ ...mark, mark: 'cancel', packet }));
  });
  assert.deepEqual(storyOf(driver), ['1']);
  assert.deepEqual(driver.signals.get('shop'), {
    heartbeats: 0,
    watermarks: 1,
    foreign: 1,
    unreadable: 3,
    last: null,
    totals: {},
  });
  assert.equal(driver.parked.length, 0);
});

test('a line that publishes the schema of the signals does not publish them', () => {
  const driver = appended(builder => beat(builder), { subscribed: () => true });
  assert.deepEqual(storyOf(driver), []);
  assert.deepEqual([...driver.states.keys()], []);
});

test('a heartbeat packet that DBUS wrote has its time in milliseconds and no number', () => {
  const packet = JSON.stringify({
    node: '/DBus/HeartBeat/Monitor/web/shop/orders/0',
    time: 1_700_000_000_123,
  });
  const driver = appended(builder => {
    beat(builder, { packet, schema: 'shop', table: QUIET });
  });
  assert.deepEqual(storyOf(driver), [`beat ${QUIET}.0 3 ok`]);
  assert.deepEqual(driver.signals.get('shop')?.last, { beat: 0, micros: 1_700_000_000_123_000 });
});
