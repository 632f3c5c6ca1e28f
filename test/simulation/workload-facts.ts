/** What a workload tells of the tables that it changes, and how it writes them down. */
import type { TableSpec } from '../support/binlog-builder.ts';
import type { StoredEvent } from './binlog-store.ts';
import { type Column, columnSpec } from './columns.ts';
import { type Image, type ModelTable, rowObject, tableText } from './model-table.ts';

/** One event that concerns a table: rows that changed, or a statement that emptied it. */
export interface Fact {
  readonly schema: string;
  readonly table: string;
  readonly fileNumber: number;
  readonly event: StoredEvent;
  /** `ums_ts_`. */
  readonly time: string;
  readonly what:
    | {
        readonly kind: 'rows';
        readonly columns: readonly Column[];
        readonly key: readonly string[];
        readonly images: readonly Image[];
        /** What cannot be decoded, although its CRC32 is right: the table map, or the rows alone. */
        readonly bad: 'map' | 'rows' | null;
      }
    | { readonly kind: 'emptied'; readonly reason: 'truncate' | 'drop' }
    /** A statement that the reader keeps with what is parked of the table, and that changes no row. */
    | { readonly kind: 'defined' }
    /** The table of this name has another one now (`schema.table`). */
    | { readonly kind: 'renamed'; readonly to: string }
    | Beat;
}

/** A heartbeat row. The fact's schema and table are those of the row: names, or `*`. */
export interface Beat {
  readonly kind: 'beat';
  /** False: of another line. */
  readonly own: boolean;
}

/** A table's rows as {@link tableText} gives them, and which columns they have. */
export interface TableContent {
  readonly columns: readonly string[];
  readonly rows: readonly string[];
}

/** The name of a table as statements have it. */
export function quoted({ schema, name }: Pick<ModelTable, 'schema' | 'name'>): string {
  return `\`${schema}\`.\`${name}\``;
}

/** The rows that a table has now. */
export function contentOf({ columns, rows }: ModelTable): TableContent {
  const names = columns.map(column => column.name);
  return {
    columns: names,
    rows: tableText(
      rows.map(row => rowObject(columns, row)),
      names,
    ),
  };
}

/** The table map of a table. */
export function specOf(
  { schema, name, columns, key, tableId }: ModelTable,
  withoutMetadata: boolean,
): TableSpec {
  return {
    tableId,
    schema,
    table: name,
    columns: columns.map(columnSpec),
    metadata: !withoutMetadata,
    ...(key.length > 0 && {
      primaryKey: key.map(part => columns.findIndex(column => column.name === part)),
    }),
  };
}
