import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { hex, le, sized, umsType, value } from './rows-fixture.ts';

const column = { type: T.JSON, meta: 4 };

/** The text of a document given as bytes. */
const print = (bytes: Uint8Array): unknown => value(column, sized(bytes, 4));

/** A small array or object around one value; `type` and `bytes` of what is not kept in the entry. */
const smallArray = (type: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([hex('02'), le(1, 2), le(7 + bytes.length, 2), le(type, 1), le(7, 2), bytes]);

const refused = (bytes: Uint8Array): void =>
  assert.throws(
    () => print(bytes),
    error => isUmbusError(error, 'UMBUS_BINLOG_VALUE'),
  );

describe('JSON documents', () => {
  test('scalars are printed as the server prints them', () => {
    assert.equal(umsType(column), 'jsonobject');
    assert.equal(print(hex('')), 'null');
    assert.equal(print(hex('0400')), 'null');
    assert.equal(print(hex('0401')), 'true');
    assert.equal(print(hex('0402')), 'false');
    assert.equal(print(hex('05feff')), '-2');
    assert.equal(print(hex('06feff')), '65534');
    assert.equal(print(Buffer.concat([hex('07'), le(-2_147_483_648, 4)])), '-2147483648');
    assert.equal(print(Buffer.concat([hex('08'), le(4_294_967_295, 4)])), '4294967295');
    assert.equal(print(Buffer.concat([hex('09'), le(-(2n ** 63n), 8)])), '-9223372036854775808');
    assert.equal(print(Buffer.concat([hex('0a'), le(2n ** 64n - 1n, 8)])), '18446744073709551615');
  });

  test('doubles have a point or an exponent, as the server writes them', () => {
    const double = (number: number): unknown => {
      const bytes = Buffer.alloc(9);
      bytes[0] = 11;
      bytes.writeDoubleLE(number, 1);
      return print(bytes);
    };
    const cases: readonly (readonly [number, string])[] = [
      [0, '0.0'],
      [-0, '-0.0'],
      [1, '1.0'],
      [1.5, '1.5'],
      [-100, '-100.0'],
      [1e14, '100000000000000.0'],
      [1e15, '1e15'],
      [1_234_567_890_123_456, '1.234567890123456e15'],
      [1_234_567_890_123_456.5, '1234567890123456.5'],
      [1e300, '1e300'],
      [1e-5, '0.00001'],
      [1e-15, '0.000000000000001'],
      [2e-16, '2e-16'],
      [5e-324, '5e-324'],
    ];
    for (const [number, text] of cases) assert.equal(double(number), text);
    assert.throws(() => double(Number.NaN), /no value of its type/);
  });

  test('strings are escaped once for the document', () => {
    const text = (content: string): unknown =>
      print(Buffer.concat([hex('0c'), le(content.length, 1), Buffer.from(content)]));
    assert.equal(text(''), '""');
    for (const content of [
      'abc',
      'say "hi"',
      'back\\slash',
      'tab\t nl\n cr\r bs\b ff\f',
      '\u0001\u001f',
      'abcdefg"',
    ]) {
      assert.equal(text(content), JSON.stringify(content));
    }
    const long = 'x"\\\n'.repeat(60_000);
    const length = Buffer.from([
      (long.length & 127) | 128,
      ((long.length >> 7) & 127) | 128,
      long.length >> 14,
    ]);
    assert.equal(print(Buffer.concat([hex('0c'), length, Buffer.from(long)])), JSON.stringify(long));
  });

  test('containers have a space after commas and colons, and keys in the order in which they are stored', () => {
    assert.equal(print(hex('00 0000 0400')), '{}');
    assert.equal(print(hex('02 0000 0400')), '[]');
    // {"b": 1, "aa": [true, "x"]}
    const inner = hex('02 0200 0c00 04 0100 0c 0a00 01 78');
    const object = Buffer.concat([
      hex('00 0200'),
      le(21 + inner.length - 1, 2),
      hex('1200 0100 1300 0200 05 0100 02 1500'),
      Buffer.from('baa'),
      inner.subarray(1),
    ]);
    assert.equal(print(object), '{"b": 1, "aa": [true, "x"]}');
  });

  test('decimals, dates and times are printed as values of their own', () => {
    assert.equal(print(smallArray(15, hex('f6 04 04 02 8c 22'))), '[12.34]');
    const packed = (date: bigint, time: bigint, micros: bigint): bigint =>
      (((date << 17n) | time) << 24n) | micros;
    const day = (BigInt(2024 * 13 + 2) << 5n) | 29n;
    const clock = (10n << 12n) | (11n << 6n) | 12n;
    const opaque = (type: number, number: bigint): Buffer =>
      smallArray(15, Buffer.concat([le(type, 1), hex('08'), le(number, 8)]));
    assert.equal(print(opaque(T.DATE, packed(day, 0n, 0n))), '["2024-02-29"]');
    assert.equal(print(opaque(T.DATETIME, packed(day, clock, 123_456n))), '["2024-02-29 10:11:12.123456"]');
    assert.equal(print(opaque(T.TIMESTAMP, packed(day, clock, 0n))), '["2024-02-29 10:11:12.000000"]');
    assert.equal(
      print(opaque(T.TIME, -packed(0n, (838n << 12n) | (59n << 6n) | 59n, 500_000n))),
      '["-838:59:59.500000"]',
    );
    refused(opaque(T.DATE, -1n));
    refused(opaque(T.DATETIME, packed(day, clock, 1_000_000n)));
  });

  test('other types are base64 in lines of 76 letters', () => {
    const blob = Buffer.alloc(60, 0x61);
    const document = smallArray(15, Buffer.concat([le(T.VARCHAR, 1), le(blob.length, 1), blob]));
    const base64 = blob.toString('base64');
    assert.equal(print(document), `["base64:type15:${base64.slice(0, 76)}\\n${base64.slice(76)}"]`);
    const line = Buffer.alloc(57, 0x61);
    const exact = smallArray(15, Buffer.concat([le(T.VARCHAR, 1), le(line.length, 1), line]));
    assert.equal(print(exact), `["base64:type15:${line.toString('base64')}"]`);
  });
});

describe('damaged JSON documents', () => {
  test('are refused: offsets and sizes beyond the document, unknown types, invalid text', () => {
    for (const bytes of [
      '03',
      '0403',
      '0500',
      '0d00',
      '0cff',
      '0c8080808080',
      '0c01ff',
      '0f',
      '0ff605',
      '00 0100 ff00',
      '02 0100 0700 0c 0700',
      '02 0100 0700 0c 0000',
      '02 ffff 0400',
      '00 0100 0b00 0b00 0500 05 0100',
    ]) {
      refused(hex(bytes));
    }
  });

  test('that point into themselves end after bounded work', () => {
    // An array of 100 entries that all point at the array's own start.
    const count = 100;
    const size = 4 + count * 3;
    const entries = Buffer.concat(Array.from({ length: count }, () => hex('02 0000')));
    refused(Buffer.concat([hex('02'), le(count, 2), le(size, 2), entries]));
    const self = Buffer.concat(Array.from({ length: count }, () => hex('02 0100')));
    refused(Buffer.concat([hex('02'), le(count, 2), le(size, 2), self]));
  });

  test('with many entries that share one long string are refused', () => {
    const count = 5_000;
    const text = Buffer.alloc(15_000, 'x');
    const at = 4 + count * 3;
    const entries = Buffer.concat(Array.from({ length: count }, () => Buffer.concat([hex('0c'), le(at, 2)])));
    const string = Buffer.concat([Buffer.from([(text.length & 127) | 128, text.length >> 7]), text]);
    refused(Buffer.concat([hex('02'), le(count, 2), le(at + string.length, 2), entries, string]));
  });
});
