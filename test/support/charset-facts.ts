/**
 * What a server makes of every code of its character sets: the facts that src/binlog/rows/charset-data.ts is made from, and that the charset test
 * compares with.
 */
import { Buffer } from 'node:buffer';

/** Enough of a server to ask it. */
export interface SqlServer {
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const ROWS_A_STATEMENT = 4000;
const hex = (bytes: readonly number[]): string => Buffer.from(bytes).toString('hex');

/** All codes of up to two bytes, those of three that begin with 0x8f, as hex. A first byte below 0x80 always stands alone. */
export function shortCodes(): string[] {
  const codes: string[] = [];
  for (let first = 0; first < 256; first++) codes.push(hex([first]));
  for (let first = 0x80; first < 256; first++) {
    for (let second = 0; second < 256; second++) codes.push(hex([first, second]));
  }
  for (let second = 0xa0; second < 256; second++) {
    for (let third = 0xa0; third < 256; third++) codes.push(hex([0x8f, second, third]));
  }
  return codes;
}

/** Puts {@link shortCodes} into the table `charset_facts.codes` of the server. */
export async function plantCodes(server: SqlServer): Promise<void> {
  await server.query('CREATE DATABASE charset_facts');
  await server.query('CREATE TABLE charset_facts.codes (code VARBINARY(4) PRIMARY KEY) ENGINE = MyISAM');
  const codes = shortCodes().map(code => `(x'${code}')`);
  for (let at = 0; at < codes.length; at += ROWS_A_STATEMENT) {
    await server.query(
      `INSERT INTO charset_facts.codes VALUES ${codes.slice(at, at + ROWS_A_STATEMENT).join(',')}`,
    );
  }
}

/** The character of each short code that is one character of the set, by the code's hex. What the server answers with `?` has none. */
export async function charactersOf(server: SqlServer, charset: string): Promise<ReadonlyMap<string, string>> {
  const rows = await server.query(
    `SELECT LOWER(HEX(code)) AS code, HEX(CONVERT(CONVERT(code USING ${charset}) USING utf8mb4)) AS text FROM charset_facts.codes`,
  );
  const known = new Map<string, string>();
  for (const { code, text } of rows) {
    if (text === null) continue;
    const character = Buffer.from(String(text), 'hex').toString('utf8');
    if ([...character].length !== 1 || (character === '?' && code !== '3f')) continue;
    known.set(String(code), character);
  }
  return known;
}

/** The 1,260 codes of four bytes of gb18030 that begin with two bytes. */
export function fourByteCodes(first: number, second: number): readonly (readonly number[])[] {
  const codes: number[][] = [];
  for (let third = 0x81; third <= 0xfe; third++) {
    for (let fourth = 0x30; fourth <= 0x39; fourth++) codes.push([first, second, third, fourth]);
  }
  return codes;
}

/** What the server makes of {@link fourByteCodes}, one character each; `?` for none. */
export async function fourByteText(server: SqlServer, first: number, second: number): Promise<string> {
  const bytes = hex(fourByteCodes(first, second).flat());
  const [row] = await server.query(
    `SELECT CONVERT(CONVERT(x'${bytes}' USING gb18030) USING utf8mb4) AS text`,
  );
  return String(row?.['text']);
}
