/**
 * Numbers as ASCII digits, written straight into bytes. Every function takes the target and the place, and returns the
 * place after what it wrote; the caller has made sure that there is room.
 */
import { Buffer } from 'node:buffer';

/** The two digits of 0 to 99, one pair after the other: those of n start at 2n. */
export const DIGIT_PAIRS = Buffer.from(
  Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0')).join(''),
  'latin1',
);

const QUOTIENT_STEP = 1_000_000_000;

/** Writes an integer of at most 2^53-1, with a minus sign when negative. At most 17 bytes. */
export function writeInteger(value: number, w: Buffer, p: number): number {
  let n = value;
  if (n < 0) {
    w[p++] = 45;
    n = -n;
  }
  if (n < 10) {
    w[p] = 48 + n;
    return p + 1;
  }
  if (n > 0x7fff_ffff) {
    const high = Math.floor(n / QUOTIENT_STEP);
    return writePadded(n - high * QUOTIENT_STEP, 9, w, writeInteger(high, w, p));
  }
  const end = p + digitCount(n);
  let i = end;
  while (n >= 100) {
    const rest = (n / 100) | 0;
    const pair = (n - rest * 100) << 1;
    n = rest;
    i -= 2;
    w[i] = DIGIT_PAIRS[pair] as number; // pair is within 0..198 because n - rest * 100 is within 0..99
    w[i + 1] = DIGIT_PAIRS[pair + 1] as number; // as above
  }
  if (n >= 10) {
    w[i - 2] = DIGIT_PAIRS[n << 1] as number; // n is within 10..99
    w[i - 1] = DIGIT_PAIRS[(n << 1) + 1] as number; // as above
  } else {
    w[i - 1] = 48 + n;
  }
  return end;
}

/** How many digits a number of 10 to 2^31-1 has. */
function digitCount(n: number): number {
  if (n < 100_000) return n < 100 ? 2 : n < 1000 ? 3 : n < 10_000 ? 4 : 5;
  if (n < 10_000_000) return n < 1_000_000 ? 6 : 7;
  return n < 100_000_000 ? 8 : n < QUOTIENT_STEP ? 9 : 10;
}

/** Writes exactly `width` digits of a number of 0 to 10^width-1, with zeros in front; width at most 9. */
export function writePadded(value: number, width: number, w: Buffer, p: number): number {
  let n = value;
  const end = p + width;
  let i = end;
  while (i - p >= 2) {
    const rest = (n / 100) | 0;
    const pair = (n - rest * 100) << 1;
    n = rest;
    i -= 2;
    w[i] = DIGIT_PAIRS[pair] as number; // pair is within 0..198 because n - rest * 100 is within 0..99
    w[i + 1] = DIGIT_PAIRS[pair + 1] as number; // as above
  }
  if (i > p) w[p] = 48 + n;
  return end;
}

/** Writes an unsigned 64-bit integer given as two unsigned 32-bit halves. At most 20 bytes. */
export function writeUnsigned64(high: number, low: number, w: Buffer, p: number): number {
  if (high < 0x20_0000) return writeInteger(high * 0x1_0000_0000 + low, w, p);
  // Long division by 10^9 in steps of 16 bits, which keeps every intermediate below 2^53.
  const quotient1 = Math.floor(high / QUOTIENT_STEP);
  const dividend2 = (high - quotient1 * QUOTIENT_STEP) * 0x1_0000 + (low >>> 16);
  const quotient2 = Math.floor(dividend2 / QUOTIENT_STEP);
  const dividend3 = (dividend2 - quotient2 * QUOTIENT_STEP) * 0x1_0000 + (low & 0xffff);
  const quotient3 = Math.floor(dividend3 / QUOTIENT_STEP);
  const rest = dividend3 - quotient3 * QUOTIENT_STEP;
  const quotient = quotient1 * 0x1_0000_0000 + quotient2 * 0x1_0000 + quotient3;
  return writePadded(rest, 9, w, writeInteger(quotient, w, p));
}

/** Writes a signed 64-bit integer given as a signed high and an unsigned low half. At most 20 bytes. */
export function writeSigned64(high: number, low: number, w: Buffer, p: number): number {
  if (high >= 0) return writeUnsigned64(high, low, w, p);
  w[p] = 45;
  return low === 0
    ? writeUnsigned64(-high >>> 0, 0, w, p + 1)
    : writeUnsigned64(~high >>> 0, -low >>> 0, w, p + 1);
}
