/** Text of ucs2, utf16, utf16le and utf32 as JSON strings: bytes to bytes. */
import { writeCodePoint } from './table-text.ts';
import type { TextWriter } from './text-value.ts';

const SURROGATE_FIRST = 0xd800;
const SURROGATE_LOW = 0xdc00;
const SURROGATE_LAST = 0xdfff;
const CODE_POINT_MAX = 0x10_ffff;

/** Text of two bytes a unit. Surrogates must come in pairs; ucs2 (`paired` false) has none. */
export function utf16Writer(littleEndian: boolean, paired: boolean): TextWriter {
  return (_, d, o, e, w, __, p) => {
    if (((e - o) & 1) !== 0) return -1;
    w[p++] = 34;
    while (o < e) {
      let point = d.getUint16(o, littleEndian);
      o += 2;
      if (point >= SURROGATE_FIRST && point <= SURROGATE_LAST) {
        if (!paired || point >= SURROGATE_LOW || o >= e) return -1;
        const low = d.getUint16(o, littleEndian);
        if (low < SURROGATE_LOW || low > SURROGATE_LAST) return -1;
        point = 0x1_0000 + ((point - SURROGATE_FIRST) << 10) + low - SURROGATE_LOW;
        o += 2;
      }
      p = writeCodePoint(point, w, p);
    }
    w[p] = 34;
    return p + 1;
  };
}

/** Text of four bytes a character, big-endian. */
export const writeUtf32: TextWriter = (_, d, o, e, w, __, p) => {
  if (((e - o) & 3) !== 0) return -1;
  w[p++] = 34;
  for (; o < e; o += 4) {
    const point = d.getUint32(o);
    if (point > CODE_POINT_MAX || (point >= SURROGATE_FIRST && point <= SURROGATE_LAST)) return -1;
    p = writeCodePoint(point, w, p);
  }
  w[p] = 34;
  return p + 1;
};

/** Room for such text: a unit of two bytes becomes six at most. */
export function wideTextSize(_: unknown, o: number, e: number): number {
  return 3 * (e - o) + 2;
}
