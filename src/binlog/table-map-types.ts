/** What a TABLE_MAP event says of one column. Optional metadata that the event lacks is null. */
export interface ColumnMap {
  /** Null without `binlog_row_metadata=FULL`. */
  readonly name: string | null;
  /** Column type code as in the event (`MYSQL_TYPE_*`), with STRING resolved to ENUM (247) or SET (248) where the metadata bytes say so. */
  readonly type: number;
  /** Type metadata, one or two bytes as one number; see the MySQL source documentation of Table_map_event. */
  readonly meta: number;
  readonly nullable: boolean;
  /** Null when the event has no SIGNEDNESS block or the type has no sign. */
  readonly unsigned: boolean | null;
  /** Collation id; null when the event has none for it. 63 is binary. */
  readonly collation: number | null;
  /** ENUM or SET labels as the bytes of the event (in the column's charset); null without metadata. */
  readonly labels: readonly Uint8Array[] | null;
  /** GEOMETRY sub-type; null for other types or without metadata. */
  readonly geometryType: number | null;
  /** False for MySQL's invisible columns; true without metadata. */
  readonly visible: boolean;
  /** A type of MariaDB whose values the event has as BINARY; absent for all others, and where only the event is known. */
  readonly address?: AddressType;
  /** Of a column of a page of a full pull: what a table map of the binlog has in place of this, and its character set by name; absent for no difference, and for all columns of the binlog. */
  readonly shown?: Partial<Pick<ColumnMap, 'type' | 'meta' | 'unsigned' | 'geometryType'>> & {
    readonly charset?: string;
  };
}

/** Types of MariaDB that its binlog does not tell from BINARY. */
export type AddressType = 'uuid' | 'inet4' | 'inet6';

/** A TABLE_MAP event. */
export interface TableMap {
  readonly tableId: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly ColumnMap[];
  /** Indexes of the primary key's columns in key order; null without metadata or without a primary key. */
  readonly primaryKey: readonly number[] | null;
  /** Whether column names are there. */
  readonly named: boolean;
}
