/**
 * MySQL's `latin1`: Windows-1252, with the five bytes that it leaves undefined mapped to the control characters of the
 * same number (MySQL manual, "West European Character Sets").
 */
import { Buffer } from 'node:buffer';
import { writeByte } from '../../ums/json-text.ts';

/** Code points of bytes 0x80 to 0x9f. */
const HIGH_CONTROLS = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
  0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a,
  0x153, 0x9d, 0x17e, 0x178,
] as const;

/** UTF-8 of bytes 0x80 to 0xff: three bytes each, and how many of them count. */
const UTF8 = Buffer.alloc(128 * 3);
const UTF8_SIZE = new Uint8Array(128);
for (let i = 0; i < 128; i++) {
  UTF8_SIZE[i] = UTF8.write(String.fromCodePoint(HIGH_CONTROLS[i] ?? 0x80 + i), i * 3);
}

/** Most bytes of a JSON string for each byte of latin1 text above 0x7f; below, six. */
export const LATIN1_HIGH_BYTES = 3;

/** Writes latin1 text as a JSON string with its quotes; arguments as those of `writeUtf8`. */
export function writeLatin1(
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  w: Buffer,
  v: DataView,
  p: number,
): number {
  const lastWord = e - 4;
  w[p++] = 34;
  while (o <= lastWord) {
    const x = d.getUint32(o, true);
    const quote = x ^ 0x22222222;
    const backslash = x ^ 0x5c5c5c5c;
    // As in writeUtf8, with the top bit of a byte marking it too.
    const mark =
      x | ((x - 0x20202020) & ~x) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash);
    if ((mark & 0x80808080) === 0) {
      v.setUint32(p, x, true);
      p += 4;
      o += 4;
    } else {
      p = writeCharacter(b[o] as number, w, p); // o < e <= b.length
      o++;
    }
  }
  for (; o < e; o++) p = writeCharacter(b[o] as number, w, p); // as above
  w[p] = 34;
  return p + 1;
}

/** The text of latin1 bytes; for labels. */
export function latin1Text(bytes: Uint8Array): string {
  return String.fromCodePoint(...Array.from(bytes, byte => HIGH_CONTROLS[byte - 0x80] ?? byte));
}

function writeCharacter(byte: number, w: Buffer, p: number): number {
  if (byte < 0x80) return writeByte(byte, w, p);
  const at = (byte - 0x80) * 3;
  const size = UTF8_SIZE[byte - 0x80] as number; // byte is within 0x80..0xff
  for (let i = 0; i < size; i++) w[p + i] = UTF8[at + i] as number; // as above
  return p + size;
}
