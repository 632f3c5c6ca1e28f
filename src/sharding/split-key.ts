import { UmbusError } from '../core/errors.ts';
import { type KeyColumn, keyColumnOf, type SourceColumn } from './key-column.ts';

/** An index as information_schema tells it. */
export interface SourceIndex {
  /** `PRIMARY` is the primary key. */
  readonly name: string;
  readonly unique: boolean;
  /** In index order. `whole` is false where only the front of the values, or an expression, is indexed; null stands for an expression. */
  readonly columns: readonly { readonly name: string | null; readonly whole: boolean }[];
}

/** A table as far as splitting it depends on it. */
export interface SourceTable {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly SourceColumn[];
  readonly indexes: readonly SourceIndex[];
}

/** What a table is cut by: columns whose values together are in the order of one index, and of which no two rows have the same. */
export interface SplitKey {
  /** Name of the index. */
  readonly index: string;
  readonly columns: readonly KeyColumn[];
}

/** A table without the indexes that hold columns whose values nobody may see: the bounds of shards travel over topics and cells in plain. */
export function withoutHidden<T extends SourceTable>(table: T, hidden: (column: string) => boolean): T {
  const indexes = table.indexes.filter(
    ({ columns }) => !columns.some(({ name }) => name !== null && hidden(name)),
  );
  return { ...table, indexes };
}

/** The name of the index of a primary key. */
export const PRIMARY = 'PRIMARY';

/**
 * Chooses what a table is cut by: the index that begins with the `wanted` columns, else the primary key, else a unique key without NULL. An index that is not unique is made so by the primary
 * key's columns behind it, as InnoDB keeps it. Null: there is none, so the table is one shard.
 * Errors: UMBUS_PULL_COLUMN for wanted columns that are not there, are of a type that cannot be cut, may be NULL, or begin no index.
 */
export function chooseSplitKey(table: SourceTable, wanted: readonly string[] = []): SplitKey | null {
  const primary = table.indexes.find(({ name }) => name === PRIMARY);
  const primaryKey = primary === undefined ? null : keyOf(table, primary);
  if (wanted.length > 0) return wantedKey(table, wanted, primaryKey);
  if (primaryKey !== null) return primaryKey;
  for (const index of table.indexes) {
    if (!index.unique) continue;
    const key = keyOf(table, index);
    if (key !== null) return key;
  }
  return null;
}

function wantedKey(table: SourceTable, wanted: readonly string[], primaryKey: SplitKey | null): SplitKey {
  const place = `${table.schema}.${table.table}`;
  for (const name of wanted) {
    const column = table.columns.find(each => each.name === name);
    const problem =
      column === undefined
        ? 'is not there'
        : column.nullable
          ? 'may be NULL'
          : keyColumnOf(column) === null
            ? `is of type ${column.dataType.toUpperCase()}, whose values have no exact order in SQL`
            : null;
    if (problem !== null) throw refused(place, `the split column ${name} ${problem}`);
  }
  const starts = table.indexes.filter(({ columns }) =>
    wanted.every((name, i) => columns[i]?.name === name && columns[i].whole),
  );
  for (const index of starts) {
    const whole = index.unique ? keyOf(table, index) : null;
    if (whole !== null) return whole;
  }
  const [index] = starts;
  if (index === undefined) throw refused(place, `no index begins with ${wanted.join(', ')}`);
  if (primaryKey === null) throw refused(place, 'a split by an index that is not unique needs a primary key');
  // InnoDB keeps the entries of an index in the order of the primary key where they are equal.
  const names = [
    ...new Set([...index.columns.map(({ name }) => name), ...primaryKey.columns.map(({ name }) => name)]),
  ];
  const columns = columnsOf(table, names);
  if (columns === null || !index.columns.every(({ whole }) => whole)) {
    throw refused(place, `index ${index.name} has columns that cannot be cut`);
  }
  return { index: index.name, columns };
}

function keyOf(table: SourceTable, { name, columns }: SourceIndex): SplitKey | null {
  if (!columns.every(({ whole }) => whole)) return null;
  const found = columnsOf(
    table,
    columns.map(column => column.name),
  );
  return found === null ? null : { index: name, columns: found };
}

function columnsOf(table: SourceTable, names: readonly (string | null)[]): KeyColumn[] | null {
  const found: KeyColumn[] = [];
  for (const name of names) {
    const column = table.columns.find(each => each.name === name);
    const key = column === undefined || column.nullable ? null : keyColumnOf(column);
    if (key === null) return null;
    found.push(key);
  }
  return found.length === 0 ? null : found;
}

function refused(place: string, why: string): UmbusError {
  return new UmbusError('UMBUS_PULL_COLUMN', `${place} cannot be split so: ${why}.`, {
    details: { table: place },
  });
}
