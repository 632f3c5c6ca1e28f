import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { it } from 'node:test';
import { createMemoryRegistry } from '../../../src/adapters/memory/index.ts';
import { openLineSchemas } from '../../../src/adapters/registry/index.ts';
import { replayTables } from '../../../src/cli/parked/replay.ts';
import type { Line } from '../../../src/config/line.ts';
import { tablesStore } from '../../../src/stages/append.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { image, le, sized } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runOf, table } from '../stages/append-fixture.ts';
import { deadHeaders, filledLog, outgoing, shopLine } from './line-log.ts';

const changelog = 'umbus.shop.appender-tables-changelog';

function avroLine(): Line {
  const line = shopLine();
  const schemas = Object.entries(line.schemas).map(([name, schema]) => [
    name,
    { ...schema, result: { ...schema.result, format: 'avro' as const } },
  ]);
  return { ...line, schemas: Object.fromEntries(schemas) };
}

it('a replay for results in Avro keeps back what has no form in it, and says why', async () => {
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'), image(le(2, 4), sized(Buffer.from([0xff]), 1)));
  const driver = new AppendDriver({ ds: 'shop', marks: () => false }).run(runOf(builder));
  const [letter] = driver.parkedBytes;
  const { state } = driver.before('shop.orders');
  assert.equal(state.parked?.code, 'UMBUS_BINLOG_VALUE');
  const log = await filledLog([
    outgoing('shop_dead', 0, 'shop.orders', letter ?? null, deadHeaders('UMBUS_BINLOG_VALUE')),
    outgoing(changelog, 1, 'shop.orders', Buffer.from(tablesStore.value.encode(state))),
  ]);
  const registered = await openLineSchemas(createMemoryRegistry(), {
    ds: 'shop',
    compatibility: 'BACKWARD',
  });
  const [report] = await replayTables(log, avroLine(), 'shop.orders', new AbortController().signal, {
    registered,
  });
  assert.deepEqual([report?.problem?.code, report?.messages], ['UMBUS_BINLOG_VALUE', 0]);
  assert.equal(log.records({ topic: 'shop.shop.result', partition: 1 }).length, 0);
});
