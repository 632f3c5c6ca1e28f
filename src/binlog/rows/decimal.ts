import type { Buffer } from 'node:buffer';
import { writeInteger, writePadded } from '../../ums/digits.ts';

/** Bytes of a group of 0 to 9 decimal digits. Source: MySQL source documentation, `decimal2bin`. */
export const DECIMAL_GROUP_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/** Limits of DECIMAL(precision, scale); scale 38 is MariaDB's. */
export const DECIMAL_PRECISION_MAX = 65;
export const DECIMAL_SCALE_MAX = 38;

/** How a DECIMAL(precision, scale) is stored: digits before and behind the point, those of each group in order, where the fraction begins among the groups, and bytes in all. */
export interface DecimalShape {
  readonly whole: number;
  readonly scale: number;
  readonly groups: readonly number[];
  readonly fractionFrom: number;
  readonly bytes: number;
}

/** The shape of a DECIMAL; precision 1 to 65, scale 0 to precision. */
export function decimalShape(precision: number, scale: number): DecimalShape {
  const whole = precision - scale;
  const groups: number[] = [];
  if (whole % 9 > 0) groups.push(whole % 9);
  for (let i = 0; i < Math.floor(whole / 9); i++) groups.push(9);
  const fractionFrom = groups.length;
  for (let i = 0; i < Math.floor(scale / 9); i++) groups.push(9);
  if (scale % 9 > 0) groups.push(scale % 9);
  const bytes = groups.reduce((sum, digits) => sum + (DECIMAL_GROUP_BYTES[digits] ?? 0), 0);
  return { whole, scale, groups, fractionFrom, bytes };
}

/**
 * Writes a DECIMAL of any shape, without quotes; the caller has checked that its bytes are there. At most precision + 3
 * bytes. Returns -1 when a group has more digits than it may. For decimals in JSON; columns have code of their own.
 */
export function writeDecimal(
  d: DataView,
  o: number,
  precision: number,
  scale: number,
  w: Buffer,
  p: number,
): number {
  const { groups, fractionFrom } = decimalShape(precision, scale);
  const negative = d.getUint8(o) < 0x80;
  if (negative) w[p++] = 45;
  let leading = true;
  if (fractionFrom === 0) w[p++] = 48;
  for (const [i, digits] of groups.entries()) {
    const size = DECIMAL_GROUP_BYTES[digits] ?? 4;
    let n = 0;
    for (let k = 0; k < size; k++) {
      const byte = d.getUint8(o++) ^ (negative ? 0xff : 0) ^ (i === 0 && k === 0 ? 0x80 : 0);
      n = n * 256 + byte;
    }
    if (n >= 10 ** digits) return -1;
    if (i === fractionFrom) w[p++] = 46;
    if (i >= fractionFrom || !leading) {
      p = writePadded(n, digits, w, p);
    } else if (n !== 0) {
      p = writeInteger(n, w, p);
      leading = false;
    }
    if (i === fractionFrom - 1 && leading) w[p++] = 48;
  }
  return p;
}
