import { Buffer } from 'node:buffer';
import { charsetTable } from './charset-tables.ts';
import { latin1Text } from './latin1.ts';

const ASCII_MAX = 0x7f;
const BASIC_MAX = 0xffff;
/** What a server writes for a character that a character set does not have. */
const NONE = '?';

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

const made = new Map<string, ReadonlySet<number>>();

/** Text as it is once a server has put it into a character set, by MySQL's name: a question mark for each character that the set does not have. As it is for a set that is not known. */
export function heldText(charset: string, text: string): string {
  const holds = holder(charset);
  if (holds === null) return text;
  return Array.from(text, character => (holds(character.codePointAt(0) ?? 0) ? character : NONE)).join('');
}

/** Whether a code point has a character in a set; null where all have. */
function holder(charset: string): ((point: number) => boolean) | null {
  if (charset === 'ascii') return point => point <= ASCII_MAX;
  if (charset === 'utf8mb3' || charset === 'ucs2') return point => point <= BASIC_MAX;
  const points = made.get(charset) ?? pointsOf(charset);
  if (points === null) return null;
  made.set(charset, points);
  return point => points.has(point);
}

/** The code points of a set of codes in tables; null for one that has no table, or has all of Unicode. */
function pointsOf(charset: string): ReadonlySet<number> | null {
  if (charset === 'latin1') return new Set([...latin1Text(Buffer.from(ALL_BYTES))].map(c => c.charCodeAt(0)));
  const table = charsetTable(charset);
  if (table === null || table.four !== null) return null;
  const points = new Set<number>([...table.one]);
  for (const more of [table.two, table.three]) for (const point of more ?? []) points.add(point);
  return points;
}
