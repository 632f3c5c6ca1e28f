import { Buffer } from 'node:buffer';
import type { SchemaChange, TableSchema, Verdict } from './table-schema.ts';

/** Why a notice was written. */
export type NoticeReason =
  /** The first columns of a table, or of one that was made anew. */
  | 'create'
  /** Columns are different. */
  | 'alter'
  /** An online tool put another table with the same rows in its place. */
  | 'swap'
  /** The rows are gone, the columns are not. */
  | 'truncate'
  /** The table is gone. */
  | 'drop'
  /** The table has another name from here on (`renamedTo`), or had another one (`renamedFrom`). */
  | 'rename'
  /** Rows went or came that no row event says. */
  | 'reload'
  /** Rows are placed on partitions by other columns. */
  | 'placing'
  /** A mask was added, changed or removed. */
  | 'mask';

/** What became of the rows that were there. `unknown`: load the table again. */
export type NoticeRows = 'kept' | 'gone' | 'moved' | 'unknown';

/** A place in the source's binlog: where an event begins. */
export interface SourcePlace {
  readonly epoch: number;
  readonly file: string;
  readonly position: number;
}

/** A statement, and where it stands. Its text is cut at 2,000 characters. */
export interface NoticeStatement {
  readonly at: SourcePlace;
  readonly text: string;
}

/** A record of `<ds>_schema`: a table has other columns, or another fate, from a position on (ums-schema/schema-notice.schema.json). */
export interface SchemaNotice {
  readonly protocol: { readonly type: typeof NOTICE_TYPE; readonly version: string };
  readonly ds: string;
  readonly schema: string;
  readonly table: string;
  /** What the messages of the table call it; absent when that is its own name. */
  readonly logical?: string;
  readonly reason: NoticeReason;
  /** The version in the namespace of the messages that follow. */
  readonly version: number;
  /** Grows with each change of columns, compatible ones too; -1 before a table's first columns. */
  readonly innerVersion: number;
  readonly verdict: Verdict;
  readonly rows: NoticeRows;
  /** Where it holds from: the statement, where one is known, else the first row. */
  readonly from: SourcePlace;
  /** The same place in the order of `ums_uid_`: rows whose `ums_uid_` is not below it come after. */
  readonly uid: string;
  /** `ums_ts_` of that place. */
  readonly ts: string;
  /** What was done, in order, as far as it is known. */
  readonly statements: readonly NoticeStatement[];
  /** Columns before; null when there were none, or too many to say them twice: the record before has them. */
  readonly before: TableSchema | null;
  /** Columns from here on; null when the table is gone, or its columns are not known yet. */
  readonly after: TableSchema | null;
  readonly changes: readonly SchemaChange[];
  /** `schema.table`. */
  readonly renamedFrom?: string;
  readonly renamedTo?: string;
}

/** `protocol.type` of a notice. */
export const NOTICE_TYPE = 'umbus_schema_notice';

/** The version of notices that umbus writes. */
export const NOTICE_VERSION = '1.0';

/** Most columns that are said twice. */
const COLUMNS_TWICE_MAX = 1_000;

/** The topic of a line's notices. */
export function noticeTopicOf(ds: string): string {
  return `${ds}_schema`;
}

/** The value of a notice's record: JSON in UTF-8. */
export function noticeMessage({ before, ...notice }: Omit<SchemaNotice, 'protocol'>): Buffer {
  const { ds, schema, table, ...rest } = notice;
  const twice = before !== null && before.columns.length <= COLUMNS_TWICE_MAX ? before : null;
  const protocol: SchemaNotice['protocol'] = { type: NOTICE_TYPE, version: NOTICE_VERSION };
  return Buffer.from(JSON.stringify({ protocol, ds, schema, table, ...rest, before: twice }), 'utf8');
}
