import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { zoneOf } from '../../../src/ums/zone.ts';
import { be, hex, le, umsType, value, writerOf } from './rows-fixture.ts';

const refused = (work: () => unknown): void =>
  assert.throws(work, error => isUmbusError(error, 'UMBUS_BINLOG_VALUE'));

/** Year · 13 + month, day, hour, minute, second as DATETIME2 packs them. */
function dateTime2(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): Buffer {
  const date = (BigInt(year * 13 + month) << 5n) | BigInt(day);
  const packed = (date << 17n) | BigInt((hour << 12) | (minute << 6) | second);
  return be(packed + 0x80_0000_0000n, 5);
}

describe('DATE', () => {
  const date = (year: number, month: number, day: number) =>
    value({ type: T.DATE }, le((year << 9) | (month << 5) | day, 3));

  test('is written as stored, zero and partial dates too', () => {
    assert.equal(umsType({ type: T.DATE }), 'date');
    assert.equal(date(2024, 2, 29), '2024-02-29');
    assert.equal(date(0, 0, 0), '0000-00-00');
    assert.equal(date(2024, 0, 15), '2024-00-15');
    assert.equal(date(9999, 12, 31), '9999-12-31');
    refused(() => date(10_000, 1, 1));
  });
});

describe('DATETIME', () => {
  const column = (meta: number) => ({ type: T.DATETIME2, meta });
  const noon = dateTime2(2024, 2, 29, 12, 34, 56);

  test('has the declared digits of fraction', () => {
    assert.equal(umsType(column(0)), 'datetime');
    const texts = [
      ['', ''],
      ['07', '.0'],
      ['07', '.07'],
      ['0046', '.007'],
      ['0046', '.0070'],
      ['0f423f', '.99999'],
      ['0f423f', '.999999'],
    ];
    for (const [digits, [fraction = '', text]] of texts.entries()) {
      const bytes = Buffer.concat([noon, hex(fraction)]);
      assert.equal(value(column(digits), bytes), `2024-02-29 12:34:56${text}`, `${digits} digits`);
    }
  });

  test('is written as stored, zero and partial dates too', () => {
    assert.equal(value(column(0), dateTime2(0, 0, 0, 0, 0, 0)), '0000-00-00 00:00:00');
    assert.equal(value(column(0), dateTime2(9999, 12, 31, 23, 59, 59)), '9999-12-31 23:59:59');
    assert.equal(value(column(0), dateTime2(2024, 0, 15, 1, 2, 3)), '2024-00-15 01:02:03');
  });

  test('what is no time of day, no year or no fraction is refused', () => {
    refused(() => value(column(0), dateTime2(2024, 1, 1, 24, 0, 0)));
    refused(() => value(column(0), dateTime2(2024, 1, 1, 0, 60, 0)));
    refused(() => value(column(0), dateTime2(10_000, 1, 1, 0, 0, 0)));
    refused(() => value(column(0), hex('7f00000000')));
    refused(() => value(column(2), Buffer.concat([noon, hex('64')])));
    refused(() => value(column(6), Buffer.concat([noon, hex('0f4240')])));
  });

  test('is read in the form from before MySQL 5.6', () => {
    const old = (number: bigint) => value({ type: T.DATETIME }, le(number, 8));
    assert.equal(old(20_240_229_123_456n), '2024-02-29 12:34:56');
    assert.equal(old(0n), '0000-00-00 00:00:00');
    refused(() => old(20_240_229_243_456n));
    refused(() => old(2n ** 64n - 1n));
  });

  test('more than six digits of fraction is refused', () => {
    assert.throws(
      () => writerOf([{ name: 'c', ...column(7) }]),
      error => isUmbusError(error, 'UMBUS_BINLOG_TABLE_MAP'),
    );
  });
});

describe('TIMESTAMP', () => {
  const column = (meta: number) => ({ type: T.TIMESTAMP2, meta });

  test('is in the zone of the line', () => {
    const summer = be(Date.UTC(2024, 6, 1, 12) / 1000, 4);
    assert.equal(value(column(0), summer), '2024-07-01 12:00:00');
    assert.equal(value(column(0), summer, zoneOf('Europe/Berlin')), '2024-07-01 14:00:00');
    assert.equal(value(column(0), summer, zoneOf('Asia/Kolkata')), '2024-07-01 17:30:00');
    assert.equal(value({ type: T.TIMESTAMP }, le(Date.UTC(2024, 6, 1, 12) / 1000, 4)), '2024-07-01 12:00:00');
  });

  test('zero is the zero date in every zone', () => {
    assert.equal(value(column(2), hex('00000000 00'), zoneOf('Asia/Tokyo')), '0000-00-00 00:00:00.00');
  });

  test('second zero with a fraction, which MariaDB makes of times beyond its range, is that second', () => {
    assert.equal(value(column(6), hex('00000000 000001')), '1970-01-01 00:00:00.000001');
    assert.equal(
      value(column(6), hex('00000000 000001'), zoneOf('Asia/Tokyo')),
      '1970-01-01 09:00:00.000001',
    );
  });

  test('reaches from the first second to the last of 32 bits', () => {
    assert.equal(value(column(0), hex('00000001')), '1970-01-01 00:00:01');
    assert.equal(value(column(0), hex('7fffffff')), '2038-01-19 03:14:07');
    assert.equal(value(column(6), hex('ffffffff 0f423f')), '2106-02-07 06:28:15.999999');
  });
});

describe('TIME', () => {
  const column = (meta: number) => ({ type: T.TIME2, meta });

  test('has a sign, hours to 838, and the declared digits of fraction', () => {
    assert.equal(umsType(column(0)), 'string');
    assert.equal(value(column(0), hex('800000')), '00:00:00');
    assert.equal(value(column(0), be(0x80_0000 + ((838 << 12) | (59 << 6) | 59), 3)), '838:59:59');
    assert.equal(value(column(0), be(0x80_0000 - ((838 << 12) | (59 << 6) | 59), 3)), '-838:59:59');
    assert.equal(
      value(column(3), Buffer.concat([be(0x80_0000 + ((1 << 12) | (59 << 6) | 5), 3), be(6780, 2)])),
      '01:59:05.678',
    );
  });

  test('negative fractions are one number with the whole, as the documentation shows', () => {
    assert.equal(value(column(2), hex('7fffff ff')), '-00:00:00.01');
    assert.equal(value(column(2), hex('7fffff 9d')), '-00:00:00.99');
    assert.equal(value(column(2), hex('7fffff 00')), '-00:00:01.00');
    assert.equal(value(column(2), hex('7ffffe ff')), '-00:00:01.01');
    assert.equal(value(column(2), hex('7ffffe f6')), '-00:00:01.10');
    assert.equal(value(column(6), hex('7fffff ffffff')), '-00:00:00.000001');
    assert.equal(value(column(1), hex('7fffff f6')), '-00:00:00.1');
  });

  test('minutes or seconds above 59 and hours above 838 are refused', () => {
    refused(() => value(column(0), be(0x80_0000 + (60 << 6), 3)));
    refused(() => value(column(0), be(0x80_0000 + 60, 3)));
    refused(() => value(column(0), be(0x80_0000 + (839 << 12), 3)));
    refused(() => value(column(0), hex('000000')));
  });

  test('is read in the form from before MySQL 5.6', () => {
    assert.equal(value({ type: T.TIME }, le(8_385_959, 3)), '838:59:59');
    assert.equal(value({ type: T.TIME }, le(-123, 3)), '-00:01:23');
    refused(() => value({ type: T.TIME }, le(99, 3)));
  });
});
