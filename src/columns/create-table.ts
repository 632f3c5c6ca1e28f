import { readCharset, readCollation, readColumn, type WrittenColumn } from './column-definition.ts';
import { notUnderstood, type StatementText } from './statement-text.ts';

/** A table as CREATE TABLE defines it. */
export interface WrittenTable {
  readonly columns: readonly WrittenColumn[];
  /** From a clause of its own; null without one. */
  readonly primaryKey: readonly string[] | null;
  /** Null: the schema's default. */
  readonly charset: string | null;
}

const KEY_WORDS: ReadonlySet<string> = new Set([
  'KEY',
  'INDEX',
  'UNIQUE',
  'FULLTEXT',
  'SPATIAL',
  'FOREIGN',
  'CHECK',
]);

/** Reads what stands behind the table's name, to the end. Throws NotUnderstood. */
export function readTable(text: StatementText): WrittenTable {
  const columns: WrittenColumn[] = [];
  let primaryKey: readonly string[] | null = null;
  text.list(() => {
    if (isKey(text)) primaryKey = readKey(text) ?? primaryKey;
    else columns.push(readColumn(text, text.name()));
  });
  return { columns, primaryKey, charset: readOptions(text) };
}

/** Whether a key or constraint comes next, not a column. `VECTOR` may be a column's name. */
export function isKey(text: StatementText): boolean {
  const word = text.word();
  if (word === 'VECTOR') return text.word(1) === 'KEY' || text.word(1) === 'INDEX';
  if (word === 'PERIOD' && text.word(1) === 'FOR') notUnderstood('a PERIOD');
  return word === 'PRIMARY' || word === 'CONSTRAINT' || KEY_WORDS.has(word);
}

/** Reads a key or constraint; gives the columns of a primary key, null for any other. */
export function readKey(text: StatementText): readonly string[] | null {
  if (text.skip('CONSTRAINT') && text.word() !== 'PRIMARY' && !KEY_WORDS.has(text.word())) text.name();
  const primary = text.skip('PRIMARY', 'KEY');
  if (!primary) {
    text.skipElement();
    return null;
  }
  // Between the words and the columns may stand an index type and a name, which the server ignores.
  while (text.word() !== '(') if (text.next().start < 0) notUnderstood('a primary key without columns');
  const names: string[] = [];
  text.list(() => {
    names.push(text.name());
    text.skipElement();
  });
  text.skipElement();
  return names;
}

/** Reads the table options, to the end; gives the default character set, null for none. Throws NotUnderstood for what defines more columns. */
function readOptions(text: StatementText): string | null {
  let charset: string | null = null;
  while (!text.ended) {
    const found = readCharsetOption(text);
    if (found !== null) charset = found;
    else if (text.word() === 'PARTITION') text.skipAll();
    else if (DEFINES_MORE.has(text.word())) notUnderstood(`${text.word()} behind its columns`);
    else if (!text.skipParentheses()) text.next();
  }
  return charset;
}

const DEFINES_MORE: ReadonlySet<string> = new Set([
  'SELECT',
  'AS',
  'WITH',
  'VALUES',
  'TABLE',
  'LIKE',
  'SYSTEM',
]);

/** Reads a default character set, where one comes next. */
export function readCharsetOption(text: StatementText): string | null {
  const ahead = text.word() === 'DEFAULT' ? 1 : 0;
  if (
    text.word(ahead) === 'CHARSET' ||
    (text.word(ahead) === 'CHARACTER' && text.word(ahead + 1) === 'SET')
  ) {
    if (ahead === 1) text.next();
    if (!text.skip('CHARSET')) text.expect('CHARACTER', 'SET');
    return readCharset(text);
  }
  if (text.word(ahead) !== 'COLLATE') return null;
  if (ahead === 1) text.next();
  text.next();
  return readCollation(text);
}
