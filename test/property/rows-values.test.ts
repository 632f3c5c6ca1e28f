/** Values encoded by independent encoders come out of the compiled decoder as the text that they were made from. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { ColumnType as T } from '../../src/binlog/column-type.ts';
import { be, image, le, sized, value, write, writerOf } from '../unit/rows/rows-fixture.ts';
import { documentBytes, documentText, type JsonDocument } from './json-document.ts';

const DIGITS_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** DECIMAL bytes from its digits, as the MySQL source documentation describes `decimal2bin`. */
function decimalBytes(negative: boolean, whole: string, fraction: string): Buffer {
  const groups: string[] = [];
  const lead = whole.length % 9;
  if (lead > 0) groups.push(whole.slice(0, lead));
  for (let i = lead; i < whole.length; i += 9) groups.push(whole.slice(i, i + 9));
  for (let i = 0; i < fraction.length; i += 9) groups.push(fraction.slice(i, i + 9));
  const bytes = Buffer.concat(groups.map(group => be(Number(group), DIGITS_BYTES[group.length] ?? 4)));
  if (negative) for (const [i, byte] of bytes.entries()) bytes[i] = byte ^ 0xff;
  bytes[0] = (bytes[0] ?? 0) ^ 0x80;
  return bytes;
}

const digitText = (min: number, max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map(digits => digits.join(''));

test('decimals of every shape round-trip', () => {
  fc.assert(
    fc.property(fc.boolean(), digitText(0, 35), digitText(0, 30), (negative, whole, fraction) => {
      fc.pre(whole.length + fraction.length > 0);
      const zero = /^0*$/.test(whole + fraction);
      const sign = negative && !zero ? '-' : '';
      const text = `${sign}${whole.replace(/^0+/, '') || '0'}${fraction === '' ? '' : `.${fraction}`}`;
      const meta = ((whole.length + fraction.length) << 8) | fraction.length;
      assert.equal(value({ type: T.NEWDECIMAL, meta }, decimalBytes(sign !== '', whole, fraction)), text);
    }),
    { numRuns: 400 },
  );
});

test('integers of every width round-trip', () => {
  const types = [
    [T.TINY, 8],
    [T.SHORT, 16],
    [T.INT24, 24],
    [T.LONG, 32],
    [T.LONGLONG, 64],
  ] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.boolean(),
      fc.bigInt(0n, 2n ** 64n - 1n),
      ([type, bits], unsigned, random) => {
        const number = unsigned ? BigInt.asUintN(bits, random) : BigInt.asIntN(bits, random);
        assert.equal(String(value({ type, unsigned }, le(number, bits / 8))), String(number));
      },
    ),
    { numRuns: 500 },
  );
});

test('bits of every width round-trip', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.bigInt(0n, 2n ** 64n - 1n), (bits, random) => {
      const number = BigInt.asUintN(bits, random);
      const meta = (bits & 7) | ((bits >> 3) << 8);
      assert.equal(String(value({ type: T.BIT, meta }, be(number, (bits + 7) >> 3))), String(number));
    }),
  );
});

test('floats read back as the same 32 bits, with no more digits than that takes', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), number => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(number);
      const read = value({ type: T.FLOAT, meta: 4 }, bytes);
      assert.ok(typeof read === 'number' && Object.is(Math.fround(read), number));
      const digits = read.toExponential().replace(/e.*|[-.]/g, '').length;
      const shorter = digits > 1 ? Math.fround(Number(number.toPrecision(digits - 1))) : Number.NaN;
      assert.notEqual(shorter, number);
    }),
    { numRuns: 500 },
  );
});

const two = (n: number): string => String(n).padStart(2, '0');

test('datetimes with every number of fraction digits round-trip, partial dates too', () => {
  const part = (max: number) => fc.integer({ min: 0, max });
  const parts = fc.tuple(
    part(9999),
    part(12),
    part(31),
    part(23),
    part(59),
    part(59),
    part(999_999),
    part(6),
  );
  fc.assert(
    fc.property(parts, ([year, month, day, hour, minute, second, micros, digits]) => {
      const packed =
        (((BigInt(year * 13 + month) << 5n) | BigInt(day)) << 17n) |
        BigInt((hour << 12) | (minute << 6) | second);
      const bytes = (digits + 1) >> 1;
      const kept = Math.floor(micros / 10 ** (6 - digits));
      const stored = kept * (digits % 2 === 1 ? 10 : 1);
      const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
      const fraction = digits === 0 ? '' : `.${String(kept).padStart(digits, '0')}`;
      const image = Buffer.concat([be(packed + 0x80_0000_0000n, 5), be(stored, bytes)]);
      assert.equal(value({ type: T.DATETIME2, meta: digits }, image), text + fraction);
    }),
    { numRuns: 300 },
  );
});

test('times round-trip with sign and fraction', () => {
  const part = (max: number) => fc.integer({ min: 0, max });
  const parts = fc.tuple(fc.boolean(), part(838), part(59), part(59), part(999_999), part(6));
  fc.assert(
    fc.property(parts, ([negative, hour, minute, second, micros, digits]) => {
      const bytes = (digits + 1) >> 1;
      const kept = Math.floor(micros / 10 ** (6 - digits));
      const size =
        (BigInt((hour << 12) | (minute << 6) | second) << BigInt(8 * bytes)) |
        BigInt(kept * (digits % 2 === 1 ? 10 : 1));
      const zero = 0x80_0000n << BigInt(8 * bytes);
      const sign = negative && size > 0n ? '-' : '';
      const fraction = digits === 0 ? '' : `.${String(kept).padStart(digits, '0')}`;
      assert.equal(
        value({ type: T.TIME2, meta: digits }, be(sign === '' ? zero + size : zero - size, 3 + bytes)),
        `${sign}${two(hour)}:${two(minute)}:${two(second)}${fraction}`,
      );
    }),
    { numRuns: 300 },
  );
});

test('any text and any bytes come through, whatever stands beside them and however small the buffer', () => {
  const columns = [
    { name: 't', type: T.VARCHAR, meta: 1000, nullable: true },
    { name: 'b', type: T.BLOB, meta: 2, collation: 63, nullable: true },
    { name: 'n', type: T.LONG, nullable: true },
  ];
  const writer = writerOf(columns);
  const row = fc.tuple(
    fc.option(fc.string({ unit: 'binary', maxLength: 60 })),
    fc.option(fc.uint8Array({ maxLength: 200 })),
    fc.option(fc.integer()),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), rows => {
      const images = rows.map(([text, bytes, number]) =>
        image(
          text === null ? null : sized(text, 2),
          bytes === null ? null : sized(bytes, 2),
          number === null ? null : le(number, 4),
        ),
      );
      const { tuples } = write(writer, 'rows', Buffer.concat(images));
      assert.deepEqual(
        tuples.map(tuple => tuple.slice(4)),
        rows.map(([text, bytes, number]) => [
          text,
          bytes === null ? null : Buffer.from(bytes).toString('base64'),
          number,
        ]),
      );
    }),
    { numRuns: 300 },
  );
});

test('JSON documents are printed with their spaces, keys in stored order', () => {
  const { document } = fc.letrec<{ document: JsonDocument; scalar: JsonDocument }>(tie => ({
    scalar: fc.oneof(
      fc.constantFrom(null, true, false),
      fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
      fc.integer({ min: -40_000, max: 70_000 }).map(BigInt),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    document: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      tie('scalar'),
      fc.array(tie('document'), { maxLength: 6 }),
      fc
        .uniqueArray(fc.tuple(fc.string({ unit: 'binary', maxLength: 8 }), tie('document')), {
          maxLength: 6,
          selector: ([key]) => key,
        })
        .map(entries => new Map(entries)),
    ),
  }));
  fc.assert(
    fc.property(document, fc.boolean(), (each, large) => {
      const printed = value({ type: T.JSON, meta: 4 }, sized(documentBytes(each, large), 4));
      assert.equal(printed, documentText(each));
    }),
    { numRuns: 500 },
  );
});
