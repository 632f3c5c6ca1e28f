import { readColumn, type WrittenColumn } from './column-definition.ts';
import { isKey, readCharsetOption, readKey } from './create-table.ts';
import { notUnderstood, type StatementText, type WrittenName } from './statement-text.ts';

/** Where a column is put: behind another, or first. */
export type ColumnPlace = { readonly after: string } | 'first' | null;

/** One change of a table's columns. */
export type ColumnChange =
  | {
      readonly kind: 'add';
      readonly column: WrittenColumn;
      readonly place: ColumnPlace;
      /** Does nothing where the column is there. */
      readonly unless: boolean;
    }
  | {
      readonly kind: 'change';
      readonly from: string;
      readonly column: WrittenColumn;
      readonly place: ColumnPlace;
    }
  | { readonly kind: 'drop'; readonly name: string; readonly when: boolean }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'primary-key'; readonly columns: readonly string[] }
  | { readonly kind: 'charset'; readonly charset: string }
  | { readonly kind: 'convert'; readonly charset: string };

/** What ALTER TABLE does. */
export interface WrittenAlteration {
  readonly changes: readonly ColumnChange[];
  /** The new name; null when it stays. */
  readonly renamed: WrittenName | null;
}

/** Clauses that leave names, types, character sets and primary key as they are, by their first word. */
const PLAIN: ReadonlySet<string> = new Set(
  (
    'ENGINE TYPE AUTO_INCREMENT AVG_ROW_LENGTH CHECKSUM COMMENT COMPRESSION CONNECTION DATA INDEX DELAY_KEY_WRITE ENCRYPTION INSERT_METHOD KEY_BLOCK_SIZE ' +
    'MAX_ROWS MIN_ROWS PACK_KEYS PAGE_CHECKSUM ROW_FORMAT STATS_AUTO_RECALC STATS_PERSISTENT STATS_SAMPLE_PAGES TABLESPACE TRANSACTIONAL UNION ' +
    'SECONDARY_ENGINE AUTOEXTEND_SIZE ENGINE_ATTRIBUTE ALGORITHM LOCK FORCE DISABLE ENABLE DISCARD IMPORT ALTER WITHOUT'
  ).split(' '),
);

/** Clauses about partitions by their first word; the second is PARTITION, of the first two BY and PARTITIONING. They come last: nothing behind them changes columns. */
const PARTITIONS: ReadonlyMap<string, string> = new Map([
  ['PARTITION', 'BY'],
  ['REMOVE', 'PARTITIONING'],
  ...'COALESCE REORGANIZE EXCHANGE ANALYZE CHECK OPTIMIZE REBUILD REPAIR TRUNCATE ADD DROP'
    .split(' ')
    .map((word): [string, string] => [word, 'PARTITION']),
]);

/** Reads the clauses behind the table's name, to the end. Throws NotUnderstood for any that is not known. */
export function readAlteration(text: StatementText): WrittenAlteration {
  const changes: ColumnChange[] = [];
  let renamed: WrittenName | null = null;
  const rename = (to: WrittenName): void => {
    renamed = to;
  };
  while (!text.ended) {
    readClause(text, changes, rename);
    if (text.skip(',') && text.ended) notUnderstood('a comma at its end');
  }
  const converts = changes.some(({ kind }) => kind === 'convert');
  if (converts && changes.length > 1) notUnderstood('CONVERT TO beside other changes');
  return { changes, renamed };
}

function readClause(text: StatementText, changes: ColumnChange[], rename: (to: WrittenName) => void): void {
  const charset = readCharsetOption(text);
  if (charset !== null) changes.push({ kind: 'charset', charset });
  else if (isPartitions(text)) text.skipAll();
  else if (text.skip('ADD')) readAdd(text, changes);
  else if (text.skip('DROP')) readDrop(text, changes);
  else if (text.skip('CHANGE') || text.word() === 'MODIFY') readChange(text, changes);
  else if (text.skip('RENAME')) readRename(text, changes, rename);
  else if (text.skip('CONVERT', 'TO')) {
    changes.push({ kind: 'convert', charset: readCharsetOption(text) ?? notUnderstood('CONVERT TO') });
    readCharsetOption(text);
  } else if (text.skip('ORDER', 'BY')) {
    text.skipElement();
    if (!text.ended) notUnderstood('something behind ORDER BY');
  } else if (PLAIN.has(text.word())) readPlain(text);
  else notUnderstood(`the clause ${text.word() === '' ? 'in quotes' : text.word()}`);
}

/** A clause that changes nothing, up to the next, which table options need not divide by a comma. */
function readPlain(text: StatementText): void {
  for (;;) {
    text.next();
    const { word, start } = text.peek();
    if (start < 0 || word === ',' || word === ';' || isPartitions(text) || isCharsetOption(text)) return;
    while (text.word() === '(') text.skipParentheses();
    if (text.peek().start < 0 || text.word() === ',') return;
  }
}

function isPartitions(text: StatementText): boolean {
  return PARTITIONS.get(text.word()) === text.word(1) && text.word(1) !== '';
}

function isCharsetOption(text: StatementText): boolean {
  const word = text.word() === 'DEFAULT' ? text.word(1) : text.word();
  return word === 'CHARSET' || word === 'CHARACTER' || word === 'COLLATE';
}

function readAdd(text: StatementText, changes: ColumnChange[]): void {
  if (text.word() === 'SYSTEM') notUnderstood('ADD SYSTEM VERSIONING');
  if (isKey(text)) {
    const columns = readKey(text);
    if (columns !== null) changes.push({ kind: 'primary-key', columns });
    return;
  }
  text.skip('COLUMN');
  const unless = text.skip('IF', 'NOT', 'EXISTS');
  if (text.word() !== '(') {
    const column = readColumn(text, text.name());
    changes.push({ kind: 'add', column, place: readPlace(text), unless });
    return;
  }
  text.list(() => {
    if (isKey(text)) {
      const columns = readKey(text);
      if (columns !== null) changes.push({ kind: 'primary-key', columns });
    } else changes.push({ kind: 'add', column: readColumn(text, text.name()), place: null, unless });
  });
}

function readPlace(text: StatementText): ColumnPlace {
  if (text.skip('FIRST')) return 'first';
  return text.skip('AFTER') ? { after: text.name() } : null;
}

function readDrop(text: StatementText, changes: ColumnChange[]): void {
  if (text.skip('PRIMARY', 'KEY')) changes.push({ kind: 'primary-key', columns: [] });
  else if (text.skip('FOREIGN', 'KEY') || text.skip('CHECK')) text.skipElement();
  else if (text.skip('INDEX') || text.skip('KEY') || text.skip('CONSTRAINT')) {
    text.skip('IF', 'EXISTS');
    // The primary key's index has this name, and no other may.
    if (text.name().toUpperCase() === 'PRIMARY') changes.push({ kind: 'primary-key', columns: [] });
  } else if (text.word() === 'SYSTEM' || text.word() === 'PERIOD') notUnderstood(`DROP ${text.word()}`);
  else {
    text.skip('COLUMN');
    const when = text.skip('IF', 'EXISTS');
    changes.push({ kind: 'drop', name: text.name(), when });
    if (!text.skip('RESTRICT')) text.skip('CASCADE');
  }
}

function readChange(text: StatementText, changes: ColumnChange[]): void {
  const modify = text.skip('MODIFY');
  text.skip('COLUMN');
  if (text.word() === 'IF') notUnderstood('IF EXISTS of a column to be changed');
  const from = text.name();
  const column = readColumn(text, modify ? from : text.name());
  changes.push({ kind: 'change', from, column, place: readPlace(text) });
}

function readRename(text: StatementText, changes: ColumnChange[], rename: (to: WrittenName) => void): void {
  if (text.skip('COLUMN')) {
    if (text.word() === 'IF') notUnderstood('IF EXISTS of a column to be renamed');
    const from = text.name();
    text.expect('TO');
    changes.push({ kind: 'rename', from, to: text.name() });
  } else if (text.skip('INDEX') || text.skip('KEY')) text.skipElement();
  else {
    if (!text.skip('TO') && !text.skip('AS')) text.skip('=');
    rename(text.tableName());
  }
}
