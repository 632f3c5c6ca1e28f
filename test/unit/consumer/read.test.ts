import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import fc from 'fast-check';
import { readUms, rows } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { UmsMessage, UmsType, UmsValue } from '../../../src/ums/types.ts';
import { bytesOf, field } from './model-line.ts';

function message(type: UmsType, value: UmsValue, nullable = true): UmsMessage {
  return {
    protocol: { type: 'data_increment_data', version: '1.3' },
    schema: {
      namespace: 'mysql.shop.store.orders.3.0.0',
      batchId: 0,
      fields: [
        field('ums_id_', 'long', false),
        field('ums_ts_', 'datetime', false),
        field('ums_op_', 'string', false),
        field('ums_uid_', 'string', false),
        field('id', 'int', false),
        field('value', type, nullable),
      ],
      primaryKey: ['id'],
    },
    payload: [
      { tuple: ['1030000000000007', '2026-01-05 16:50:16.000', 'i', '100010300000000000071', 7, value] },
    ],
  };
}

const invalid = (text: RegExp) => (error: unknown) =>
  isUmbusError(error, 'UMBUS_UMS_INVALID') && text.test(error.message);

test('gives rows with typed system columns, values by name and the key', () => {
  const [row] = [...rows(readUms(bytesOf(message('string', 'x'))))];
  assert.deepEqual(row, {
    op: 'i',
    id: 1030000000000007n,
    uid: 100010300000000000071n,
    ts: '2026-01-05 16:50:16.000',
    namespace: {
      source: 'mysql',
      ds: 'shop',
      schema: 'store',
      table: 'orders',
      version: 3,
      databasePartition: '0',
      tablePartition: '0',
    },
    values: { id: 7, value: 'x' },
    key: [7],
  });
});

const wrong: Readonly<Record<UmsType, UmsValue>> = {
  string: 1,
  int: '1',
  long: 1,
  float: '1',
  double: '1',
  boolean: 'true',
  date: 20260105,
  datetime: 20260105,
  decimal: 1.5,
  binary: 1,
  raw: 1,
  jsonobject: 1,
};

for (const [type, value] of Object.entries(wrong) as [UmsType, UmsValue][]) {
  test(`refuses a ${typeof value} in a ${type} column and names the field, not the value`, () => {
    assert.throws(
      () => readUms(bytesOf(message(type, value))),
      invalid(/payload\[0\]\.tuple\[5\] is not what field value takes/),
    );
  });
}

test('takes null where the field allows it and nowhere else', () => {
  assert.equal(readUms(bytesOf(message('int', null))).payload.length, 1);
  assert.throws(() => readUms(bytesOf(message('int', null, false))), invalid(/tuple\[5\]/));
});

test('keeps members that it does not know and reads a later 1.x', () => {
  const known = message('int', 1);
  const bytes = Buffer.from(
    JSON.stringify({ ...known, protocol: { ...known.protocol, version: '1.4' }, extra: { a: 1 } }),
  );
  assert.deepEqual(JSON.parse(bytes.toString()), readUms(bytes));
});

test('says which record it was, and never quotes the message', () => {
  const place = { topic: 'shop.store.result', partition: 2, offset: 77n };
  assert.throws(
    () => readUms(Buffer.from('{"secret": '), place),
    error =>
      invalid(/at shop\.store\.result\/2@77/)(error) && !String((error as Error).stack).includes('secret'),
  );
});

test('refuses text that is not UTF-8', () => {
  const bytes = bytesOf(message('string', 'xx'));
  bytes[bytes.lastIndexOf('xx')] = 0xff;
  assert.throws(() => readUms(bytes), invalid(/not JSON in UTF-8/));
});

test('meets any bytes and any JSON with a coded error or a message', () => {
  const survives = (bytes: Uint8Array): void => {
    try {
      for (const row of rows(readUms(bytes))) assert.equal(typeof row.uid, 'bigint');
    } catch (error) {
      assert.ok(isUmbusError(error, 'UMBUS_UMS_INVALID'), String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array(), survives), { numRuns: 200 });
  fc.assert(
    fc.property(fc.jsonValue(), value => survives(Buffer.from(JSON.stringify(value)))),
    { numRuns: 200 },
  );
  const valid = bytesOf(message('string', 'x'));
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
      const bytes = Buffer.from(valid);
      bytes[at] = byte;
      survives(bytes);
    }),
    { numRuns: 1_000 },
  );
});
