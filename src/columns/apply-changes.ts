import { Buffer } from 'node:buffer';
import { heldText } from '../binlog/rows/held-text.ts';
import type { ColumnChange, ColumnPlace } from './alter-table.ts';
import { asBinary } from './column-definition.ts';
import { isTextType } from './column-type.ts';
import type { WrittenTable } from './create-table.ts';
import { notUnderstood } from './statement-text.ts';
import type { DescribedColumn, TableColumns } from './table-columns.ts';

/** The columns of a table that CREATE TABLE makes. `charset`: the schema's default, null when it is not known. Throws NotUnderstood. */
export function createdColumns(table: WrittenTable, charset: string | null): TableColumns {
  const fallback = table.charset ?? charset;
  const columns = table.columns.map(({ column }) => withCharset(column, fallback));
  const own = table.columns.filter(({ primary }) => primary).map(({ column }) => column.name);
  // Without a default, no column that is added later can be told for certain; none is needed until then.
  const result: TableColumns = { columns, primaryKey: [], charset: fallback ?? '' };
  return withPrimaryKey(result, table.primaryKey ?? own);
}

/**
 * The columns after ALTER TABLE. As the server does it: columns that stay, or change in place, keep their order; then come, one by one, those that are added or moved.
 * Throws NotUnderstood when a change does not fit the columns.
 */
export function alteredColumns(before: TableColumns, changes: readonly ColumnChange[]): TableColumns {
  const convert = changes.find(change => change.kind === 'convert');
  if (convert !== undefined) return converted(before, convert.charset);
  const option = changes.findLast(change => change.kind === 'charset');
  const charset = option?.charset ?? before.charset;
  const renames = new Map<string, string>();
  const left = new Map(before.columns.map(column => [key(column.name), column]));
  const columns = settled(before.columns, changes, left, charset, renames);
  // IF NOT EXISTS is about the columns before the statement, be they dropped or renamed in it, and about what it says before.
  const taken = new Set(left.keys());
  for (const change of changes) {
    if (change.kind !== 'add' && change.kind !== 'change') continue;
    const name = key(change.column.column.name);
    if (change.kind === 'add' && change.unless && taken.has(name)) continue;
    taken.add(name);
    if (change.kind === 'change' && change.place === null) continue;
    put(columns, withCharset(change.column.column, charset), change.place);
  }
  const names = new Set(columns.map(({ name }) => key(name)));
  if (names.size !== columns.length) notUnderstood('two columns of one name');
  return rekeyed({ columns, primaryKey: before.primaryKey, charset }, changes, renames);
}

/** The columns that were there before, changed in place; those that move are left out. Checks that all that are named are there. */
function settled(
  before: readonly DescribedColumn[],
  changes: readonly ColumnChange[],
  left: ReadonlyMap<string, DescribedColumn>,
  charset: string,
  renames: Map<string, string>,
): DescribedColumn[] {
  const changeOf = new Map<string, Extract<ColumnChange, { kind: 'change' | 'drop' | 'rename' }>>();
  for (const change of changes) {
    if (change.kind !== 'change' && change.kind !== 'drop' && change.kind !== 'rename') continue;
    const name = key(change.kind === 'drop' ? change.name : change.from);
    if (!left.has(name) && change.kind === 'drop' && change.when) continue;
    if (!left.has(name) || changeOf.has(name)) notUnderstood('a column that is not there, or named twice');
    changeOf.set(name, change);
  }
  const columns: DescribedColumn[] = [];
  for (const column of before) {
    const change = changeOf.get(key(column.name));
    if (change === undefined) columns.push(column);
    else if (change.kind === 'rename') {
      renames.set(key(column.name), change.to);
      columns.push({ ...column, name: change.to });
    } else if (change.kind === 'change') {
      renames.set(key(column.name), change.column.column.name);
      if (change.place === null) columns.push(withCharset(change.column.column, charset));
    }
  }
  return columns;
}

function put(columns: DescribedColumn[], column: DescribedColumn, place: ColumnPlace): void {
  if (place === null) columns.push(column);
  else if (place === 'first') columns.unshift(column);
  else {
    const at = columns.findIndex(({ name }) => same(name, place.after));
    if (at < 0) notUnderstood('a column to be put behind one that is not there');
    columns.splice(at + 1, 0, column);
  }
}

/** The primary key after the changes: what a clause says, or what it was under the columns' new names. */
function rekeyed(
  table: TableColumns,
  changes: readonly ColumnChange[],
  renames: ReadonlyMap<string, string>,
): TableColumns {
  let names: readonly string[] = table.primaryKey
    .map(name => renames.get(key(name)) ?? name)
    .filter(name => table.columns.some(column => same(column.name, name)));
  for (const change of changes) {
    if (change.kind === 'primary-key') names = change.columns;
    if ((change.kind === 'add' || change.kind === 'change') && change.column.primary) {
      names = [change.column.column.name];
    }
  }
  return withPrimaryKey(table, names);
}

function withPrimaryKey(table: TableColumns, names: readonly string[]): TableColumns {
  const primaryKey = names.map(
    name =>
      table.columns.find(column => same(column.name, name))?.name ??
      notUnderstood('a key column that is not there'),
  );
  const inKey = new Set(primaryKey);
  const columns = table.columns.map((column): DescribedColumn => {
    if (!inKey.has(column.name)) return column;
    const { nullable: _, ...rest } = column;
    return { ...rest, notNull: true };
  });
  return { ...table, columns, primaryKey };
}

/** CONVERT TO CHARACTER SET: every text column, and the default. JSON of MariaDB is text with it from here on; that of MySQL has none. */
function converted(table: TableColumns, charset: string): TableColumns {
  if (charset === 'binary') notUnderstood('CONVERT TO CHARACTER SET binary');
  const columns = table.columns.map(column => {
    if (!isTextType(column.type) && column.type !== 'json') return column;
    if (!keepsLabels(column, charset)) notUnderstood('CONVERT TO CHARACTER SET of labels');
    return { ...column, charset };
  });
  return { ...table, columns, charset };
}

/** Character sets in which the bytes of ASCII are other text, or none. */
const NOT_ASCII: ReadonlySet<string> = new Set(['ucs2', 'utf16', 'utf16le', 'utf32', 'swe7']);

/** Servers keep the bytes of labels when they convert a table, and read them in the new character set. */
function keepsLabels({ labels = [], charset: before = '' }: DescribedColumn, charset: string): boolean {
  if (before === charset || labels.length === 0) return true;
  const areAscii = labels.every(label => Buffer.byteLength(label) === label.length);
  return areAscii && !NOT_ASCII.has(before) && !NOT_ASCII.has(charset);
}

function withCharset(column: DescribedColumn, charset: string | null): DescribedColumn {
  if (!isTextType(column.type) || column.charset !== undefined) return withLabels(column);
  if (charset === null || charset === '')
    return notUnderstood('a column whose default character set is not known');
  return withLabels({ ...column, ...asBinary(column.type, charset) });
}

/** With its labels as the server holds them: in its character set, and without spaces at the end, which are bytes like any others in `binary`. */
function withLabels(column: DescribedColumn): DescribedColumn {
  const { charset, labels } = column;
  if (charset === undefined || charset === 'binary' || labels === undefined) return column;
  return { ...column, labels: labels.map(label => heldText(charset, label.replace(/ +$/u, ''))) };
}

/** Names of columns are equal whatever their case. */
function same(a: string, b: string): boolean {
  return key(a) === key(b);
}

function key(name: string): string {
  return name.toLowerCase();
}
