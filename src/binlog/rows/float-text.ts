import type { Buffer } from 'node:buffer';

/** Digits that every FLOAT keeps, unless it is too small to have all its bits, and digits that tell any two apart. */
const FLOAT_DIGITS_MIN = 6;
const FLOAT_WHOLE_MIN = 2 ** -126;
const FLOAT_DIGITS_MAX = 9;

/**
 * Writes a FLOAT as a JSON number: the shortest decimal that rounds to the same 32-bit value; -0 as `-0`. At most 24 bytes.
 * Returns -1 for NaN and infinities, which neither MySQL nor JSON has.
 */
export function writeFloat(value: number, w: Buffer, p: number): number {
  if (!Number.isFinite(value)) return -1;
  if (value === 0) return writeDouble(value, w, p);
  let shortest = value;
  let digits = Math.abs(value) < FLOAT_WHOLE_MIN ? 1 : FLOAT_DIGITS_MIN;
  for (; digits <= FLOAT_DIGITS_MAX; digits++) {
    shortest = Number(value.toPrecision(digits));
    if (Math.fround(shortest) === value) break;
  }
  return writeDouble(shortest, w, p);
}

/**
 * Writes a DOUBLE as a JSON number: the shortest decimal that rounds to the same 64-bit value; -0 as `-0`. At most 25 bytes.
 * Returns -1 for NaN and infinities, which neither MySQL nor JSON has.
 */
export function writeDouble(value: number, w: Buffer, p: number): number {
  if (!Number.isFinite(value)) return -1;
  if (Object.is(value, -0)) {
    w[p] = 45;
    w[p + 1] = 48;
    return p + 2;
  }
  return p + w.write(String(value), p, 'latin1');
}
