/** The most bytes that a character takes, where it is more than one. Source: `MAXLEN` of `information_schema.CHARACTER_SETS` in MySQL 9 and MariaDB 10.11. */
const widths: Readonly<Record<string, number>> = {
  big5: 2,
  cp932: 2,
  eucjpms: 3,
  euckr: 2,
  gb18030: 4,
  gb2312: 2,
  gbk: 2,
  sjis: 2,
  ucs2: 2,
  ujis: 3,
  utf8: 3,
  utf8mb3: 3,
  utf8mb4: 4,
  utf16: 4,
  utf16le: 4,
  utf32: 4,
};

/** Character sets that hold every character of Unicode, and those that hold the first 65,536. */
const wholeUnicode: ReadonlySet<string> = new Set(['utf8mb4', 'utf16', 'utf16le', 'utf32', 'gb18030']);
const basicUnicode: ReadonlySet<string> = new Set(['utf8', 'utf8mb3', 'ucs2']);

/** The most bytes that a character of a character set takes; 1 for a set that is not known. */
export function bytesPerCharacter(charset: string): number {
  return Object.hasOwn(widths, charset) ? (widths[charset] ?? 1) : 1;
}

/** Whether a character set surely holds every character of another. */
export function holdsCharset(outer: string, inner: string): boolean {
  if (outer === inner || inner === 'ascii' || wholeUnicode.has(outer)) return true;
  return basicUnicode.has(outer) && !wholeUnicode.has(inner);
}
