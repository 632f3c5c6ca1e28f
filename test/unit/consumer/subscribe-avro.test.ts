import assert from 'node:assert/strict';
import test from 'node:test';
import { createMemoryRegistry } from '../../../src/adapters/memory/index.ts';
import { createMemoryLog } from '../../../src/adapters/memory/memory-log.ts';
import { openRegistry, rows, subscribe } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { createAvroEncoder, withSchemaId } from '../../../src/stages/encode-avro.ts';
import { dataOutput } from '../../support/avro-messages.ts';

const fields = [{ name: 'id', type: 'long', nullable: false, encoded: false }] as const;
const tuple = (id: string) => [`10${id}`, '2026-01-05 17:00:00', 'i', `100${id}1`, id];

/** A topic with a message in JSON, the same in Avro, and what the log and registry of it are. */
async function mixedTopic() {
  const log = createMemoryLog();
  const registry = createMemoryRegistry(17);
  const output = dataOutput('orders', 2, fields, ['id'], [tuple('5'), tuple('6')]);
  const { topic } = output;
  await log.ensureTopics([
    { name: topic, partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null },
  ]);
  const encoded = createAvroEncoder('shop')(output);
  const id = await registry.register(encoded.subject, encoded.schema.text);
  await using writer = await log.openWriter('line');
  const records = [output, ...withSchemaId(encoded, id)];
  await writer.append(
    records.map(({ key, value }) => ({ topic, partition: 0, key, value, timestampMs: 5, headers: {} })),
  );
  return { log, registry, topic };
}

test('a topic with JSON and Avro is read with a registry, in order, alone and in a group', async () => {
  const { log, registry, topic } = await mixedTopic();
  for (const how of [{ follow: false }, { group: 'reader' }]) {
    const seen: unknown[] = [];
    for await (const { offset, key, message } of subscribe({ log, topics: [topic], registry, ...how })) {
      seen.push([offset, key.slice(0, 19), message.schema.namespace, [...rows(message)].map(row => row.key)]);
      if (offset === 2n) break;
    }
    const about = ['data_increment_data', 'mysql.shop.store.orders.2.0.0'];
    assert.deepEqual(seen, [
      [0n, ...about, [['5'], ['6']]],
      [1n, ...about, [['5']]],
      [2n, ...about, [['6']]],
    ]);
  }
});

test('without a registry, and with one that does not know the schema, a record in Avro is refused with its place', async () => {
  const { log, topic } = await mixedTopic();
  const read = async (more: object) => {
    for await (const _ of subscribe({ log, topics: [topic], follow: false, ...more }));
  };
  await assert.rejects(read({}), (error: unknown) => {
    assert.ok(isUmbusError(error, 'UMBUS_UMS_INVALID'));
    assert.match(error.message, /shop\.store\.result\/0@1 .*`registry`/);
    return true;
  });
  await assert.rejects(read({ registry: createMemoryRegistry(900) }), (error: unknown) => {
    assert.ok(isUmbusError(error, 'UMBUS_REGISTRY_UNKNOWN_SCHEMA'));
    assert.match(error.message, /17.*shop\.store\.result\/0@1/);
    assert.equal(error.details['offset'], 1n);
    return true;
  });
});

test('a registry is opened by its URL, without a request', async () => {
  await using registry = await openRegistry({ url: 'http://127.0.0.1:1/', username: 'a', password: 'b' });
  assert.equal(typeof registry.schema, 'function');
});
