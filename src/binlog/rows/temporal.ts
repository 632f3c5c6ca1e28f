/**
 * DATE, TIME, DATETIME and TIMESTAMP in all their binlog forms, as text between quotes. Every function writes at `p` and returns
 * the place after it, or -1 when the bytes are no value of the type; the caller has checked that the bytes are there. Zero and
 * partial dates are written as they are. Source of the forms: MySQL source documentation, "Date and Time Data Type
 * Representation" and `my_time.cc`.
 */
import type { Buffer } from 'node:buffer';
import { writeInteger } from '../../ums/digits.ts';
import { writeDate, writeDateTime, writeFraction, writeTime, writeTwo } from '../../ums/time-text.ts';
import type { Zone } from '../../ums/zone.ts';

/** Bytes of the longest of these texts, quotes included: `"yyyy-MM-dd HH:mm:ss.SSSSSS"`. */
export const TEMPORAL_TEXT_BYTES = 28;

const YEAR_MAX = 9999;
const HOUR_MAX = 838;

/** DATE, three bytes: day in 5 bits, month in 4, year in 15. */
export function writeDateColumn(d: DataView, o: number, w: Buffer, p: number): number {
  const bits = d.getUint16(o, true) | (d.getUint8(o + 2) << 16);
  const year = bits >> 9;
  if (year > YEAR_MAX) return -1;
  w[p] = 34;
  const end = writeDate(year, (bits >> 5) & 15, bits & 31, w, p + 1);
  w[end] = 34;
  return end + 1;
}

/** The fraction of a temporal column: ceil(digits / 2) bytes, big-endian, with an even number of digits. -1 when too large. */
function fractionAt(d: DataView, o: number, digits: number): number {
  switch (digits) {
    case 0:
      return 0;
    case 1:
    case 2:
      return wholeFraction(d.getUint8(o), 99, digits === 1);
    case 3:
    case 4:
      return wholeFraction(d.getUint16(o), 9999, digits === 3);
    default:
      return wholeFraction((d.getUint8(o) << 16) | d.getUint16(o + 1), 999_999, digits === 5);
  }
}

function wholeFraction(stored: number, max: number, odd: boolean): number {
  if (stored > max) return -1;
  return odd ? Math.floor(stored / 10) : stored;
}

/** DATETIME(digits) since MySQL 5.6: five bytes (year · 13 + month in 17 bits, then 5, 5, 6, 6) and the fraction. */
export function writeDateTime2(d: DataView, o: number, digits: number, w: Buffer, p: number): number {
  const high = d.getUint16(o);
  const low = d.getUint8(o + 2);
  const clock = d.getUint16(o + 3);
  const months = (high - 0x8000) * 4 + (low >> 6);
  const year = Math.floor(months / 13);
  const hour = ((low & 1) << 4) | (clock >> 12);
  const minute = (clock >> 6) & 63;
  const second = clock & 63;
  const fraction = fractionAt(d, o + 5, digits);
  if (months < 0 || year > YEAR_MAX || hour > 23 || minute > 59 || second > 59 || fraction < 0) return -1;
  w[p] = 34;
  p = writeDate(year, months - year * 13, (low >> 1) & 31, w, p + 1);
  w[p] = 32;
  p = writeTime(hour, minute, second, w, p + 1);
  p = writeFraction(fraction, digits, w, p);
  w[p] = 34;
  return p + 1;
}

/** TIMESTAMP(digits) since MySQL 5.6: seconds since 1970-01-01 UTC in four bytes, big-endian, and the fraction. */
export function writeTimestamp2(
  d: DataView,
  o: number,
  digits: number,
  zone: Zone,
  w: Buffer,
  p: number,
): number {
  const fraction = fractionAt(d, o + 4, digits);
  return fraction < 0 ? -1 : writeMoment(d.getUint32(o), fraction, digits, zone, w, p);
}

/** TIMESTAMP before MySQL 5.6: seconds since 1970-01-01 UTC in four bytes, little-endian. */
export function writeTimestamp(d: DataView, o: number, zone: Zone, w: Buffer, p: number): number {
  return writeMoment(d.getUint32(o, true), 0, 0, zone, w, p);
}

/** Second 0 without a fraction stands for the zero timestamp, which is the same in every zone; MariaDB makes second 0 with one of times that it cannot hold. */
function writeMoment(
  seconds: number,
  fraction: number,
  digits: number,
  zone: Zone,
  w: Buffer,
  p: number,
): number {
  w[p++] = 34;
  if (seconds === 0 && fraction === 0) {
    p = writeDate(0, 0, 0, w, p);
    w[p] = 32;
    p = writeTime(0, 0, 0, w, p + 1);
  } else {
    p = writeDateTime(zone.utc ? seconds : seconds + zone.offsetAt(seconds), w, p);
  }
  p = writeFraction(fraction, digits, w, p);
  w[p] = 34;
  return p + 1;
}

/**
 * TIME(digits) since MySQL 5.6: three bytes (10 bits of hours, 6, 6) and the fraction, together one big-endian number that is offset so
 * that negative times sort before positive ones.
 */
export function writeTime2(d: DataView, o: number, digits: number, w: Buffer, p: number): number {
  const bytes = (digits + 1) >> 1;
  const unit = 256 ** bytes;
  let packed = (d.getUint8(o) << 16) | d.getUint16(o + 1);
  for (let i = 0; i < bytes; i++) packed = packed * 256 + d.getUint8(o + 3 + i);
  packed -= 0x80_0000 * unit;
  const size = Math.abs(packed);
  const clock = Math.floor(size / unit);
  const fraction = wholeFraction(size - clock * unit, 100 ** bytes - 1, digits % 2 === 1);
  if (fraction < 0 || clock >= 1 << 22) return -1;
  return writeTimeText(packed < 0, clock >> 12, (clock >> 6) & 63, clock & 63, fraction, digits, w, p);
}

/** TIME before MySQL 5.6: the decimal number HHMMSS in three bytes, little-endian, signed. */
export function writeTimeColumn(d: DataView, o: number, w: Buffer, p: number): number {
  const number = d.getUint16(o, true) | (d.getInt8(o + 2) << 16);
  const n = Math.abs(number);
  const hour = Math.floor(n / 10_000);
  return writeTimeText(number < 0, hour, Math.floor(n / 100) % 100, n % 100, 0, 0, w, p);
}

/** Writes `[-]HH:mm:ss[.fraction]` between quotes; hours with two digits, or three when they need them. */
export function writeTimeText(
  negative: boolean,
  hour: number,
  minute: number,
  second: number,
  fraction: number,
  digits: number,
  w: Buffer,
  p: number,
): number {
  if (hour > HOUR_MAX || minute > 59 || second > 59) return -1;
  w[p++] = 34;
  if (negative) w[p++] = 45;
  p = hour > 99 ? writeInteger(hour, w, p) : writeTwo(hour, w, p);
  w[p] = 58;
  p = writeTwo(minute, w, p + 1);
  w[p] = 58;
  p = writeFraction(fraction, digits, w, writeTwo(second, w, p + 1));
  w[p] = 34;
  return p + 1;
}

/** DATETIME before MySQL 5.6: the decimal number YYYYMMDDhhmmss in eight bytes, little-endian. */
export function writeDateTimeColumn(d: DataView, o: number, w: Buffer, p: number): number {
  const high = d.getUint32(o + 4, true);
  if (high > 0xffff) return -1; // beyond any date, and beyond exact arithmetic
  const number = high * 0x1_0000_0000 + d.getUint32(o, true);
  const date = Math.floor(number / 1_000_000);
  const time = number - date * 1_000_000;
  const year = Math.floor(date / 10_000);
  const hour = Math.floor(time / 10_000);
  const minute = Math.floor(time / 100) % 100;
  if (year > YEAR_MAX || hour > 23 || minute > 59 || time % 100 > 59) return -1;
  w[p] = 34;
  p = writeDate(year, Math.floor(date / 100) % 100, date % 100, w, p + 1);
  w[p] = 32;
  p = writeTime(hour, minute, time % 100, w, p + 1);
  w[p] = 34;
  return p + 1;
}
