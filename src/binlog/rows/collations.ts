/**
 * Which character set a collation id belongs to. Sources: the `id` and `character_set_name` columns of
 * `information_schema.COLLATIONS` in MySQL 9 and of `COLLATION_CHARACTER_SET_APPLICABILITY` in MariaDB; for MariaDB's ids
 * from 576 on, its rule that ids come in blocks by character set (`MY_PAGE2_COLLATION_ID_*` and the UCA 14.0.0 ranges).
 */

/** Ids up to 575, and MySQL's beyond 255: one id, or the first and last of a range. */
const IDS: Readonly<Record<string, readonly (number | readonly [number, number])[]>> = {
  big5: [1, 84],
  latin2: [2, 9, 21, 27, 77],
  dec8: [3, 69],
  cp850: [4, 80],
  latin1: [5, 8, 15, 31, [47, 49], 94],
  hp8: [6, 72],
  koi8r: [7, 74],
  swe7: [10, 82],
  ascii: [11, 65],
  ujis: [12, 91],
  sjis: [13, 88],
  cp1251: [14, 23, [50, 52]],
  hebrew: [16, 71],
  tis620: [18, 89],
  euckr: [19, 85],
  latin7: [20, 41, 42, 79],
  koi8u: [22, 75],
  gb2312: [24, 86],
  greek: [25, 70],
  cp1250: [26, 34, 44, 66, 99],
  gbk: [28, 87],
  cp1257: [29, 58, 59],
  latin5: [30, 78],
  armscii8: [32, 64],
  utf8mb3: [33, 76, 83, [192, 223]],
  ucs2: [35, 90, [128, 159]],
  cp866: [36, 68],
  keybcs2: [37, 73],
  macce: [38, 43],
  macroman: [39, 53],
  cp852: [40, 81],
  utf8mb4: [45, 46, [224, 247], [255, 323]],
  utf16: [54, 55, [101, 124]],
  utf16le: [56, 62],
  cp1256: [57, 67],
  utf32: [60, 61, [160, 183]],
  binary: [63],
  geostd8: [92, 93],
  cp932: [95, 96],
  eucjpms: [97, 98],
  gb18030: [[248, 250]],
};

/** MariaDB's blocks of 32 ids from 576 on. */
const BLOCKS_OF_32 = ['utf8mb3', 'utf8mb4', 'ucs2', 'utf16', 'utf16le', 'utf32'] as const;
const FIRST_BLOCK_OF_32 = 576;

/** MariaDB's blocks of 256 ids from 2048 on, for the collations of UCA 14.0.0. */
const BLOCKS_OF_256 = ['utf8mb3', 'utf8mb4', 'ucs2', 'utf16', 'utf32'] as const;
const FIRST_BLOCK_OF_256 = 2048;

/** MariaDB's NO PAD form of a collation has the id of the PAD SPACE form plus this. */
const NO_PAD = 1024;

const byId: ReadonlyMap<number, string> = new Map(
  Object.entries(IDS).flatMap(([charset, entries]) =>
    entries.flatMap(entry => {
      const [first, last] = typeof entry === 'number' ? [entry, entry] : entry;
      return Array.from({ length: last - first + 1 }, (_, i): [number, string] => [first + i, charset]);
    }),
  ),
);

/** The name of the character set of a collation, as MySQL names it; null for an id that neither server has. */
export function charsetOf(collation: number): string | null {
  if (collation >= FIRST_BLOCK_OF_256) {
    return BLOCKS_OF_256[(collation - FIRST_BLOCK_OF_256) >> 8] ?? null;
  }
  if (collation >= NO_PAD) return charsetOf(collation - NO_PAD);
  if (collation >= FIRST_BLOCK_OF_32) {
    return BLOCKS_OF_32[(collation - FIRST_BLOCK_OF_32) >> 5] ?? null;
  }
  return byId.get(collation) ?? null;
}

/** A collation of a character set, the first of its ids; null for a name that neither server has. */
export function collationOf(charset: string): number | null {
  if (!Object.hasOwn(IDS, charset)) return null;
  const first = IDS[charset]?.[0];
  return typeof first === 'object' ? first[0] : (first ?? null);
}
