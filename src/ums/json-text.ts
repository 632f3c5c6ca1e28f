/**
 * Text as JSON strings, bytes to bytes. No JavaScript string is made. The copy loops work on four bytes at a time and
 * leave that path only for a word that holds a byte which JSON escapes. All targets must have room: six bytes for each
 * byte of text plus two for the quotes are always enough.
 * Source of the escapes: RFC 8259, section 7.
 */
import { Buffer, isUtf8 } from 'node:buffer';

/** Byte after the backslash for bytes with a short escape, 117 (`u`) for other control bytes, 0 for bytes written as they are. */
const ESCAPE = new Uint8Array(256);
ESCAPE.fill(117, 0, 32);
for (const [byte, letter] of [
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [12, 'f'],
  [13, 'r'],
  [34, '"'],
  [92, '\\'],
] as const) {
  ESCAPE[byte] = letter.charCodeAt(0);
}
const HEX = Buffer.from('0123456789abcdef', 'latin1');

/** Above this length the native check of UTF-8 is faster than the loop. */
const NATIVE_CHECK_BYTES = 96;

/** Writes one byte as JSON text has it: as it is, or escaped. At most six bytes. */
export function writeByte(byte: number, w: Buffer, p: number): number {
  const letter = ESCAPE[byte] as number; // a byte indexes a table of 256
  if (letter === 0) {
    w[p] = byte;
    return p + 1;
  }
  w[p] = 92;
  w[p + 1] = letter;
  if (letter !== 117) return p + 2;
  w[p + 2] = 48;
  w[p + 3] = 48;
  w[p + 4] = HEX[byte >> 4] as number; // four bits index a table of 16
  w[p + 5] = HEX[byte & 15] as number; // as above
  return p + 6;
}

/**
 * Writes bytes `o` to `e` of `b`, UTF-8 text, as a JSON string with its quotes; `d` and `v` are the views of `b` and `w`.
 * Returns the place after it, or -1 when the bytes are not valid UTF-8.
 */
export function writeUtf8(
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  w: Buffer,
  v: DataView,
  p: number,
): number {
  const start = o;
  const lastWord = e - 4;
  let seen = 0;
  w[p++] = 34;
  while (o <= lastWord) {
    const x = d.getUint32(o, true);
    const quote = x ^ 0x22222222;
    const backslash = x ^ 0x5c5c5c5c;
    // The top bit of a byte of `mark` is set where the byte is below 0x20, a quote or a backslash. A borrow between
    // bytes may set it where it need not be, never the other way round.
    const mark =
      ((x - 0x20202020) & ~x) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash);
    seen |= x;
    if ((mark & 0x80808080) === 0) {
      v.setUint32(p, x, true);
      p += 4;
      o += 4;
    } else {
      p = writeByte(b[o] as number, w, p); // o < e <= b.length
      o++;
    }
  }
  for (; o < e; o++) {
    const byte = b[o] as number; // o < e <= b.length
    seen |= byte;
    p = writeByte(byte, w, p);
  }
  w[p] = 34;
  if ((seen & 0x80808080) !== 0 && !validUtf8(b, start, e)) return -1;
  return p + 1;
}

/** Whether bytes `o` to `e` are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
export function validUtf8(b: Buffer, o: number, e: number): boolean {
  if (e - o > NATIVE_CHECK_BYTES) return isUtf8(b.subarray(o, e));
  while (o < e) {
    const lead = b[o] as number; // o < e <= b.length
    if (lead < 0x80) {
      o++;
      continue;
    }
    const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size === 0 || o + size > e) return false;
    const second = b[o + 1] as number; // o + size <= e
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (let i = 2; i < size; i++) if (((b[o + i] as number) & 0xc0) !== 0x80) return false; // as above
    o += size;
  }
  return true;
}

/** How many bytes `writeUtf8` writes for the text, quotes included: exact, found by a scan. */
export function utf8TextSize(b: Buffer, o: number, e: number): number {
  let size = e - o + 2;
  for (; o < e; o++) {
    const letter = ESCAPE[b[o] as number] as number; // o < e <= b.length, and a byte indexes a table of 256
    if (letter !== 0) size += letter === 117 ? 5 : 1;
  }
  return size;
}

/** A JavaScript string as a JSON string in bytes, quotes included; for what is written once, such as names. */
export function jsonText(text: string): Buffer {
  return Buffer.from(JSON.stringify(text), 'utf8');
}
