import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { image, le, sized } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runOf, table } from './append-fixture.ts';

const orders = table('orders');
const noText = image(le(2, 4), sized(Buffer.from([0xff]), 1));

function run() {
  const builder = new BinlogBuilder().begin();
  insert(builder, orders, row(1, 'a'), noText, row(3, 'c'));
  return runOf(builder);
}

test('bytes that are no text are published as a mark and counted, whole or placed by key', () => {
  for (const placeBy of ['table', 'primary-key'] as const) {
    const driver = new AppendDriver({ result: () => ({ partitions: 4, placeBy, columns: () => null }) });
    driver.run(run()).run(run());
    const values = driver.messages.flatMap(({ payload }) => payload.map(({ tuple }) => tuple.slice(4)));
    assert.ok(
      values.some(
        ([id, name]) => id === 2 && JSON.stringify(name) === '{"base64":"/w==","charset":"utf8mb4"}',
      ),
    );
    assert.equal(driver.states.get('shop.orders')?.marks, 2);
    assert.equal(driver.parked.length, 0);
  }
});

test('where the results have no form for a mark, bytes that are no text park the table', () => {
  const driver = new AppendDriver({ marks: () => false }).run(run());
  const state = driver.states.get('shop.orders');
  assert.deepEqual(
    [state?.parked?.code, state?.marks, driver.emitted.length],
    ['UMBUS_BINLOG_VALUE', undefined, 0],
  );
});
