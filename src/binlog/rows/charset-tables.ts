/**
 * The tables of charset-data.ts, opened on first use. All numbers are u16, little-endian. In order:
 *
 * - for each name of one byte a character: 256 code points;
 * - for each other name: 256 code points of single bytes; the number of rows; each row as its lead, the byte (or the two bytes, from 0x8f00 on) before the last
 *   one, and the code points for last bytes 0x21 to 0xff;
 * - the four-byte codes of gb18030 in the BMP: the number of stretches, and each as first number, first code point and length.
 *
 * A code point of 0 says that the code has no character, except for byte 0.
 */
import { Buffer } from 'node:buffer';
import { brotliDecompressSync } from 'node:zlib';
import { CHARSET_DATA } from './charset-data.ts';
import { MULTI_BYTE_NAMES, SINGLE_BYTE_NAMES } from './charset-names.ts';

/** A character set with codes of one to three bytes that are found in tables, and perhaps four. */
export interface CharsetTable {
  /** Code points of single bytes. */
  readonly one: Uint16Array;
  /** Code points of two bytes, by both as a big-endian number; null when there are none. */
  readonly two: Uint16Array | null;
  /** Code points of three bytes of which the first is 0x8f, by the other two; null when there are none. */
  readonly three: Uint16Array | null;
  /** Code points in the BMP of the codes of four bytes, by their number; null when there are none. */
  readonly four: Uint16Array | null;
}

const LAST_MIN = 0x21;
const THREE_BYTES = 0x8f00;
/** Numbers of the four-byte codes below the first code that is not in the BMP or unused. */
const FOUR_BYTE_NUMBERS = 50_400;

const tables = new Map<string, CharsetTable>();

/** The table of a character set by MySQL's name; null for one that has no table. */
export function charsetTable(name: string): CharsetTable | null {
  if (![...SINGLE_BYTE_NAMES, ...MULTI_BYTE_NAMES].some(known => known === name)) return null;
  if (tables.size === 0) openTables();
  return tables.get(name) ?? null;
}

function openTables(): void {
  const bytes = brotliDecompressSync(Buffer.from(CHARSET_DATA, 'base64'));
  let at = 0;
  const word = (): number => {
    at += 2;
    return bytes.readUInt16LE(at - 2);
  };
  const words = (count: number): Uint16Array => Uint16Array.from({ length: count }, word);
  for (const name of SINGLE_BYTE_NAMES)
    tables.set(name, { one: words(256), two: null, three: null, four: null });
  for (const name of MULTI_BYTE_NAMES) {
    const one = words(256);
    const two = new Uint16Array(65_536);
    let three: Uint16Array | null = null;
    for (let rows = word(); rows > 0; rows--) {
      const lead = word();
      if (lead >= THREE_BYTES) three ??= new Uint16Array(65_536);
      const target = three === null || lead < THREE_BYTES ? two : three;
      target.set(words(256 - LAST_MIN), ((lead & 255) << 8) | LAST_MIN);
    }
    tables.set(name, { one, two, three, four: null });
  }
  const four = new Uint16Array(FOUR_BYTE_NUMBERS);
  for (let stretches = word(); stretches > 0; stretches--) {
    const first = word();
    const point = word();
    const length = word();
    for (let i = 0; i < length; i++) four[first + i] = point + i;
  }
  const gb18030 = tables.get('gb18030');
  if (gb18030 !== undefined) tables.set('gb18030', { ...gb18030, four });
}
