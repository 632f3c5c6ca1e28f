import { Buffer } from 'node:buffer';

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');

/** Two letters for twelve bits, as the 16-bit word (little-endian) that puts them in order. */
const PAIRS = Uint16Array.from(
  { length: 4096 },
  (_, bits) => (ALPHABET[bits >> 6] as number) | ((ALPHABET[bits & 63] as number) << 8), // six bits index 64 letters
);

/**
 * Writes bytes `o` to `e` of `b`, followed by `zeros` zero bytes, in base64 (RFC 4648, section 4, with padding); `d` and
 * `v` are the views of `b` and `w`. Returns the place after it: 4 bytes for each 3.
 */
export function writeBase64(
  d: DataView,
  o: number,
  e: number,
  zeros: number,
  w: Buffer,
  v: DataView,
  p: number,
): number {
  for (; o + 3 <= e; o += 3, p += 4) {
    const bits = (d.getUint8(o) << 16) | d.getUint16(o + 1);
    v.setUint16(p, PAIRS[bits >> 12] as number, true); // twelve bits index a table of 4096
    v.setUint16(p + 2, PAIRS[bits & 4095] as number, true); // as above
  }
  let left = e - o + zeros;
  while (left > 0) {
    const first = o < e ? d.getUint8(o) : 0;
    const second = o + 1 < e ? d.getUint8(o + 1) : 0;
    const third = o + 2 < e ? d.getUint8(o + 2) : 0;
    const bits = (first << 16) | (second << 8) | third;
    v.setUint16(p, PAIRS[bits >> 12] as number, true); // as above
    v.setUint16(p + 2, PAIRS[bits & 4095] as number, true); // as above
    if (left < 3) w[p + 3] = 61;
    if (left < 2) w[p + 2] = 61;
    o += 3;
    p += 4;
    left -= 3;
  }
  return p;
}
