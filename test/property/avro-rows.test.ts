import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createMemoryRegistry } from '../../src/adapters/memory/index.ts';
import { createAvroReader, createTables, readUms, rows, type UmsMessage } from '../../src/consumer/index.ts';
import type { AppendOutput } from '../../src/stages/append.ts';
import { createAvroEncoder, withSchemaId } from '../../src/stages/encode-avro.ts';
import { dataOutput, dataOutputs } from '../support/avro-messages.ts';

/** A message by way of Avro and a registry: the messages that a consumer reads, one a row. */
function throughAvro() {
  const registry = createMemoryRegistry(40);
  const encode = createAvroEncoder('shop');
  const reader = createAvroReader(registry);
  return async (output: AppendOutput): Promise<readonly UmsMessage[]> => {
    const encoded = encode(output);
    const records = withSchemaId(encoded, await registry.register(encoded.subject, encoded.schema.text));
    return Promise.all(records.map(({ key, value }) => reader.read({ key, value })));
  };
}

test('rows of every UMS type are the same by way of Avro as by way of JSON', async () => {
  const read = throughAvro();
  await fc.assert(
    fc.asyncProperty(dataOutputs, async output => {
      const json = readUms(output.value);
      const avro = await read(output);
      assert.deepEqual(
        avro.flatMap(message => [...rows(message)]),
        [...rows(json)],
      );
      assert.equal(avro.length, json.payload.length);
      // The schema of an Avro record says which columns it has; there is no number beside it.
      const { innerVersion, ...schema } = json.schema;
      assert.equal(innerVersion, 0);
      for (const message of avro)
        assert.deepEqual({ ...message, payload: [] }, { ...json, schema, payload: [] });
    }),
    { numRuns: 150 },
  );
});

test('a table is rebuilt from Avro as it is from JSON, with updates of its key and rows that come again', async () => {
  const fields = [
    { name: 'id', type: 'long', nullable: false, encoded: false },
    { name: 'total', type: 'decimal', nullable: true, encoded: false },
  ] as const;
  const change = fc.record({
    op: fc.constantFrom('i', 'u', 'd', 'move'),
    id: fc.nat(5).map(String),
    to: fc.nat(5).map(String),
    total: fc.option(fc.constantFrom('1.00', '2.50')),
  });
  const read = throughAvro();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 30 }), async changes => {
      const system = (at: number, op: string) => [
        `10300000${1_000 + at}`,
        '2026-01-05 17:00:00.123',
        op,
        `1000010300000${1_000 + at}${op === 'b' ? 0 : 1}`,
      ];
      const tuples = changes.flatMap(({ op, id, to, total }, at) =>
        op === 'move'
          ? [
              [...system(at, 'b'), id, total],
              [...system(at, 'u'), to, total],
            ]
          : [[...system(at, op), id, total]],
      );
      const output = dataOutput('orders', 0, fields, ['id'], tuples);
      const json = createTables();
      json.apply(output.value);
      const avro = createTables();
      const messages = await read(output);
      for (const message of [...messages, ...messages.slice(-3)]) avro.apply(message);
      const sorted = (tables: typeof json) =>
        [...(tables.get('store.orders')?.rows() ?? [])].map(row => JSON.stringify(row)).sort();
      assert.deepEqual(sorted(avro), sorted(json));
    }),
    { numRuns: 100 },
  );
});
