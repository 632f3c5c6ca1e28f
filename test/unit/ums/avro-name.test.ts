import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { avroFieldName, avroName } from '../../../src/ums/avro-name.ts';

const LEGAL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The name that an Avro name was made from. */
function original(name: string): string {
  return name.replace(/_x([0-9a-f]+)_/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
}

test('a name of Avro is legal and can be turned back, whatever the name was', () => {
  const tricky = fc.constantFrom(
    '_x2d_',
    '_x7',
    '_',
    'x',
    '2d',
    '-',
    '__x2d_',
    'int',
    '7',
    'é',
    '😀',
    '.',
    ' ',
  );
  const name = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.array(tricky, { minLength: 1, maxLength: 6 }).map(parts => parts.join('')),
  );
  fc.assert(
    fc.property(name, text => {
      const made = avroName(text);
      assert.match(made, LEGAL);
      assert.equal(original(made), text);
    }),
    { numRuns: 2_000 },
  );
});

test('plain names stay as they are, others are escaped', () => {
  assert.deepEqual(['orders', '_a1', 'order-lines', 'a.b', '2nd', 'int', 'a_x2d_b', 'größe'].map(avroName), [
    'orders',
    '_a1',
    'order_x2d_lines',
    'a_x2e_b',
    '_x32_nd',
    '_x69_nt',
    'a_x5f_x2d_b',
    'gr_xf6__xdf_e',
  ]);
});

test('a column with the name of a system field gets another', () => {
  assert.equal(avroFieldName('ums_batch_id_', new Set(['ums_batch_id_'])), '_x75_ms_batch_id_');
  assert.equal(avroFieldName('id', new Set(['ums_batch_id_'])), 'id');
});
