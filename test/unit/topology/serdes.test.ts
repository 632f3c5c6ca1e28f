import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import {
  bytes,
  bytesOrNull,
  float64,
  int32,
  int64,
  json,
  noBytes,
  none,
  nullable,
  utf8,
} from '../../../src/topology/serdes.ts';
import type { Serde } from '../../../src/topology/types.ts';

function roundTrips<T>(serde: Serde<T>, ...values: T[]): void {
  for (const value of values) assert.deepEqual(serde.decode(serde.encode(value)), value);
}

test('serdes give back what they were given', () => {
  roundTrips(utf8, '', 'a', 'grüße 🚌', '\uFEFFmark');
  roundTrips(int64, 0n, -1n, 2n ** 63n - 1n, -(2n ** 63n));
  roundTrips(int32, 0, -1, 2 ** 31 - 1, -(2 ** 31));
  roundTrips(float64, 0, -0, Math.PI, Number.MAX_VALUE, Number.POSITIVE_INFINITY);
  roundTrips(json<unknown>(), null, { a: [1, 'x'] }, 'text');
  roundTrips(nullable(utf8), null, '', 'a');
  roundTrips(none, null);
  assert.equal(Buffer.compare(bytes.decode(bytes.encode(Buffer.from([1, 2]))), Buffer.from([1, 2])), 0);
});

test('null bytes are refused unless the serde allows them', () => {
  for (const serde of [utf8, int64, int32, float64, json(), bytes] as Serde<unknown>[]) {
    assert.throws(() => serde.decode(noBytes), { code: 'UMBUS_TOPOLOGY_DECODE' }, serde.name);
  }
  assert.equal(none.decode(noBytes), null);
  assert.equal(nullable(int32).decode(noBytes), null);
  assert.equal(bytesOrNull(none.encode(null)), null);
  assert.equal(bytesOrNull(nullable(utf8).encode(null)), null);
  assert.notEqual(bytesOrNull(utf8.encode('')), null, 'an empty text is not null');
});

test('what does not decode is refused without quoting it', () => {
  const secret = Buffer.from('{"password": "s3cret"');
  assert.throws(
    () => json().decode(secret),
    (error: Error) =>
      error.message.includes('json') && !error.message.includes('s3cret') && error.cause === undefined,
  );
  assert.throws(() => utf8.decode(Buffer.from([0xff])), { code: 'UMBUS_TOPOLOGY_DECODE' });
  assert.throws(() => int64.decode(Buffer.alloc(7)), { code: 'UMBUS_TOPOLOGY_DECODE' });
});

test('json takes the type that its check proves', () => {
  const positive = json<number>(parsed => {
    if (typeof parsed === 'number' && parsed > 0) return parsed;
    throw new TypeError('not a positive number');
  });
  assert.equal(positive.decode(Buffer.from('3')), 3);
  assert.throws(() => positive.decode(Buffer.from('-3')), TypeError);
});
