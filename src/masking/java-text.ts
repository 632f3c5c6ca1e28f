import type { UmsType } from '../ums/types.ts';

/** Between these a number is written without an exponent. */
const PLAIN_MIN = 1e-3;
const PLAIN_MAX = 1e7;

/**
 * The text of a value that DBUS hashes, which is Java's `toString` of it: other than JSON only for `float` and `double`, such as `1.0` and `1.0E10`. Where JVMs before
 * 19 print more digits than are needed, this has as many as are.
 */
export function javaText(type: UmsType, value: string | number | boolean): string {
  if (typeof value !== 'number' || (type !== 'float' && type !== 'double')) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const sign = value < 0 ? '-' : '';
  const size = Math.abs(value);
  if (size >= PLAIN_MIN && size < PLAIN_MAX) return sign + withPoint(String(size));
  const [digits = '', exponent = ''] = size.toExponential().split('e');
  return `${sign}${withPoint(digits)}E${Number(exponent)}`;
}

function withPoint(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`;
}

/** A whole number divided by three, as Java's `%.1f` prints it: digits beyond those that tell it apart are 0. */
export function javaThird(value: bigint): string {
  const third = Number(value) / 3;
  return Number.isInteger(third) ? `${third}.0` : third.toFixed(1);
}
