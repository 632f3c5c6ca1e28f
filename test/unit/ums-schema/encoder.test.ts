import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import fc from 'fast-check';
import { parseKey, readUms, rows } from '../../../src/consumer/index.ts';
import { umsIdOf, umsUidOf } from '../../../src/ums/ids.ts';
import { dataHeader, dataMessage, messageKey, terminationMessage } from '../../../src/ums/message.ts';
import { namespaceOf } from '../../../src/ums/namespace.ts';
import { TUPLE_PREFIX_BYTES, TuplePrefix } from '../../../src/ums/tuple-prefix.ts';
import { terminationReasons } from '../../../src/ums/types.ts';
import { validate } from './schema.ts';

const namespace = namespaceOf('shop', { schema: 'store', table: 'a.b "ü"' }, 3);
const columns = [{ name: 'id', type: 'int', nullable: false, encoded: false }] as const;

/** A tuple of one column as the appender writes it. */
function tupleOf(prefix: TuplePrefix): Buffer {
  const bytes = Buffer.alloc(TUPLE_PREFIX_BYTES + 8);
  const end = prefix.put(new DataView(bytes.buffer, bytes.byteOffset), 0);
  bytes.write(',7]},', end, 'latin1');
  return bytes.subarray(0, end + 5);
}

test('a data message of the encoder is valid, and its ids follow from the place of the event', () => {
  const place = fc.record({
    epoch: fc.integer({ min: 1, max: 1_000 }),
    file: fc.integer({ min: 1, max: 922_336 }),
    position: fc.integer({ min: 4, max: 9_000_000_000_000 }),
    seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    micros: fc.integer({ min: -1, max: 999_999 }),
  });
  fc.assert(
    fc.property(place, ({ epoch, file, position, seconds, micros }) => {
      const prefix = new TuplePrefix();
      prefix.file(epoch, file);
      prefix.time(seconds, micros);
      prefix.event(position, 'i');
      const first = tupleOf(prefix);
      prefix.next();
      const second = tupleOf(prefix);
      const message = dataMessage(dataHeader(namespace, columns, ['id']), Buffer.concat([first, second]));
      assert.ok(validate(JSON.parse(message.toString('utf8'))), JSON.stringify(validate.errors));
      const read = [...rows(readUms(message))];
      for (const [index, row] of read.entries()) {
        const id = BigInt(file) * 10n ** 13n + BigInt(position + index);
        assert.equal(row.id, id);
        assert.equal(umsIdOf(file, position + index), String(id));
        assert.equal(umsUidOf(epoch, String(id), 1), String(row.uid));
        assert.equal(row.uid, BigInt(epoch) * 10n ** 20n + id * 10n + 1n);
        assert.deepEqual([row.values, row.key, row.op], [{ id: 7 }, [7], 'i']);
      }
      assert.equal(read.length, 2);
    }),
  );
});

test('a before image and its update differ in the last digit of ums_uid_ and in the operation', () => {
  const prefix = new TuplePrefix();
  prefix.file(1, 103);
  prefix.time(0, -1);
  prefix.event(12_347_000, 'u');
  const after = tupleOf(prefix);
  prefix.before();
  const before = tupleOf(prefix);
  const message = readUms(dataMessage(dataHeader(namespace, columns, []), Buffer.concat([before, after])));
  assert.deepEqual(
    [...rows(message)].map(row => [row.op, row.id, row.uid, row.key]),
    [
      ['b', 1030000012347000n, 100010300000123470000n, null],
      ['u', 1030000012347000n, 100010300000123470001n, null],
    ],
  );
});

for (const reason of terminationReasons) {
  test(`a termination of the encoder with reason ${reason} is valid`, () => {
    const message = terminationMessage({
      namespace,
      time: '2026-01-05 17:00:00.123',
      reason,
      uid: '100010300000123470000',
      ...(reason === 'rename' && { renamedTo: 'store.orders_old' }),
    });
    assert.ok(validate(JSON.parse(message.toString('utf8'))), JSON.stringify(validate.errors));
    assert.equal(readUms(message).schema.reason, reason);
    assert.equal(readUms(message).schema.renamedTo, reason === 'rename' ? 'store.orders_old' : undefined);
  });
}

test('a key of the encoder has ten parts and is read back', () => {
  const plain = namespaceOf('shop', { schema: 'store', table: 'orders' }, 12);
  const key = messageKey('data_increment_data', plain, 1767631816000, 'shop');
  assert.equal(key.toString(), `data_increment_data.${plain}.1767631816000|shop.wh_placeholder`);
  assert.equal(key.toString().split('.').length, 10);
  const { type, timestampMs, ds, namespace: place } = parseKey(key);
  assert.deepEqual([type, timestampMs, ds], ['data_increment_data', 1767631816000, 'shop']);
  assert.deepEqual([place.schema, place.table, place.version], ['store', 'orders', 12]);
});
