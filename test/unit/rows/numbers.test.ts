import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { be, hex, le, umsType, value, valueText, writerOf } from './rows-fixture.ts';

describe('integers', () => {
  const cases: readonly (readonly [string, number, number, readonly bigint[], readonly bigint[]])[] = [
    ['TINYINT', T.TINY, 1, [-128n, -1n, 0n, 127n], [0n, 255n]],
    ['SMALLINT', T.SHORT, 2, [-32_768n, -1n, 0n, 32_767n], [0n, 65_535n]],
    ['MEDIUMINT', T.INT24, 3, [-8_388_608n, -1n, 0n, 8_388_607n], [0n, 16_777_215n]],
    ['INT', T.LONG, 4, [-2_147_483_648n, -1n, 0n, 2_147_483_647n], [0n, 4_294_967_295n]],
    [
      'BIGINT',
      T.LONGLONG,
      8,
      [-(2n ** 63n), -(2n ** 53n) - 1n, -(2n ** 32n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n],
      [0n, 2n ** 53n - 1n, 2n ** 53n, 10n ** 18n, 2n ** 64n - 1n],
    ],
  ];
  for (const [name, type, bytes, signed, unsigned] of cases) {
    test(`${name} keeps its limits, signed and unsigned`, () => {
      for (const number of signed) assert.equal(String(value({ type }, le(number, bytes))), String(number));
      for (const number of unsigned) {
        assert.equal(String(value({ type, unsigned: true }, le(number, bytes))), String(number));
      }
    });
  }

  test('INT UNSIGNED and BIGINT are long, hence strings, and all smaller ones int', () => {
    assert.equal(umsType({ type: T.TINY, unsigned: true }), 'int');
    assert.equal(umsType({ type: T.INT24, unsigned: true }), 'int');
    assert.equal(umsType({ type: T.LONG }), 'int');
    assert.equal(umsType({ type: T.LONG, unsigned: true }), 'long');
    assert.equal(umsType({ type: T.LONGLONG }), 'long');
    assert.equal(value({ type: T.LONG, unsigned: true }, le(5, 4)), '5');
    assert.equal(value({ type: T.LONG }, le(5, 4)), 5);
  });

  test('NULL is null', () => {
    assert.equal(value({ type: T.LONG, nullable: true }, null), null);
  });

  test('YEAR counts from 1900, and 0 is year 0', () => {
    assert.equal(value({ type: T.YEAR }, hex('00')), 0);
    assert.equal(value({ type: T.YEAR }, hex('01')), 1901);
    assert.equal(value({ type: T.YEAR }, hex('ff')), 2155);
  });
});

describe('BIT', () => {
  const bit = (bits: number) => ({ type: T.BIT, meta: (bits & 7) | ((bits >> 3) << 8) });

  test('up to 31 bits is an int, above a long', () => {
    assert.equal(umsType(bit(31)), 'int');
    assert.equal(umsType(bit(32)), 'long');
    assert.equal(value(bit(1), hex('01')), 1);
    assert.equal(value(bit(9), hex('0101')), 257);
    assert.equal(value(bit(24), hex('800001')), 0x800001);
    assert.equal(value(bit(31), hex('7fffffff')), 2_147_483_647);
    assert.equal(value(bit(32), hex('ffffffff')), '4294967295');
    assert.equal(value(bit(33), hex('0100000001')), '4294967297');
    assert.equal(value(bit(56), hex('ffffffffffffff')), String(2n ** 56n - 1n));
    assert.equal(value(bit(64), hex('ffffffffffffffff')), String(2n ** 64n - 1n));
  });

  test('a width that BIT cannot have is refused', () => {
    for (const bits of [0, 65]) {
      assert.throws(
        () => writerOf([{ name: 'c', ...bit(bits) }]),
        error => isUmbusError(error, 'UMBUS_BINLOG_TABLE_MAP'),
      );
    }
  });
});

describe('FLOAT and DOUBLE', () => {
  const float = (number: number): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(number);
    return valueText({ type: T.FLOAT, meta: 4 }, bytes);
  };
  const double = (number: number): string => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(number);
    return valueText({ type: T.DOUBLE, meta: 8 }, bytes);
  };

  test('have the shortest text that reads back the same', () => {
    assert.equal(float(1.1), '1.1');
    assert.equal(float(16_777_216), '16777216');
    assert.equal(float(3.402_823_466e38), '3.4028235e+38');
    assert.equal(float(1e-45), '1e-45');
    assert.equal(double(0.1), '0.1');
    assert.equal(double(-1.797_693_134_862_315_7e308), '-1.7976931348623157e+308');
    assert.equal(double(5e-324), '5e-324');
  });

  test('keep the sign of zero', () => {
    assert.equal(float(-0), '-0');
    assert.equal(double(-0), '-0');
    assert.equal(double(0), '0');
  });

  test('what is no number is refused, without the value in the message', () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => double(number),
        error =>
          isUmbusError(error, 'UMBUS_BINLOG_VALUE') &&
          error.message === 'Column shop.t.c holds bytes that are no value of its type.',
      );
    }
  });
});

describe('DECIMAL', () => {
  const decimal = (precision: number, scale: number) => ({
    type: T.NEWDECIMAL,
    meta: (precision << 8) | scale,
  });

  test('reads the example of the source documentation', () => {
    assert.equal(value(decimal(14, 4), hex('81 0dfb38d2 04d2')), '1234567890.1234');
    assert.equal(value(decimal(14, 4), hex('7e f204c72d fb2d')), '-1234567890.1234');
  });

  test('keeps the scale, and writes a zero before the point', () => {
    assert.equal(value(decimal(4, 2), hex('80 00')), '0.00');
    assert.equal(value(decimal(4, 4), hex('84d2')), '0.1234');
    assert.equal(value(decimal(4, 4), hex('7b2d')), '-0.1234');
    assert.equal(value(decimal(9, 0), hex('80000000')), '0');
    assert.equal(value(decimal(18, 9), hex('80000001 00000001')), '1.000000001');
  });

  test('a group with too many digits is refused', () => {
    assert.throws(
      () => value(decimal(9, 0), be(0x8000_0000 + 1_000_000_000, 4)),
      error => isUmbusError(error, 'UMBUS_BINLOG_VALUE'),
    );
    assert.throws(
      () => value(decimal(1, 0), hex('8a')),
      error => isUmbusError(error, 'UMBUS_BINLOG_VALUE'),
    );
  });

  test('a precision or scale that DECIMAL cannot have is refused', () => {
    for (const [precision, scale] of [
      [0, 0],
      [66, 0],
      [5, 6],
      [65, 39],
    ] as const) {
      assert.throws(
        () => writerOf([{ name: 'c', ...decimal(precision, scale) }]),
        error => isUmbusError(error, 'UMBUS_BINLOG_TABLE_MAP'),
      );
    }
  });
});
