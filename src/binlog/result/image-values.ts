/**
 * Values of a binary result, written as they stand in a row image. Sources: "Binary Protocol Value" of the MySQL source documentation for what is read; `my_time.cc` and
 * `decimal2bin` of it for what is written.
 */
import type { Buffer } from 'node:buffer';
import { DECIMAL_GROUP_BYTES, decimalShape } from '../rows/decimal.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const DAY_SECONDS = 86_400;
const YEAR_MAX = 9999;
/** Of TIME: 838:59:59. */
const HOURS_MAX = 838;
const MICROS_MAX = 999_999;
/** Of TIMESTAMP, in 2106. */
const SECONDS_MAX = 0xffff_ffff;

/** Packs the text of a decimal in `[o, e)`; returns the place after it, or -1 when it is none, or has more digits than its type. */
export function packDecimal(
  b: Buffer,
  o: number,
  e: number,
  precision: number,
  scale: number,
  w: Buffer,
  p: number,
): number {
  const negative = b[o] === MINUS;
  if (negative) o++;
  if (o >= e || b[o] === POINT) return -1;
  while (o < e && b[o] === ZERO) o++;
  let point = o;
  while (point < e && b[point] !== POINT) point++;
  const whole = precision - scale;
  const leading = whole - (point - o);
  if (leading < 0 || e - point - 1 > scale) return -1;
  const { groups } = decimalShape(precision, scale);
  const first = p;
  let at = 0;
  for (const digits of groups) {
    let n = 0;
    for (let k = 0; k < digits; k++, at++) {
      const from = at < whole ? o + at - leading : point + 1 + at - whole;
      const digit = at < leading || from >= e ? 0 : (b[from] ?? ZERO) - ZERO;
      if (digit < 0 || digit > 9) return -1;
      n = n * 10 + digit;
    }
    const size = DECIMAL_GROUP_BYTES[digits] ?? 4;
    w.writeUIntBE(n, p, size);
    p += size;
  }
  if (negative) for (let i = first; i < p; i++) w[i] = (w[i] ?? 0) ^ 0xff;
  w[first] = (w[first] ?? 0) ^ 0x80;
  return p;
}

/** DATE at `o`, where its length byte is: 0, or at least 4. Returns the place after it, or -1 when it is none, as those below do. */
export function packDate(b: Buffer, o: number, w: Buffer, p: number): number {
  if (!isDate(b, o)) return -1;
  const bits = b[o] === 0 ? 0 : (b.readUInt16LE(o + 1) << 9) | ((b[o + 3] ?? 0) << 5) | (b[o + 4] ?? 0);
  w.writeUIntLE(bits, p, 3);
  return p + 3;
}

/** DATETIME with `digits` digits of fraction at `o`, where its length byte is: 0, 4, 7 or 11. */
export function packDateTime(b: Buffer, o: number, digits: number, w: Buffer, p: number): number {
  if (!isDate(b, o) || !isClock(b, o)) return -1;
  const length = b[o] ?? 0;
  const year = length === 0 ? 0 : b.readUInt16LE(o + 1);
  const month = length === 0 ? 0 : (b[o + 3] ?? 0);
  const day = length === 0 ? 0 : (b[o + 4] ?? 0);
  const [hour, minute, second] = length < 7 ? [0, 0, 0] : [b[o + 5] ?? 0, b[o + 6] ?? 0, b[o + 7] ?? 0];
  const date = (year * 13 + month) * 32 + day;
  w.writeUIntBE(0x80_0000_0000 + date * 0x2_0000 + hour * 4096 + minute * 64 + second, p, 5);
  return packFraction(length < 11 ? 0 : b.readUInt32LE(o + 8), digits, w, p + 5);
}

/** TIMESTAMP in UTC at `o`, where its length byte is: 0, 4, 7 or 11. */
export function packTimestamp(b: Buffer, o: number, digits: number, w: Buffer, p: number): number {
  if (!isDate(b, o) || !isClock(b, o)) return -1;
  const length = b[o] ?? 0;
  let seconds = 0;
  if (length > 0) {
    seconds = daysOf(b.readUInt16LE(o + 1), b[o + 3] ?? 0, b[o + 4] ?? 0) * DAY_SECONDS;
    if (length >= 7) seconds += (b[o + 5] ?? 0) * 3600 + (b[o + 6] ?? 0) * 60 + (b[o + 7] ?? 0);
  }
  if (!(seconds >= 0 && seconds <= SECONDS_MAX)) return -1;
  w.writeUInt32BE(seconds, p);
  return packFraction(length < 11 ? 0 : b.readUInt32LE(o + 8), digits, w, p + 4);
}

/** TIME at `o`, where its length byte is, 0, 8 or 12: sign, days, hours, minutes, seconds, microseconds. */
export function packTime(b: Buffer, o: number, digits: number, w: Buffer, p: number): number {
  const length = b[o] ?? 0;
  const bytes = (digits + 1) >> 1;
  const unit = 256 ** bytes;
  let size = 0;
  if (length >= 8) {
    const hours = b.readUInt32LE(o + 2) * 24 + (b[o + 6] ?? 0);
    const micros = length < 12 ? 0 : b.readUInt32LE(o + 9);
    if (hours > HOURS_MAX || (b[o + 7] ?? 0) > 59 || (b[o + 8] ?? 0) > 59 || micros > MICROS_MAX) return -1;
    size = (hours * 4096 + (b[o + 7] ?? 0) * 64 + (b[o + 8] ?? 0)) * unit;
    size += fractionOf(micros, digits);
  }
  const negative = length >= 8 && b[o + 1] === 1;
  w.writeUIntBE(0x80_0000 * unit + (negative ? -size : size), p, 3 + bytes);
  return p + 3 + bytes;
}

/** Whether what begins at a length byte has a date with numbers that dates have: zero for parts of it too, and any day of any month. */
function isDate(b: Buffer, o: number): boolean {
  return b[o] === 0 || (b.readUInt16LE(o + 1) <= YEAR_MAX && (b[o + 3] ?? 0) <= 12 && (b[o + 4] ?? 0) <= 31);
}

/** The same of the time behind the date. */
function isClock(b: Buffer, o: number): boolean {
  const length = b[o] ?? 0;
  if (length < 7) return true;
  if ((b[o + 5] ?? 0) > 23 || (b[o + 6] ?? 0) > 59 || (b[o + 7] ?? 0) > 59) return false;
  return length < 11 || b.readUInt32LE(o + 8) <= MICROS_MAX;
}

function packFraction(micros: number, digits: number, w: Buffer, p: number): number {
  const bytes = (digits + 1) >> 1;
  if (bytes > 0) w.writeUIntBE(fractionOf(micros, digits), p, bytes);
  return p + bytes;
}

/** Microseconds as a number of an even count of digits. */
function fractionOf(micros: number, digits: number): number {
  return Math.floor(micros / 10 ** (6 - 2 * ((digits + 1) >> 1)));
}

/** Days from 1970-01-01 of a date of the Gregorian calendar. */
function daysOf(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month - 1, day) / (DAY_SECONDS * 1000));
}
