import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchStatistics } from '../../../src/stages/dispatch-statistics.ts';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { heartbeatImage, heartbeatTable, packetOf } from '../../support/signal-rows.ts';
import { insert, row, runsOf, table } from './append-fixture.ts';

const MICROS = 1_767_631_860_000_000;
const wanted = { has: (schema: string) => schema === 'shop' };

function beat(
  builder: BinlogBuilder,
  number: number,
  options: Partial<Parameters<typeof heartbeatImage>[0]> = {},
): void {
  const packet = packetOf(number, MICROS);
  const image = heartbeatImage({ id: number, ds: 'web', schema: '*', table: '*', packet, ...options });
  transaction(builder, heartbeatTable(90), image);
}

/** Tables, counts and rounds of what comes out for what was built. */
function countsOf(build: (builder: BinlogBuilder) => void): (readonly [string, number, number])[] {
  const builder = new BinlogBuilder().begin();
  build(builder);
  const statistics = new DispatchStatistics('web', 'dbus');
  return runsOf(builder, 600).flatMap(run =>
    statistics
      .of(run, { dispatched: MICROS + 4_000, offset: 3n }, wanted)
      .map(({ tableName, count, payload }) => [tableName, count, payload.beat] as const),
  );
}

test('at each heartbeat a table has the row events since the one before, over several runs', () => {
  const counts = countsOf(builder => {
    for (let i = 0; i < 30; i++) insert(builder, table('orders'), row(i, 'a'), row(i, 'b'));
    insert(builder, table('items', 8), row(1, 'x'));
    beat(builder, 1);
    insert(builder, table('orders'), row(1, 'c'));
    beat(builder, 2);
  });
  assert.deepEqual(counts, [
    ['orders', 30, 1],
    ['items', 1, 1],
    ['orders', 1, 2],
    ['items', 0, 2],
  ]);
});

test('a heartbeat of one table, of another schema or of another line resets no other counts', () => {
  const counts = countsOf(builder => {
    insert(builder, table('orders'), row(1, 'a'));
    insert(builder, table('items', 8), row(1, 'x'));
    beat(builder, 1, { ds: 'other' });
    beat(builder, 2, { schema: 'crm' });
    beat(builder, 3, { schema: 'shop', table: 'items' });
    beat(builder, 4, { schema: 'shop' });
  });
  assert.deepEqual(counts, [
    ['items', 1, 3],
    ['orders', 1, 4],
    ['items', 0, 4],
  ]);
});

test('latency is from the insert to the dispatcher, and the time of the extractor is told', () => {
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'));
  beat(builder, 1);
  const [run] = runsOf(builder);
  const [stat] = new DispatchStatistics('web', 'dbus').of(
    run ?? assert.fail(),
    { dispatched: MICROS + 4_000, offset: 3n },
    wanted,
  );
  assert.equal(stat?.type, 'DISPATCH_TYPE');
  assert.equal(stat?.latencyMS, 4);
  assert.equal(stat?.offset, 3);
  assert.equal(stat?.payload.captured, 1_700_000_000_000_000);
});
