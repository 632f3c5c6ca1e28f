/**
 * Dates and times as digits, written straight into bytes: `yyyy-MM-dd`, `HH:mm:ss`, `yyyy-MM-dd HH:mm:ss` and
 * fractions. As everywhere in this folder the caller has made sure of room, and the place after the text is returned.
 */
import type { Buffer } from 'node:buffer';
import { DIGIT_PAIRS, writePadded } from './digits.ts';

/** Bytes of `yyyy-MM-dd HH:mm:ss`. */
export const DATE_TIME_BYTES = 19;

/** Writes two digits of a number of 0 to 99. */
export function writeTwo(n: number, w: Buffer, p: number): number {
  w[p] = DIGIT_PAIRS[n << 1] as number; // n is within 0..99
  w[p + 1] = DIGIT_PAIRS[(n << 1) + 1] as number; // as above
  return p + 2;
}

/** Writes `yyyy-MM-dd`; year 0 to 9999, month and day 0 to 99, whether the calendar has such a day or not. */
export function writeDate(year: number, month: number, day: number, w: Buffer, p: number): number {
  const century = (year / 100) | 0;
  writeTwo(century, w, p);
  writeTwo(year - century * 100, w, p + 2);
  w[p + 4] = 45;
  writeTwo(month, w, p + 5);
  w[p + 7] = 45;
  return writeTwo(day, w, p + 8);
}

/** Writes `HH:mm:ss`. */
export function writeTime(hour: number, minute: number, second: number, w: Buffer, p: number): number {
  writeTwo(hour, w, p);
  w[p + 2] = 58;
  writeTwo(minute, w, p + 3);
  w[p + 5] = 58;
  return writeTwo(second, w, p + 6);
}

/** Writes a point and the `digits` digits of a fraction, given as that many digits; nothing for 0 digits. */
export function writeFraction(fraction: number, digits: number, w: Buffer, p: number): number {
  if (digits === 0) return p;
  w[p] = 46;
  return writePadded(fraction, digits, w, p + 1);
}

/**
 * Writes `yyyy-MM-dd HH:mm:ss` for whole seconds since 1970-01-01 00:00:00 of the same clock, years 0 to 9999.
 * Days to a calendar date by the usual shift of the year's start to March, in whole 400-year cycles.
 */
export function writeDateTime(seconds: number, w: Buffer, p: number): number {
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  const shifted = days + 719_468;
  const cycle = Math.floor(shifted / 146_097);
  const dayOfCycle = shifted - cycle * 146_097;
  const yearOfCycle =
    ((dayOfCycle - ((dayOfCycle / 1460) | 0) + ((dayOfCycle / 36_524) | 0) - ((dayOfCycle / 146_096) | 0)) /
      365) |
    0;
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + ((yearOfCycle / 4) | 0) - ((yearOfCycle / 100) | 0));
  const marchMonth = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * marchMonth + 2) / 5) | 0) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0);
  const end = writeDate(year, month, day, w, p);
  w[end] = 32;
  const hour = (rest / 3600) | 0;
  const minute = ((rest - hour * 3600) / 60) | 0;
  return writeTime(hour, minute, rest - hour * 3600 - minute * 60, w, end + 1);
}
