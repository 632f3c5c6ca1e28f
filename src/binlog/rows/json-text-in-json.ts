/**
 * Text of a JSON document that itself stands inside a JSON string: escaped as the server escapes it within the document, and once more for
 * the string around it.
 */
import { Buffer } from 'node:buffer';

/** Most bytes written for one byte of text: a control character becomes `\\u0001`. */
export const INNER_BYTES_MAX = 7;

/** The bytes for each byte that is not written as it is, eight apart, and how many they are; 0 for bytes written as they are. */
const INNER = Buffer.alloc(256 * 8);
const INNER_SIZE = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  if (byte >= 32 && byte !== 34 && byte !== 92) continue;
  const inner = JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
  INNER_SIZE[byte] = INNER.write(JSON.stringify(inner).slice(1, -1), byte * 8, 'latin1');
}

/** Writes UTF-8 text between quotes that are escaped once. `d` and `v` are the views of `b` and `w`. */
export function writeInnerText(
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  w: Buffer,
  v: DataView,
  p: number,
): number {
  w[p] = 92;
  w[p + 1] = 34;
  p += 2;
  while (o < e) {
    if (o + 4 <= e) {
      const x = d.getUint32(o, true);
      const quote = x ^ 0x22222222;
      const backslash = x ^ 0x5c5c5c5c;
      // The test of writeUtf8.
      const mark =
        ((x - 0x20202020) & ~x) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash);
      if ((mark & 0x80808080) === 0) {
        v.setUint32(p, x, true);
        p += 4;
        o += 4;
        continue;
      }
    }
    const byte = b[o++] as number; // o < e <= b.length
    const size = INNER_SIZE[byte] as number; // a byte indexes a table of 256
    if (size === 0) w[p++] = byte;
    else for (let i = 0; i < size; i++) w[p++] = INNER[byte * 8 + i] as number; // size <= 7, eight apart
  }
  w[p] = 92;
  w[p + 1] = 34;
  return p + 2;
}

/** How many bytes `writeInnerText` writes: exact, found by a scan. */
export function innerTextSize(b: Buffer, o: number, e: number): number {
  let size = e - o + 4;
  for (; o < e; o++) {
    const bytes = INNER_SIZE[b[o] as number] as number; // o < e <= b.length, and a byte indexes a table of 256
    if (bytes !== 0) size += bytes - 1;
  }
  return size;
}
