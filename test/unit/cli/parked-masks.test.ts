import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { encodeRawRun } from '../../../src/change/raw-run.ts';
import { replayTables } from '../../../src/cli/parked/replay.ts';
import type { Line } from '../../../src/config/line.ts';
import { readLineText } from '../../../src/config/load-line.ts';
import { readUms, rows } from '../../../src/consumer/index.ts';
import type { OutgoingRecord } from '../../../src/ports/log.ts';
import { tablesStore } from '../../../src/stages/append.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { AppendDriver, insert, row, runOf, table } from '../stages/append-fixture.ts';
import { masksOf } from '../stages/masking-fixture.ts';
import { deadHeaders, filledLog, outgoing } from './line-log.ts';

const never = new AbortController().signal;
const changelog = 'umbus.shop.appender-tables-changelog';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A line whose mask of `orders.name` is good again. */
function mendedLine(): Line {
  const { line } = readLineText(
    "ds: shop\nsource: { url: 'mysql://u@h:1' }\nschemas: { shop: { masks: { '*.name': md5 } } }\ntopics: { partitions: 2 }\n",
    '/srv/shop.yaml',
    {},
  );
  return line ?? assert.fail('The line of the test is not valid.');
}

/** What a run left behind whose mask failed for `orders` at its second event: raw record 1, a dead letter, and the state. */
function leftBehind(): readonly OutgoingRecord[] {
  const builder = new BinlogBuilder().begin();
  insert(builder, table('other', 9), row(9, 'x'));
  insert(builder, table('orders'), row(1, 'first'));
  insert(builder, table('other', 9), row(8, 'y'));
  insert(builder, table('orders'), row(2, 'second'));
  const run = runOf(builder);
  const fails = { call: () => ({ failed: 'threw an error' }), problemOf: () => null };
  const masks = masksOf({ 'orders.name': { type: 'function', module: './m.ts' } }, { functions: fails });
  const driver = new AppendDriver({ ds: 'shop', masks: () => masks }).run(run);
  const [reference] = driver.parkedBytes;
  const state = driver.states.get('shop.orders');
  assert.ok(reference !== undefined && state !== undefined);
  const place = { 'dead.topic': 'shop.shop', 'dead.partition': '1', 'dead.offset': '1' };
  return [
    outgoing('shop.shop', 1, 'earlier', encodeRawRun({ ...run, position: 4 })),
    outgoing('shop.shop', 1, 'run', encodeRawRun(run)),
    outgoing('shop_dead', 0, 'shop.orders', Buffer.from(reference), {
      ...deadHeaders('UMBUS_MASK_FAILED'),
      ...place,
    }),
    outgoing(changelog, 1, 'shop.orders', Buffer.from(tablesStore.value.encode(state))),
  ];
}

describe('a replay of what was parked by reference', () => {
  it('reads the rows from the raw topic, and publishes them masked', async () => {
    const log = await filledLog(leftBehind());
    const [report] = await replayTables(log, mendedLine(), 'shop.orders', never);
    assert.deepEqual([report?.problem, report?.letters], [null, 1]);
    const [message] = log.records({ topic: 'shop.shop.result', partition: 1 });
    const published = [...rows(readUms(message?.value ?? new Uint8Array()))];
    assert.deepEqual(
      published.map(({ values }) => [values['id'], values['name']]),
      [
        [1, md5('first')],
        [2, md5('second')],
      ],
    );
  });

  it('leaves the table parked and says so when the raw record is gone, or is another one', async () => {
    const [, , letter, state] = leftBehind();
    assert.ok(letter !== undefined && state !== undefined);
    for (const raw of [
      [],
      leftBehind().slice(0, 1),
      [...leftBehind().slice(0, 1), ...leftBehind().slice(0, 1)],
    ]) {
      const log = await filledLog([...raw, letter, state]);
      const [report] = await replayTables(log, mendedLine(), 'shop.orders', never);
      assert.equal(report?.problem?.code, 'UMBUS_PARKED_GONE');
      assert.match(report?.problem?.message ?? '', /shop\.shop\/1@1, and that record is not kept any more/);
      assert.equal(log.records({ topic: changelog, partition: 1 }).length, 1);
    }
  });
});
