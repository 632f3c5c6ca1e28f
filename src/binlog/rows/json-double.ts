import type { Buffer } from 'node:buffer';

/** Whole numbers of up to this many digits, and numbers with at most this many zeros behind the point, are written without an exponent. */
const POINT_MAX = 15;
const POINT_MIN = -14;

/**
 * Writes a DOUBLE of a JSON document as the server prints it: the shortest digits that round to the same value, with a decimal point or an exponent
 * in every case (`1.0`, `1e16`, `1.5e-17`). At most 40 bytes. Returns -1 for NaN and infinities.
 * Source: MySQL source documentation, `my_gcvt` and `Json_wrapper::to_string`.
 */
export function writeJsonDouble(value: number, w: Buffer, p: number): number {
  if (!Number.isFinite(value)) return -1;
  return p + w.write(jsonDouble(value), p, 'latin1');
}

function jsonDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const sign = value < 0 ? '-' : '';
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const point = Number(exponent) + 1;
  if (point < POINT_MIN || (point > POINT_MAX && digits.length <= point))
    return `${sign}${mantissa}e${point - 1}`;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign}${digits}${'0'.repeat(point - digits.length)}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
