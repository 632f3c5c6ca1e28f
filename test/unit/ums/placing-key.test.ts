import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import fc from 'fast-check';
import {
  PlacingKey,
  partitionOfKey,
  placingColumns,
  placingKeyOf,
  tupleEnd,
} from '../../../src/ums/placing-key.ts';
import type { UmsValue } from '../../../src/ums/types.ts';

const value: fc.Arbitrary<UmsValue> = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0001', ',', ']', '}', 'ß', '茶', 'a'),
    maxLength: 20,
  }),
  fc.constant('x'.repeat(700)),
);

/** Columns, and indexes of some of them in any order. */
const tuples = fc
  .array(value, { minLength: 1, maxLength: 8 })
  .chain(values => fc.tuple(fc.constant(values), fc.shuffledSubarray([...values.keys()], { minLength: 1 })));

/** A tuple as a TupleBuffer has it, with another behind it. */
function written(values: readonly UmsValue[]): { readonly bytes: Buffer; readonly first: number } {
  const prefix = '{"tuple":["1","2026-01-01 00:00:00.000","i","10000000000000000011"';
  const columns = values.map(each => `,${JSON.stringify(each)}`).join('');
  return { bytes: Buffer.from(`${prefix}${columns}]},{"tuple":[1]},`), first: prefix.length };
}

test('the placing key that is found in a tuple is that of its values, whatever they hold', () => {
  const key = new PlacingKey();
  fc.assert(
    fc.property(tuples, fc.integer({ min: 1, max: 100 }), ([values, indexes], partitions) => {
      const { bytes, first } = written(values);
      const end = tupleEnd(bytes, key.read(bytes, first, placingColumns(indexes)));
      const wanted = indexes.map(index => values[index] ?? null);
      assert.deepEqual(key.copy(), placingKeyOf(wanted));
      assert.ok(key.equals(placingKeyOf(wanted)));
      assert.ok(!key.equals(placingKeyOf([...wanted, ''])));
      assert.equal(key.partition(partitions), partitionOfKey(wanted, partitions));
      assert.equal(bytes.toString('latin1', end), '{"tuple":[1]},');
    }),
    { numRuns: 500 },
  );
});

test('a placing key is the texts of its columns, divided by one byte, and NULL is a byte of its own', () => {
  assert.deepEqual(placingKeyOf(['größe', 17, null]), Buffer.from('größe\u001f17\u001f\u0000'));
  assert.deepEqual(placingKeyOf(['']), Buffer.alloc(0));
});
