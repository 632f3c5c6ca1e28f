import { isTextType, readType, type WrittenType } from './column-type.ts';
import { notUnderstood, type StatementText } from './statement-text.ts';
import { charsetNamed, charsetOfCollation, type DescribedColumn } from './table-columns.ts';

/** A column as a statement defines it. */
export interface WrittenColumn {
  /** Without a character set where the table's default one applies. */
  readonly column: DescribedColumn;
  /** Whether the definition makes it the primary key. */
  readonly primary: boolean;
}

interface Draft {
  type: WrittenType;
  unsigned: boolean;
  notNull: boolean;
  nullable: boolean;
  primary: boolean;
  compressed: boolean;
  charset: string | null;
}

/**
 * Reads a column's type and attributes, up to a comma, a closing parenthesis, FIRST, AFTER or the end. Every attribute must be one that is known. Throws NotUnderstood.
 * Source: the grammar of CREATE TABLE in the MySQL manual, and in MariaDB's.
 */
export function readColumn(text: StatementText, name: string): WrittenColumn {
  const type = readType(text);
  const draft: Draft = {
    type,
    unsigned: type.unsigned === true,
    notNull: type.notNull === true,
    nullable: false,
    primary: false,
    compressed: false,
    charset: null,
  };
  while (!atEnd(text)) readAttribute(text, draft);
  const { charset } = draft;
  const labels = type.labels === undefined ? {} : { labels: type.labels };
  const sizes = type.sizes === undefined ? {} : { sizes: type.sizes };
  return {
    primary: draft.primary,
    column: {
      name,
      ...asBinary(type.type, charset),
      ...sizes,
      ...labels,
      ...(draft.unsigned && { unsigned: true }),
      ...(draft.notNull && { notNull: true }),
      ...(draft.nullable && { nullable: true }),
      ...(draft.compressed && { compressed: true }),
    },
  };
}

/** Text types of the character set binary are stored as their binary counterparts, ENUM and SET are not. */
const BINARY_TYPES: Readonly<Record<string, string>> = {
  char: 'binary',
  varchar: 'varbinary',
  tinytext: 'tinyblob',
  text: 'blob',
  mediumtext: 'mediumblob',
  longtext: 'longblob',
};

/** A type in a character set, null for none of its own. */
export function asBinary(
  type: string,
  charset: string | null,
): { readonly type: string; readonly charset?: string } {
  if (charset === null || !isTextType(type)) return { type };
  const binary = charset === 'binary' ? BINARY_TYPES[type] : undefined;
  return binary === undefined ? { type, charset } : { type: binary };
}

function atEnd(text: StatementText): boolean {
  const { word, start } = text.peek();
  return start < 0 || word === ',' || word === ')' || word === ';' || word === 'FIRST' || word === 'AFTER';
}

function readAttribute(text: StatementText, draft: Draft): void {
  if (readTypeAttribute(text, draft) || readNullability(text, draft) || readKey(text, draft)) return;
  if (text.skip('DEFAULT')) readValue(text);
  else if (text.skip('ON', 'UPDATE')) readValue(text);
  else if (text.skip('COMMENT')) text.text();
  else if (text.skip('GENERATED', 'ALWAYS', 'AS') || text.skip('AS') || text.skip('CHECK')) {
    if (!text.skipParentheses()) notUnderstood('an expression without parentheses');
  } else if (!readPlainAttribute(text)) {
    notUnderstood(`the attribute ${text.word() === '' ? 'in quotes' : text.word()}`);
  }
}

/** Attributes that say nothing of what is decoded. */
function readPlainAttribute(text: StatementText): boolean {
  if (text.skip('COLUMN_FORMAT') || text.skip('STORAGE') || text.skip('SRID')) {
    text.next();
    return true;
  }
  if (text.skip('ENGINE_ATTRIBUTE') || text.skip('SECONDARY_ENGINE_ATTRIBUTE')) {
    text.skip('=');
    text.text();
    return true;
  }
  if (text.skip('REF_SYSTEM_ID', '=')) {
    text.number();
    return true;
  }
  if (text.skip('CONSTRAINT')) {
    if (text.word() !== 'CHECK') text.name();
    return true;
  }
  if (text.skip('REFERENCES')) {
    readReference(text);
    return true;
  }
  return ['VIRTUAL', 'STORED', 'PERSISTENT', 'VISIBLE', 'INVISIBLE', 'ENFORCED'].some(word =>
    text.skip(word),
  );
}

function readReference(text: StatementText): void {
  text.tableName();
  text.skipParentheses();
  if (text.skip('MATCH')) text.next();
  while (text.skip('ON', 'DELETE') || text.skip('ON', 'UPDATE')) {
    if (!text.skip('SET', 'NULL') && !text.skip('SET', 'DEFAULT') && !text.skip('NO', 'ACTION')) text.next();
  }
}

function readTypeAttribute(text: StatementText, draft: Draft): boolean {
  if (text.skip('UNSIGNED') || text.skip('ZEROFILL')) draft.unsigned = true;
  else if (text.skip('CHARACTER', 'SET') || text.skip('CHARSET')) draft.charset = readCharset(text);
  else if (text.skip('COLLATE')) {
    const charset = readCollation(text);
    draft.charset ??= charset;
  } else if (text.skip('ASCII')) draft.charset = 'latin1';
  else if (text.skip('UNICODE')) draft.charset = 'ucs2';
  else if (text.skip('COMPRESSED')) {
    if (text.skip('=')) text.next();
    draft.compressed = true;
  } else return text.skip('SIGNED') || text.skip('BINARY');
  return true;
}

function readNullability(text: StatementText, draft: Draft): boolean {
  if (text.skip('NOT', 'NULL') || text.skip('AUTO_INCREMENT')) draft.notNull = true;
  else if (text.skip('NULL')) draft.nullable = true;
  else return text.skip('NOT', 'ENFORCED') || text.skip('NOT', 'SECONDARY');
  return true;
}

function readKey(text: StatementText, draft: Draft): boolean {
  if (text.skip('UNIQUE')) text.skip('KEY');
  else if (text.skip('PRIMARY')) {
    text.skip('KEY');
    draft.primary = true;
  } else if (text.skip('KEY')) draft.primary = true;
  else return false;
  return true;
}

/** A default or ON UPDATE: a literal, a word, a call, or an expression in parentheses. */
function readValue(text: StatementText): void {
  if (text.skipParentheses()) return;
  if (!text.skip('-')) text.skip('+');
  if (text.isText) {
    text.text();
    return;
  }
  if (text.name() === '') notUnderstood('a default that is not known');
  if (text.isText && !atEnd(text)) text.text();
  else if (text.skip('.')) text.next();
  else text.skipParentheses();
}

/** Name of a character set behind CHARACTER SET. Throws NotUnderstood. */
export function readCharset(text: StatementText): string {
  text.skip('=');
  const name = text.isText ? text.text() : text.name();
  return charsetNamed(name) ?? notUnderstood(`the character set ${name}`);
}

/** Character set of a collation behind COLLATE. Throws NotUnderstood. */
export function readCollation(text: StatementText): string {
  text.skip('=');
  const name = text.isText ? text.text() : text.name();
  return charsetOfCollation(name) ?? notUnderstood(`the collation ${name}`);
}
