import assert from 'node:assert/strict';
import test from 'node:test';
import avsc from 'avsc';
import { createMemoryRegistry } from '../../../src/adapters/memory/index.ts';
import { openRawRunSchemas } from '../../../src/adapters/registry/index.ts';
import { encodeRawRun, type RawRun, rawRunSchema } from '../../../src/change/raw-run.ts';
import { isUmbusError, UmbusError } from '../../../src/core/errors.ts';
import { until } from '../../support/until.ts';
import { rawRun } from '../cli/line-log.ts';

const run = rawRun(100, 3);

/** A run written with another schema. */
function framed(id: number, schema: object, value: object): Buffer {
  const datum = avsc.Type.forSchema(schema as avsc.Schema).toBuffer(value);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, datum]);
}

const plain = (value: RawRun): unknown => JSON.parse(JSON.stringify(value));

const coded = (code: string) => (error: unknown) => isUmbusError(error) && error.code === code;

test('runs are written with the id of the registry, and read with it and with the fixed one', async () => {
  const registry = createMemoryRegistry(70);
  const schemas = await openRawRunSchemas(registry, 'shop');
  assert.equal(schemas.id, 70);
  assert.deepEqual([...registry.subjects], [['shop-value', [70]]]);
  const bytes = Buffer.from(schemas.encode(run));
  assert.equal(bytes.readUInt32BE(1), 70);
  for (const each of [bytes, encodeRawRun(run)]) {
    const read = schemas.decode(each);
    assert.deepEqual(plain(read), plain(run));
    assert.equal(Buffer.from(schemas.encode(read)).readUInt32BE(1), 70);
  }
  assert.equal((await openRawRunSchemas(registry, 'shop')).id, 70);
});

test('a run of a schema with another field is read by resolution, once the registry has said what it is', async () => {
  const registry = createMemoryRegistry();
  const schemas = await openRawRunSchemas(registry, 'shop');
  const fields = [...rawRunSchema.fields.toReversed(), { name: 'zone', type: 'string', default: 'UTC' }];
  const later = { ...rawRunSchema, fields };
  const id = await registry.register('shop-value', JSON.stringify(later));
  const bytes = framed(id, later, { ...run, zone: 'Europe/Berlin' });
  assert.throws(() => schemas.decode(bytes), coded('UMBUS_REGISTRY_UNREACHABLE'));
  await until('the schema is known', () => {
    try {
      schemas.decode(bytes);
      return true;
    } catch {
      return false;
    }
  });
  for (const read of [schemas.decode(bytes), await schemas.read(bytes)]) {
    assert.deepEqual(plain(read), plain(run));
  }
  const again = schemas.decode(Buffer.from(schemas.encode(schemas.decode(bytes))));
  assert.equal(again.events.toString('hex'), Buffer.from(run.events).toString('hex'));
});

test('an id that the registry does not know, and one of something else, are refused', async () => {
  const registry = createMemoryRegistry();
  const schemas = await openRawRunSchemas(registry, 'shop');
  const other = { type: 'record', name: 'Other', namespace: 'x', fields: [{ name: 'a', type: 'int' }] };
  const id = await registry.register('other', JSON.stringify(other));
  for (const bytes of [framed(99, other, { a: 1 }), framed(id, other, { a: 1 })]) {
    await assert.rejects(schemas.read(bytes), coded('UMBUS_REGISTRY_UNKNOWN_SCHEMA'));
    assert.throws(() => schemas.decode(bytes));
    await until('the answer is there', () => {
      try {
        schemas.decode(bytes);
        return false;
      } catch (error) {
        return isUmbusError(error, 'UMBUS_REGISTRY_UNKNOWN_SCHEMA');
      }
    });
  }
});

test('a registry that is away when an id is met is asked again', async () => {
  const registry = createMemoryRegistry();
  const schemas = await openRawRunSchemas(registry, 'shop');
  const id = await registry.register('same', JSON.stringify({ ...rawRunSchema, doc: 'The same.' }));
  const bytes = Buffer.from(encodeRawRun(run, id));
  registry.failure = new UmbusError('UMBUS_REGISTRY_UNREACHABLE', 'The registry is away.');
  await assert.rejects(schemas.read(bytes), coded('UMBUS_REGISTRY_UNREACHABLE'));
  registry.failure = null;
  assert.equal((await schemas.read(bytes)).position, run.position);
});
