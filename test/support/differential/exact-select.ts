/**
 * A table as its server says it is, value for value in a form that hides nothing: text and bytes as hexadecimal digits, numbers as text. {@link exactValue} brings a value of
 * UMS into the same form.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import type { UmsValue } from '../../../src/ums/types.ts';
import { isAbsent } from '../../../src/ums/types.ts';

/** What a comparison asks a server through. */
export interface SqlAsker {
  query(sql: string, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** How a column's values are compared. */
export type ExactKind = 'number' | 'float' | 'double' | 'plain' | 'text' | 'label' | 'binary' | 'address';

export interface ExactColumn {
  readonly name: string;
  readonly kind: ExactKind;
  /** Whether the server computes it. */
  readonly generated: boolean;
}

/** What {@link exactSelect} has to know of a column beside. */
interface ColumnFacts extends ExactColumn {
  readonly zerofill: boolean;
  readonly charset: string | null;
}

const wide = /^(ucs2|utf16|utf16le|utf32)$/;

/** A table in exact form: a row is one value for each column, null for NULL. */
export interface ExactTable {
  readonly columns: readonly ExactColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

const kinds: Readonly<Record<string, ExactKind>> = {
  ...each('number', 'tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year', 'bit'),
  ...each('plain', 'decimal', 'date', 'datetime', 'timestamp', 'time'),
  ...each('text', 'char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'),
  ...each('label', 'enum', 'set', 'json'),
  ...each('float', 'float'),
  ...each('double', 'double'),
  ...each('address', 'uuid', 'inet4', 'inet6'),
};

function each(kind: ExactKind, ...types: readonly string[]): Record<string, ExactKind> {
  return Object.fromEntries(types.map(type => [type, kind]));
}

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** Expressions whose answers are ASCII text. */
function expressions(
  kind: ExactKind,
  column: string,
  charset: string | null,
  hasJson: boolean,
): readonly string[] {
  switch (kind) {
    case 'number':
      return [`CAST(${column} + 0 AS CHAR)`];
    case 'float':
    case 'double':
      // A FLOAT is printed with six digits, and a DOUBLE with its declared ones; MySQL cuts it to 22 characters, but not within JSON. Zeros lose their sign, which this angle
      // still has.
      return [
        hasJson ? `CAST(CAST(ABS(${column}) * 1e0 AS JSON) AS CHAR)` : `CAST(ABS(${column}) * 1e0 AS CHAR)`,
        `IF(ATAN2(${column}, -1) < 0, '-', '+')`,
      ];
    case 'plain':
      return [`CAST(${column} + 0 AS CHAR)`, `CAST(${column} AS CHAR)`];
    case 'label':
      return [`HEX(CONVERT(${column} USING utf8mb4))`];
    case 'text': {
      const text = `CONVERT(${column} USING utf8mb4)`;
      return [`HEX(${column})`, `HEX(${text})`, `HEX(CONVERT(${text} USING ${charset ?? 'utf8mb4'}))`];
    }
    case 'binary':
      return [`HEX(${column})`];
    case 'address':
      return [`CAST(${column} AS CHAR)`];
  }
}

/**
 * `t:` and the text in hexadecimal; `b:` and the bytes where they are no text. That shows by a question mark that the bytes do not have; in character sets of two and four
 * bytes, which have one code for each character, by other bytes on the way back; on MariaDB by halves of surrogate pairs.
 */
function exactText(raw: string, text: string, back: string, charset: string | null): string {
  const replaced = raw !== back && (wide.test(charset ?? '') || questionMarks(text) > questionMarks(raw));
  return replaced || !isUtf8(Buffer.from(text, 'hex')) ? `b:${raw}` : `t:${text}`;
}

/** In no character set of varying length is the byte a part of another character. */
function questionMarks(hexText: string): number {
  return Buffer.from(hexText, 'hex').filter(byte => byte === 0x3f).length;
}

function exactAnswer({ kind, zerofill, charset }: ColumnFacts, answers: readonly unknown[]): string | null {
  const [first, second = first, third] = answers.map(answer => (answer === null ? null : String(answer)));
  if (first === null || first === undefined || second === null || second === undefined) return null;
  switch (kind) {
    case 'float':
      return numberText(Math.fround(signed(first, second)));
    case 'double':
      return numberText(signed(first, second));
    case 'plain':
      return zerofill ? first : second;
    case 'text':
      return exactText(first, second, third ?? '', charset);
    default:
      return first;
  }
}

/** Reads a table. The session's time zone must be UTC, and its character set utf8mb4. */
export async function exactSelect(session: SqlAsker, schema: string, table: string): Promise<ExactTable> {
  const facts = await session.query(
    `SELECT column_name AS name, extra AS extra, data_type AS type, column_type AS whole, character_set_name AS charset
       FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
    [schema, table],
  );
  const columns: readonly ColumnFacts[] = facts.map(({ name, type, whole, charset, extra }) => ({
    name: String(name),
    kind: kinds[String(type).toLowerCase()] ?? 'binary',
    generated: /\bGENERATED$/i.test(String(extra)),
    zerofill: String(whole).includes('zerofill'),
    charset: charset === null ? null : String(charset),
  }));
  const [server] = await session.query('SELECT VERSION() AS version');
  const hasJson = /^([89]|\d\d)\.(?!.*MariaDB)/.test(String(server?.['version']));
  const parts = columns.map(({ name, kind, charset }) => expressions(kind, quoted(name), charset, hasJson));
  const list = parts.flatMap((each, i) => each.map((sql, j) => `${sql} AS c${i}_${j}`));
  const [kind] = await session.query(
    'SELECT table_type AS type FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [schema, table],
  );
  // Of MariaDB's versioned tables with the rows that were: changes of them are changes of the table.
  const history = kind?.['type'] === 'SYSTEM VERSIONED' ? ' FOR SYSTEM_TIME ALL' : '';
  const answers = await session.query(
    `SELECT ${list.join(', ')} FROM ${quoted(schema)}.${quoted(table)}${history}`,
  );
  return {
    columns,
    rows: answers.map(answer =>
      columns.map((column, i) =>
        exactAnswer(
          column,
          (parts[i] ?? []).map((_, j) => answer[`c${i}_${j}`]),
        ),
      ),
    ),
  };
}

/** The names of a schema's tables. */
export async function tablesOf(session: SqlAsker, schema: string): Promise<readonly string[]> {
  const rows = await session.query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type <> 'VIEW'",
    [schema],
  );
  return rows.map(({ name }) => String(name)).sort();
}

const signed = (size: string, sign: string): number => (sign === '-' ? -Number(size) : Number(size));
const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** What {@link exactValue} gives where nothing is known of a column. */
export const ABSENT = 'absent';

/** A value of UMS in the form of {@link exactSelect}. */
export function exactValue(kind: ExactKind, value: UmsValue): string | null {
  if (value === null) return null;
  if (typeof value === 'object') {
    if (isAbsent(value)) return ABSENT;
    return `b:${hexOf(Buffer.from(value.base64 ?? '', 'base64'))}`;
  }
  switch (kind) {
    case 'float':
      return typeof value === 'number' ? numberText(Math.fround(value)) : `not a number: ${value}`;
    case 'double':
      return typeof value === 'number' ? numberText(value) : `not a number: ${value}`;
    case 'number':
    case 'plain':
    case 'address':
      return String(value);
    case 'text':
      return `t:${hexOf(Buffer.from(String(value), 'utf8'))}`;
    case 'label':
      return hexOf(Buffer.from(String(value), 'utf8'));
    default:
      return hexOf(Buffer.from(String(value), 'base64'));
  }
}

const hexOf = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();
