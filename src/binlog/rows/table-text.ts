/** Text of the character sets that have tables, as JSON strings: bytes to bytes. */
import { Buffer } from 'node:buffer';
import { utf8TextSize, writeByte } from '../../ums/json-text.ts';
import type { CharsetTable } from './charset-tables.ts';
import type { TextWriter } from './text-value.ts';

/** Bytes kept for what one byte becomes. */
const CELL_BYTES = 8;
const LEAD_OF_THREE = 0x8f;
/** Codes of four bytes: a first and third byte from 0x81, a second and fourth from 0x30 to 0x39; and the number of the first beyond the BMP. */
const FOUR_FIRST = 0x81;
const FOUR_LAST = 0xfe;
const DIGIT_FIRST = 0x30;
const DIGIT_LAST = 0x39;
const FOUR_BEYOND_BMP = 189_000;
const BEYOND_BMP = 0x1_0000;
const CODE_POINT_MAX = 0x10_ffff;

/** The writer of a table's text. */
export function tableWriter(table: CharsetTable): TextWriter {
  const cells = Buffer.alloc(256 * CELL_BYTES);
  const sizes = new Uint8Array(256);
  for (const [byte, point] of table.one.entries()) {
    if (point !== 0 || byte === 0)
      sizes[byte] = writeCodePoint(point, cells, byte * CELL_BYTES) - byte * CELL_BYTES;
  }
  const plain = isAscii(table);
  return (b, d, o, e, w, v, p) => {
    const lastWord = plain ? e - 4 : -1;
    w[p++] = 34;
    while (o < e) {
      if (o <= lastWord) {
        const x = d.getUint32(o, true);
        const quote = x ^ 0x22222222;
        const backslash = x ^ 0x5c5c5c5c;
        // As in writeUtf8, with the top bit of a byte marking it too.
        const mark =
          x |
          ((x - 0x20202020) & ~x) |
          ((quote - 0x01010101) & ~quote) |
          ((backslash - 0x01010101) & ~backslash);
        if ((mark & 0x80808080) === 0) {
          v.setUint32(p, x, true);
          p += 4;
          o += 4;
          continue;
        }
      }
      const byte = b[o] as number; // o < e <= b.length
      const size = sizes[byte] as number; // a byte indexes a table of 256
      if (size > 0) {
        const cell = byte * CELL_BYTES;
        for (let i = 0; i < size; i++) w[p + i] = cells[cell + i] as number; // size <= CELL_BYTES
        p += size;
        o++;
        continue;
      }
      const length = codeLength(table, b, o, e);
      if (length === 0) return -1;
      p = writeCodePoint(pointAt(table, b, o, length), w, p);
      o += length;
    }
    w[p] = 34;
    return p + 1;
  };
}

/** Room for a table's text, found by a scan: what is above 0x7f takes three bytes at most, and what is below may be escaped or be a letter of two. */
export function tableTextSize(table: CharsetTable): (b: Buffer, o: number, e: number) => number {
  if (!isAscii(table)) return (_, o, e) => 6 * (e - o) + 2;
  return (b, o, e) => {
    let size = utf8TextSize(b, o, e);
    for (; o < e; o++) if ((b[o] as number) >= 0x80) size += 2; // o < e <= b.length
    return size;
  };
}

/** Writes a code point as JSON text has it: UTF-8, escaped where JSON asks for it. At most six bytes. */
export function writeCodePoint(point: number, w: Buffer, p: number): number {
  if (point < 0x80) return writeByte(point, w, p);
  if (point < 0x800) {
    w[p] = 0xc0 | (point >> 6);
    w[p + 1] = 0x80 | (point & 63);
    return p + 2;
  }
  if (point < BEYOND_BMP) {
    w[p] = 0xe0 | (point >> 12);
    w[p + 1] = 0x80 | ((point >> 6) & 63);
    w[p + 2] = 0x80 | (point & 63);
    return p + 3;
  }
  w[p] = 0xf0 | (point >> 18);
  w[p + 1] = 0x80 | ((point >> 12) & 63);
  w[p + 2] = 0x80 | ((point >> 6) & 63);
  w[p + 3] = 0x80 | (point & 63);
  return p + 4;
}

function isAscii({ one }: CharsetTable): boolean {
  for (let byte = 0; byte < 0x80; byte++) if (one[byte] !== byte) return false;
  return true;
}

/** How many bytes the code at `o` has, 2 to 4; 0 when it has no character. */
function codeLength(table: CharsetTable, b: Buffer, o: number, e: number): number {
  const { two, three, four } = table;
  if (two === null || o + 2 > e) return 0;
  const first = b[o] as number; // o + 2 <= e <= b.length
  const second = b[o + 1] as number; // as above
  if (two[(first << 8) | second] !== 0) return 2;
  if (three !== null && first === LEAD_OF_THREE) {
    return o + 3 <= e && three[(second << 8) | (b[o + 2] as number)] !== 0 ? 3 : 0; // o + 3 <= e
  }
  return four !== null && o + 4 <= e && pointOfFour(four, b, o) > 0 ? 4 : 0;
}

function pointAt({ two, three, four }: CharsetTable, b: Buffer, o: number, length: number): number {
  if (length === 2) return two?.[b.readUInt16BE(o)] ?? 0;
  if (length === 3) return three?.[b.readUInt16BE(o + 1)] ?? 0;
  return four === null ? 0 : pointOfFour(four, b, o);
}

/** The code point of four bytes; 0 when they have none. */
function pointOfFour(four: Uint16Array, b: Buffer, o: number): number {
  const first = b[o] as number; // the caller has checked that four bytes are there
  const second = b[o + 1] as number; // as above
  const third = b[o + 2] as number; // as above
  const fourth = b[o + 3] as number; // as above
  if (first < FOUR_FIRST || first > FOUR_LAST || third < FOUR_FIRST || third > FOUR_LAST) return 0;
  if (second < DIGIT_FIRST || second > DIGIT_LAST || fourth < DIGIT_FIRST || fourth > DIGIT_LAST) return 0;
  const number =
    (((first - FOUR_FIRST) * 10 + second - DIGIT_FIRST) * 126 + third - FOUR_FIRST) * 10 +
    fourth -
    DIGIT_FIRST;
  if (number < FOUR_BEYOND_BMP) return four[number] ?? 0;
  const point = BEYOND_BMP + number - FOUR_BEYOND_BMP;
  return point <= CODE_POINT_MAX ? point : 0;
}
