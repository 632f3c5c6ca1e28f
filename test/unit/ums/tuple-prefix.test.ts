import assert from 'node:assert/strict';
import { test } from 'node:test';
import { umsIdOf, umsUidOf } from '../../../src/ums/ids.ts';
import { TupleBuffer } from '../../../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../../../src/ums/tuple-prefix.ts';
import { zoneOf } from '../../../src/ums/zone.ts';

function tupleOf(prefix: TuplePrefix): unknown[] {
  const out = new TupleBuffer(256);
  const end = prefix.put(out.view, 1);
  const parsed: { tuple: unknown[] } = JSON.parse(`${out.bytes.toString('latin1', 1, end)}]}`);
  return parsed.tuple;
}

test('ids are file, position and row index, and uids epoch, id in 19 digits and image', () => {
  const prefix = new TuplePrefix();
  prefix.file(1, 103);
  prefix.time(1_700_000_000, -1);
  prefix.event(12_347_000, 'i');
  assert.deepEqual(tupleOf(prefix), [
    '1030000012347000',
    '2023-11-14 22:13:20.000',
    'i',
    '100010300000123470001',
  ]);
  prefix.event(12_347_000, 'u');
  prefix.before();
  assert.equal(tupleOf(prefix)[3], '100010300000123470000');
  assert.equal(tupleOf(prefix)[2], 'b');
  prefix.after();
  assert.deepEqual([tupleOf(prefix)[2], tupleOf(prefix)[3]], ['u', '100010300000123470001']);
});

test('the next row has the next id, whatever digits change', () => {
  for (const [epoch, file, position] of [
    [1, 1, 999_990],
    [12, 922_336, 9_999_999_999_980],
    [4_294_967_295, 42, 4_999_999_995],
    [3, 0, 95],
    [3, 0, 999_995],
  ] as const) {
    const prefix = new TuplePrefix();
    prefix.file(epoch, file);
    prefix.time(0, 123_456);
    prefix.event(position, 'd');
    for (let row = 0; row < 20; row++) {
      const id = umsIdOf(file, position + row);
      assert.equal(prefix.idText(), id);
      assert.deepEqual(tupleOf(prefix), [id, '1970-01-01 00:00:00.123456', 'd', umsUidOf(epoch, id, 1)]);
      prefix.next();
    }
  }
});

test('the largest id is a signed 64-bit integer', () => {
  assert.ok(BigInt(umsIdOf(922_336, 9_999_999_999_999)) < 2n ** 63n);
});

test('times have six digits with microseconds and three without, in the zone', () => {
  const prefix = new TuplePrefix(zoneOf('Asia/Tokyo'));
  prefix.time(0, -1);
  assert.equal(prefix.timeText(), '1970-01-01 09:00:00.000');
  prefix.time(0, 7);
  assert.equal(prefix.timeText(), '1970-01-01 09:00:00.000007');
  prefix.time(59, 999_999);
  assert.equal(prefix.timeText(), '1970-01-01 09:00:59.999999');
});
