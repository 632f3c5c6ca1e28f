import { collationOf } from '../binlog/rows/collations.ts';
import { UmbusError } from '../core/errors.ts';

/**
 * A column as a definition of its table says it. What the table map says as well (the exact type code, sizes in bytes, whether it may be NULL) is not repeated but for
 * checking the one against the other.
 */
export interface DescribedColumn {
  readonly name: string;
  /** In lower case, one name for each type: `int` for INTEGER, `double` for REAL, `uuid`, `point`. */
  readonly type: string;
  /** Numbers in parentheses behind the type: length, precision and scale, digits of fraction, dimensions. */
  readonly sizes?: readonly number[];
  readonly unsigned?: true;
  /** NOT NULL, or part of the primary key. */
  readonly notNull?: true;
  /** NULL, said in so many words. */
  readonly nullable?: true;
  /** Character set of text, ENUM and SET. */
  readonly charset?: string;
  readonly labels?: readonly string[];
  /** COMPRESSED, of MariaDB. */
  readonly compressed?: true;
}

/** The columns of a table as they were at some place of the binlog. */
export interface TableColumns {
  readonly columns: readonly DescribedColumn[];
  /** Names in key order; [] without one. */
  readonly primaryKey: readonly string[];
  /** What columns without a character set of their own get when they are added. */
  readonly charset: string;
}

/** Why, and since where in the binlog, nobody can say for certain which columns a table has. */
export interface UnknownColumns {
  /** `<file>:<offset>`: all rows with the same place came while the table's columns were the same. */
  readonly since: string;
  readonly why: string;
}

/** What a table's entry in a raw run says of its columns. */
export type TableDescription = TableColumns | { readonly unknown: UnknownColumns };

/** The text form of a description, which is JSON (ums-schema/README.md, section 12). Equal descriptions have equal texts. */
export function descriptionText(description: TableDescription): string {
  if ('unknown' in description) {
    const { since, why } = description.unknown;
    return JSON.stringify({ unknown: { since, why } });
  }
  const { columns, primaryKey, charset } = description;
  return JSON.stringify({ columns: columns.map(inOrder), primaryKey, charset });
}

function inOrder(column: DescribedColumn): DescribedColumn {
  const { name, type, sizes, unsigned, notNull, nullable, charset, labels, compressed } = column;
  return {
    name,
    type,
    ...(sizes !== undefined && { sizes }),
    ...(unsigned !== undefined && { unsigned }),
    ...(notNull !== undefined && { notNull }),
    ...(nullable !== undefined && { nullable }),
    ...(charset !== undefined && { charset }),
    ...(labels !== undefined && { labels }),
    ...(compressed !== undefined && { compressed }),
  };
}

/** Reads {@link descriptionText}. Errors: UMBUS_BINLOG_COLUMNS for any other text. */
export function descriptionOf(text: string): TableDescription {
  const value = parsed(text);
  if (isDescription(value)) return value;
  throw new UmbusError(
    'UMBUS_BINLOG_COLUMNS',
    'What a raw run says of the columns of a table is no description.',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isDescription(value: unknown): value is TableDescription {
  if (!isRecord(value)) return false;
  const { unknown, columns, primaryKey, charset } = value;
  if (unknown !== undefined) {
    return isRecord(unknown) && isText(unknown['since']) && isText(unknown['why']);
  }
  return isListOf(columns, isColumn) && isListOf(primaryKey, isText) && isText(charset);
}

function isColumn(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { name, type, sizes, charset, labels } = value;
  return (
    isText(name) &&
    isText(type) &&
    (sizes === undefined || isListOf(sizes, Number.isSafeInteger)) &&
    (charset === undefined || isText(charset)) &&
    (labels === undefined || isListOf(labels, isText)) &&
    FLAGS.every(flag => value[flag] === undefined || value[flag] === true)
  );
}

const FLAGS = ['unsigned', 'notNull', 'nullable', 'compressed'] as const;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isListOf(value: unknown, each: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(each);
}

/** Other names of character sets. MariaDB's old_mode can make utf8 mean utf8mb4; both are UTF-8, so that is the same text. */
const ALIASES: Readonly<Record<string, string>> = { utf8: 'utf8mb3' };

/** The character set of that name, as {@link DescribedColumn} has it; null for a name that is none. */
export function charsetNamed(name: string): string | null {
  const lower = name.toLowerCase();
  const charset = ALIASES[lower] ?? lower;
  return collationOf(charset) === null ? null : charset;
}

/** The character set of a collation: its name up to the first `_`. Null for a name that begins with none. */
export function charsetOfCollation(collation: string): string | null {
  return charsetNamed(collation.split('_')[0] ?? '');
}
