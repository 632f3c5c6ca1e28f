import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_TUPLES_BYTES, TupleBuffer } from '../../../src/ums/tuple-buffer.ts';

test('a buffer that would be larger than a record can be is refused, and stays as it is', () => {
  const buffer = new TupleBuffer(64);
  buffer.grow(10, 100);
  const { length } = buffer.bytes;
  assert.throws(() => buffer.grow(10, MAX_TUPLES_BYTES), { code: 'UMBUS_UMS_SIZE' });
  assert.equal(buffer.bytes.length, length);
  assert.ok(MAX_TUPLES_BYTES < 2 ** 31);
});
