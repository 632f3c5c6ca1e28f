import type { SqlReader } from '../binlog/sql-tokens.ts';
import type { ColumnRename } from './schema-diff.ts';
import type { StatementTable } from './table-statement.ts';

/** What an ALTER TABLE does that no row event says. */
export interface AlterStatement {
  readonly kind: 'alter';
  readonly table: StatementTable;
  /** Columns that get another name, in order. */
  readonly renames: readonly ColumnRename[];
  /** The table's new name; null when it keeps its own. */
  readonly renameTo: StatementTable | null;
  /** `unknown`: rows went or came with a partition or a tablespace, or as duplicates. `gone`: all partitions were emptied. */
  readonly rows: 'kept' | 'unknown' | 'gone';
  /** The other table of a partition that was exchanged or made a table, whose rows are not known either; null for none. */
  readonly exchanged: StatementTable | null;
  /** The table that became a partition, and is a table no more; null for none. */
  readonly taken: StatementTable | null;
}

/** What the parts of an ALTER TABLE say, while they are read. */
type Found = { -readonly [K in keyof Omit<AlterStatement, 'kind' | 'table'>]: AlterStatement[K] } & {
  renames: ColumnRename[];
};

/**
 * Reads the rest of an ALTER. Null for anything but a table. Sources: "ALTER TABLE" of the MySQL manual, and of MariaDB's for `IF EXISTS`, `WAIT`, `CONVERT PARTITION` and `IGNORE`.
 */
export function readAlter(reader: SqlReader): AlterStatement | null {
  let ignore = false;
  for (let more = true; more; ) {
    if (reader.skip('IGNORE')) ignore = true;
    else more = reader.skip('ONLINE') || reader.skip('OFFLINE');
  }
  if (!reader.skip('TABLE')) return null;
  if (reader.skip('IF')) reader.skip('EXISTS');
  const table = reader.tableName();
  if (table === null) return null;
  if (reader.skip('WAIT')) reader.next();
  else reader.skip('NOWAIT');
  const found: Found = { renames: [], renameTo: null, rows: 'kept', exchanged: null, taken: null };
  while (!reader.done) {
    readPart(reader, found, ignore);
    skipPart(reader);
  }
  return { kind: 'alter', table, ...found };
}

/** Reads the beginning of a part, up to what matters of it. */
function readPart(reader: SqlReader, found: Found, ignore: boolean): void {
  switch (reader.next().word) {
    case 'RENAME':
      readRename(reader, found);
      break;
    case 'CHANGE':
      readChange(reader, found);
      break;
    case 'DROP':
      if (reader.skip('PARTITION')) found.rows = 'unknown';
      break;
    case 'TRUNCATE':
      if (reader.skip('PARTITION')) found.rows = reader.skip('ALL') ? 'gone' : 'unknown';
      break;
    case 'EXCHANGE':
      found.rows = 'unknown';
      found.exchanged = tableAfter(reader, 'TABLE');
      break;
    case 'DISCARD':
    case 'IMPORT':
      found.rows = 'unknown';
      break;
    case 'CONVERT':
      readConvert(reader, found);
      break;
    case 'ADD':
      // Rows that are doubles under the new key are deleted without a word.
      if (ignore && isUniqueKey(reader)) found.rows = 'unknown';
      break;
    default:
  }
}

/** `RENAME COLUMN a TO b`, `RENAME INDEX a TO b`, `RENAME [TO | AS | =] t`. */
function readRename(reader: SqlReader, found: Found): void {
  if (reader.skip('COLUMN')) {
    if (reader.skip('IF')) reader.skip('EXISTS');
    const from = reader.next().name;
    const to = reader.skip('TO') ? reader.next().name : null;
    if (from !== null && to !== null) found.renames.push({ from, to });
    return;
  }
  if (reader.skip('INDEX') || reader.skip('KEY')) return;
  if (!reader.skip('TO') && !reader.skip('AS')) reader.skip('=');
  found.renameTo = reader.tableName() ?? found.renameTo;
}

/** `CHANGE [COLUMN] [IF EXISTS] a b …`. */
function readChange(reader: SqlReader, found: Found): void {
  reader.skip('COLUMN');
  if (reader.skip('IF')) reader.skip('EXISTS');
  const from = reader.next().name;
  const to = reader.next().name;
  if (from !== null && to !== null && from !== to) found.renames.push({ from, to });
}

/** MariaDB: `CONVERT PARTITION p TO TABLE t`, `CONVERT TABLE t TO PARTITION p …`; of both: `CONVERT TO CHARACTER SET`. */
function readConvert(reader: SqlReader, found: Found): void {
  if (reader.skip('PARTITION')) {
    found.rows = 'unknown';
    found.exchanged = tableAfter(reader, 'TABLE');
  } else if (reader.skip('TABLE')) {
    found.rows = 'unknown';
    found.taken = reader.tableName();
  }
}

function isUniqueKey(reader: SqlReader): boolean {
  if (reader.skip('CONSTRAINT') && reader.peek().word !== 'UNIQUE' && reader.peek().word !== 'PRIMARY')
    reader.next();
  return reader.skip('UNIQUE') || reader.skip('PRIMARY');
}

/** The table named after a word of this part; null when there is none. */
function tableAfter(reader: SqlReader, word: string): StatementTable | null {
  while (!reader.done && reader.peek().word !== ',')
    if (reader.next().word === word) return reader.tableName();
  return null;
}

/** Goes on to the next part: behind the next comma that stands in no brackets. */
function skipPart(reader: SqlReader): void {
  let depth = 0;
  while (!reader.done) {
    const { word } = reader.next();
    if (word === '(') depth += 1;
    else if (word === ')') depth -= 1;
    else if (word === ',' && depth <= 0) return;
  }
}
