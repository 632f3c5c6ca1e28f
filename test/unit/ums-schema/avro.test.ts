import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { createMemoryRegistry } from '../../../src/adapters/memory/index.ts';
import { createAvroReader, readUms } from '../../../src/consumer/index.ts';
import { createAvroEncoder, withSchemaId } from '../../../src/stages/encode-avro.ts';
import {
  BATCH_SCHEMA,
  HEARTBEAT_SCHEMA,
  rowSchema,
  TERMINATION_SCHEMA,
} from '../../../src/ums/avro-schema.ts';
import { messageKey, SYSTEM_FIELDS } from '../../../src/ums/message.ts';

const folder = new URL('../../../ums-schema/', import.meta.url);
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const bytes = (name: string): Buffer => readFileSync(new URL(`examples/${name}.json`, folder));
const wide = ['c_bigint_unsigned', 'c_bit_64'];

test('the schemas of terminations, heartbeats and full pulls in the code are the published ones', () => {
  assert.deepEqual(JSON.parse(TERMINATION_SCHEMA.text), JSON.parse(text('ums-termination.avsc')));
  assert.deepEqual(JSON.parse(HEARTBEAT_SCHEMA.text), JSON.parse(text('ums-heartbeat.avsc')));
  assert.deepEqual(JSON.parse(BATCH_SCHEMA.text), JSON.parse(text('ums-batch.avsc')));
});

test('the schema of rows is the published one for the example of all value types', () => {
  const { fields, primaryKey = [] } = readUms(bytes('data_increment_data.values')).schema;
  const columns = fields.slice(SYSTEM_FIELDS.length);
  const made = rowSchema({ ds: 'shop', schema: 'store', table: 'values', columns, primaryKey, wide });
  assert.equal(made.name, 'shop.store.values');
  assert.deepEqual(JSON.parse(made.text), JSON.parse(text('ums-row.avsc')));
});

for (const name of [
  'data_increment_data',
  'data_increment_data.before-image',
  'data_increment_data.values',
  'data_initial_data',
  'data_initial_data.batch',
  'data_increment_heartbeat',
  'data_increment_termination',
  'data_increment_termination.placed',
]) {
  test(`the example ${name} is the same by way of Avro`, async () => {
    const value = bytes(name);
    const message = readUms(value);
    const { namespace } = message.schema;
    const table = namespace.split('.')[3] ?? '';
    const key = messageKey(message.protocol.type, namespace, 0, 'shop');
    const registry = createMemoryRegistry(300);
    const encoded = createAvroEncoder('shop')({
      topic: 'shop.store.result',
      schema: 'store',
      table,
      partition: 0,
      key,
      value,
      wide,
    });
    const id = await registry.register(encoded.subject, encoded.schema.text);
    const reader = createAvroReader(registry);
    const records = withSchemaId(encoded, id);
    // Where a full pull begins or ends there is no row, and one record.
    assert.equal(records.length, Math.max(1, message.payload.length));
    for (const [index, record] of records.entries()) {
      assert.equal(record.value.readUInt32BE(1), 300);
      const { protocol, schema, payload } = await reader.read({ key: record.key, value: record.value });
      assert.deepEqual(protocol, message.protocol);
      assert.deepEqual({ ...schema, batchId: schema.batchId }, { batchId: 0, ...message.schema });
      assert.deepEqual(payload, message.payload.slice(index, index + 1));
    }
  });
}
