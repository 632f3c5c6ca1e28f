import type { Definition } from './definition.ts';
import type { TableColumns, UnknownColumns } from './table-columns.ts';

/** What is known of a table: its columns, or why they are not known. */
export interface KnownTable {
  readonly columns?: TableColumns;
  readonly unknown?: UnknownColumns;
  /** A temporary table of this name was made once: no statement can be told to be about this table and not that one. */
  readonly hidden?: true;
}

/** What is known of a schema. */
export interface KnownSchema {
  /** Default character set; null when it is not known. */
  readonly charset: string | null;
  /** Whether every table of it is known of: one that is not there does not exist. */
  readonly whole: boolean;
}

/** A change of what is known: `[schema]` or `[schema, table]`, and what is known now, null for nothing. */
export interface KnownChange {
  readonly key: readonly string[];
  readonly value: KnownTable | KnownSchema | null;
}

/** A statement in its place of the binlog. */
export interface PlacedStatement {
  readonly definition: Definition;
  /** The session's default schema; '' without one. */
  readonly schema: string;
  /** The subscribed schemas that it concerns. */
  readonly schemas: readonly string[];
  /** Default character set of the server in the session; null when it is not known. */
  readonly serverCharset: string | null;
  /** `<file>:<offset>`. */
  readonly place: string;
}
