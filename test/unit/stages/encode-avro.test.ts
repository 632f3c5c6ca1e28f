import assert from 'node:assert/strict';
import test from 'node:test';
import { createMemoryRegistry } from '../../../src/adapters/memory/index.ts';
import { createAvroReader, rows } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { createAvroEncoder, withSchemaId } from '../../../src/stages/encode-avro.ts';
import { batchMessage, messageKey, SYSTEM_FIELDS } from '../../../src/ums/message.ts';
import { dataOutput } from '../../support/avro-messages.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { image, le } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, runOf, table } from './append-fixture.ts';

test('numbers beyond a signed 64-bit integer are text, and others are longs', async () => {
  const spec = table('counters', 7, {
    columns: [
      { name: 'id', type: 8 },
      { name: 'big', type: 8, unsigned: true },
      { name: 'bits', type: 16, meta: 8 << 8 },
      { name: 'few', type: 16, meta: (7 << 8) | 7 },
    ],
  });
  const builder = new BinlogBuilder().begin();
  const most = Buffer.alloc(8, 255);
  insert(builder, spec, image(le(-5, 8), most, most, Buffer.from([0x7f, ...Buffer.alloc(7, 255)])));
  const [emitted] = new AppendDriver().run(runOf(builder)).emitted;
  assert.ok(emitted !== undefined);
  assert.deepEqual(emitted.output.wide, ['big', 'bits']);
  const encoded = createAvroEncoder('web')(emitted.output);
  const { fields } = JSON.parse(encoded.schema.text) as { fields: { name: string; type: unknown }[] };
  assert.deepEqual(
    fields.slice(5).map(({ name, type }) => [name, type]),
    [
      ['id', 'long'],
      ['big', ['null', 'string']],
      ['bits', ['null', 'string']],
      ['few', ['null', 'long']],
    ],
  );
  const registry = createMemoryRegistry();
  const id = await registry.register(encoded.subject, encoded.schema.text);
  const [record] = withSchemaId(encoded, id);
  assert.ok(record !== undefined);
  const [row] = rows(await createAvroReader(registry).read(record));
  assert.deepEqual(row?.values, {
    id: '-5',
    big: '18446744073709551615',
    bits: '18446744073709551615',
    few: '9223372036854775807',
  });
});

test('a value that its schema does not hold is told by table, without the value', () => {
  const fields = [{ name: 'n', type: 'int', nullable: true, encoded: false }] as const;
  const output = dataOutput('orders', 0, fields, [], [['1', '2026-01-05 17:00:00', 'i', '11', 2 ** 40]]);
  assert.throws(
    () => createAvroEncoder('shop')(output),
    (error: unknown) =>
      isUmbusError(error, 'UMBUS_TOPOLOGY_PROCESS') &&
      error.message.includes('store.orders') &&
      !`${error.message}${error.stack}${String(error.cause)}`.includes(String(2 ** 40)),
  );
});

test('a schema is the same for all versions with the same columns, and other than with another key or mask', () => {
  const encode = createAvroEncoder('shop');
  const field = { name: 'n', type: 'int', nullable: true, encoded: false } as const;
  const tuple = ['1', '2026-01-05 17:00:00', 'i', '11', 5];
  const text = (version: number, more: { encoded?: boolean; key?: readonly string[] }): string =>
    encode(
      dataOutput('orders', version, [{ ...field, encoded: more.encoded ?? false }], more.key ?? [], [tuple]),
    ).schema.text;
  assert.equal(text(0, {}), text(7, {}));
  assert.equal(new Set([text(0, {}), text(0, { encoded: true }), text(0, { key: ['n'] })]).size, 3);
});

test('the begin and the end of a full pull are a record each, which says whether the load is whole', async () => {
  const encode = createAvroEncoder('shop');
  const registry = createMemoryRegistry();
  const namespace = 'mysql.shop.store.orders.3.0.0';
  const key = messageKey('data_initial_data', namespace, 0, 'shop');
  const place = { topic: 'shop.store.result', schema: 'store', table: 'orders', partition: 0, key };
  for (const batch of [
    { state: 'begin', pull: 'p', whole: true },
    { state: 'end', pull: 'p', whole: true, rows: 2 ** 40 },
    { state: 'abort', pull: 'p', whole: false, rows: 0 },
  ] as const) {
    const encoded = encode({ ...place, value: batchMessage(namespace, 7, batch) });
    assert.equal(encoded.subject, 'shop.store.result-umbus.UmsBatch');
    const records = withSchemaId(encoded, await registry.register(encoded.subject, encoded.schema.text));
    assert.equal(records.length, 1);
    const [record] = records;
    assert.ok(record !== undefined);
    const { protocol, schema, payload } = await createAvroReader(registry).read(record);
    assert.equal(protocol.type, 'data_initial_data');
    assert.deepEqual(schema, { namespace, batchId: 7, fields: SYSTEM_FIELDS, batch });
    assert.deepEqual(payload, []);
  }
});
