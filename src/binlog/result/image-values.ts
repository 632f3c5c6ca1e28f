/**
 * Values of a binary result, written as they stand in a row image. Sources: "Binary Protocol Value" of the MySQL source documentation for what is read; `my_time.cc` and
 * `decimal2bin` of it for what is written.
 */
import type { Buffer } from 'node:buffer';
import { DECIMAL_GROUP_BYTES, type DecimalShape } from '../rows/decimal.ts';

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
  shape: DecimalShape,
  w: Buffer,
  p: number,
): number {
  const { groups, fractionFrom, whole, scale } = shape;
  const mask = b[o] === MINUS ? 0xff : 0;
  if (mask !== 0) o++;
  if (o >= e || b[o] === POINT) return -1;
  while (o < e && b[o] === ZERO) o++;
  let point = o;
  while (point < e && b[point] !== POINT) point++;
  if (point - o > whole || e - point - 1 > scale) return -1;
  const first = p;
  // Where the first digit would be if all were sent.
  let at = point - whole;
  for (let i = 0; i < groups.length; i++) {
    if (i === fractionFrom) at = point + 1;
    const digits = groups[i] as number; // i < length
    const end = at + digits;
    let n = 0;
    for (; at < end; at++) {
      const digit = at < o || at >= e ? 0 : (b[at] as number) - ZERO; // at < e <= b.length
      if (digit < 0 || digit > 9) return -1;
      n = n * 10 + digit;
    }
    p = writeBig(n, DECIMAL_GROUP_BYTES[digits] ?? 4, mask, w, p);
  }
  w[first] = (w[first] ?? 0) ^ 0x80;
  return p;
}

/** Writes a number of up to 32 bits in so many bytes, the highest first, each with the bits of `mask` inverted. */
function writeBig(n: number, bytes: number, mask: number, w: Buffer, p: number): number {
  for (let shift = 8 * bytes - 8; shift >= 0; shift -= 8) w[p++] = (n >>> shift) ^ mask;
  return p;
}

/** DATE at `o`, where its length byte is: 0, or at least 4. Returns the place after it, or -1 when it is none, as those below do. */
export function packDate(b: Buffer, o: number, w: Buffer, p: number): number {
  if (!isDate(b, o)) return -1;
  const bits = b[o] === 0 ? 0 : (yearAt(b, o) << 9) | ((b[o + 3] ?? 0) << 5) | (b[o + 4] ?? 0);
  w[p] = bits;
  w[p + 1] = bits >> 8;
  w[p + 2] = bits >> 16;
  return p + 3;
}

/** DATETIME with `digits` digits of fraction at `o`, where its length byte is: 0, 4, 7 or 11. */
export function packDateTime(b: Buffer, o: number, digits: number, w: Buffer, p: number): number {
  if (!isDate(b, o) || !isClock(b, o)) return -1;
  const length = b[o] ?? 0;
  const date = length === 0 ? 0 : (yearAt(b, o) * 13 + (b[o + 3] ?? 0)) * 32 + (b[o + 4] ?? 0);
  const clock = length < 7 ? 0 : ((b[o + 5] ?? 0) << 12) | ((b[o + 6] ?? 0) << 6) | (b[o + 7] ?? 0);
  w[p] = 0x80 | (date >> 15);
  p = writeBig(((date & 0x7fff) << 17) | clock, 4, 0, w, p + 1);
  return packFraction(length < 11 ? 0 : b.readUInt32LE(o + 8), digits, w, p);
}

/** TIMESTAMP in UTC at `o`, where its length byte is: 0, 4, 7 or 11. */
export function packTimestamp(b: Buffer, o: number, digits: number, w: Buffer, p: number): number {
  if (!isDate(b, o) || !isClock(b, o)) return -1;
  const length = b[o] ?? 0;
  let seconds = 0;
  if (length > 0) {
    seconds = daysOf(yearAt(b, o), b[o + 3] ?? 0, b[o + 4] ?? 0) * DAY_SECONDS;
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

/** The year of a date whose length byte is at `o`. */
function yearAt(b: Buffer, o: number): number {
  return (b[o + 1] ?? 0) | ((b[o + 2] ?? 0) << 8);
}

/** Whether what begins at a length byte has a date with numbers that dates have: zero for parts of it too, and any day of any month. */
function isDate(b: Buffer, o: number): boolean {
  return b[o] === 0 || (yearAt(b, o) <= YEAR_MAX && (b[o + 3] ?? 0) <= 12 && (b[o + 4] ?? 0) <= 31);
}

/** The same of the time behind the date. */
function isClock(b: Buffer, o: number): boolean {
  const length = b[o] ?? 0;
  if (length < 7) return true;
  if ((b[o + 5] ?? 0) > 23 || (b[o + 6] ?? 0) > 59 || (b[o + 7] ?? 0) > 59) return false;
  return length < 11 || b.readUInt32LE(o + 8) <= MICROS_MAX;
}

function packFraction(micros: number, digits: number, w: Buffer, p: number): number {
  return writeBig(fractionOf(micros, digits), (digits + 1) >> 1, 0, w, p);
}

/** Microseconds as a number of an even count of digits. */
function fractionOf(micros: number, digits: number): number {
  const unit = digits > 4 ? 1 : digits > 2 ? 100 : digits > 0 ? 10_000 : 1_000_000;
  return unit === 1 ? micros : Math.floor(micros / unit);
}

/** Days from 1970-01-01 of a date of the Gregorian calendar. */
function daysOf(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month - 1, day) / (DAY_SECONDS * 1000));
}
