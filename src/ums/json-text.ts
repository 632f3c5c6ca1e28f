/**
 * Text as JSON strings, bytes to bytes. No JavaScript string is made. The copy loops work on eight and four bytes at a time and
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
  const lastPair = e - 8;
  let seen = 0;
  w[p++] = 34;
  while (o <= lastWord) {
    const word = d.getInt32(o, true);
    const others = ~plainBytes(word) & TOP_BITS;
    seen |= word;
    // What is behind a byte that is escaped is written over. There is room: each byte that is left takes one at least.
    v.setInt32(p, word, true);
    if (others !== 0) {
      const plain = (31 - Math.clz32(others & -others)) >> 3;
      p = writeByte(b[o + plain] as number, w, p + plain); // one of the four
      o += plain + 1;
      continue;
    }
    p += 4;
    o += 4;
    while (o <= lastPair) {
      const x = d.getInt32(o, true);
      const y = d.getInt32(o + 4, true);
      if ((~(plainBytes(x) & plainBytes(y)) & TOP_BITS) !== 0) break;
      seen |= x | y;
      v.setInt32(p, x, true);
      v.setInt32(p + 4, y, true);
      p += 8;
      o += 8;
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

const TOP_BITS = 0x80808080 | 0;

/** Has the top bit of each byte of a word that JSON text has as it is: neither below 0x20, nor a quote, nor a backslash. No sum carries into the next byte. */
function plainBytes(word: number): number {
  const low = word & 0x7f7f7f7f;
  return ((low + 0x60606060) & ((low ^ 0x22222222) + 0x7f7f7f7f) & ((low ^ 0x5c5c5c5c) + 0x7f7f7f7f)) | word;
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
