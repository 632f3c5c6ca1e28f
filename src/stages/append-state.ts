import type { ColumnRename } from '../change/schema-diff.ts';
import type { FullName } from '../change/table-effects.ts';
import type { ErrorCode } from '../core/errors.ts';
import { json, utf8 } from '../topology/serdes.ts';
import { store } from '../topology/topic.ts';
import type { StoreDef } from '../topology/types.ts';
import type { NoticeRows, NoticeStatement, SourcePlace } from '../ums/schema-notice.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import type { UmsField, UmsType } from '../ums/types.ts';
import type { GivenColumns } from './append-given.ts';
import type { MaskedState } from './append-masked.ts';

/** A column as versions are compared: by name and UMS type. */
export interface VersionColumn {
  readonly name: string;
  readonly umsType: UmsType;
}

/** Why and since when a table is parked. */
export interface ParkedState {
  /** `ums_ts_` of the first event that was parked. */
  readonly since: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** Events parked since then: row events and statements. */
  readonly events: number;
}

/** What the appender knows of a table. */
export interface TableState {
  /** The version in the namespace of its messages. */
  readonly version: number;
  /** Grows with each change of columns, compatible ones too; -1 before the first columns. */
  readonly innerVersion: number;
  /** Fingerprint of the table map that was decoded last, as hex; '' before the first, and after a DROP. */
  readonly fingerprint: string;
  readonly columns: readonly VersionColumn[];
  /** The columns that place its rows; absent when they are all in one partition. */
  readonly placedBy?: readonly string[];
  /** Number of its newest full pull; absent before the first. */
  readonly batch?: number;
  /** Rows that full pulls published; absent for none. */
  readonly pulled?: number;
  /** Rows published since the line began. Before images do not count. */
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** Messages published, terminations included. */
  readonly messages: number;
  /** `ums_id_` and `ums_ts_` of the row published last; '' before the first. */
  readonly lastUmsId: string;
  readonly lastTs: string;
  readonly parked: ParkedState | null;
  /** Bytes of those messages; absent where they were not counted. */
  readonly bytes?: number;
  /** The source named the table in a heartbeat, so that it has heartbeats before its first row. Absent else. */
  readonly beats?: true;
  /** What masked the rows published last; absent for nothing. */
  readonly masked?: MaskedState;
  /** What statements said of the table since its last row; absent for nothing. */
  readonly pending?: PendingChange;
  /** Set while a tool for online changes has put the table aside; see `Renaming`. */
  readonly aside?: SetAside;
  /** Values published as marks because their bytes are no text of their character set, before images included; absent for none. */
  readonly marks?: number;
  /** Columns that were given for rows whose columns are not known, oldest first; absent for none. Not more than `GIVEN_MAX`. */
  readonly given?: readonly GivenColumns[];
}

/** What statements said of a table, of which its next row will show what came of it. */
export interface PendingChange {
  /** The first of them, and the same in the order of `ums_uid_`. */
  readonly at: SourcePlace;
  readonly uid: string;
  /** `ums_ts_` of it. */
  readonly ts: string;
  /** Not more than {@link STATEMENTS_MAX}, the last ones. */
  readonly statements: readonly NoticeStatement[];
  /** Columns that they rename, in order. */
  readonly renames: readonly ColumnRename[];
  /** The name that the table had before; absent when it had this one. */
  readonly renamedFrom?: string;
  /** What became of its rows, as far as readers of this line have them; absent for `kept`. */
  readonly rows?: NoticeRows;
  /** A copy with the same rows has taken the table's place. */
  readonly swap?: true;
}

/** A table without a name of its own between the two statements of a cut-over. */
export interface SetAside {
  readonly to: FullName;
  readonly at: SourcePlace;
  readonly uid: string;
  readonly ts: string;
  readonly statement: string;
}

/** Statements and renames kept until the next row. */
export const STATEMENTS_MAX = 8;
export const RENAMES_MAX = 10_000;

/** A table that was not seen before. */
export const NEW_TABLE: TableState = {
  version: 0,
  innerVersion: -1,
  fingerprint: '',
  columns: [],
  inserts: 0,
  updates: 0,
  deletes: 0,
  messages: 0,
  lastUmsId: '',
  lastTs: '',
  parked: null,
};

/** Whether heartbeats of all tables concern a table: its rows can come, or have come. */
export function hasBeats({
  fingerprint,
  parked,
  beats,
}: Pick<TableState, 'fingerprint' | 'parked' | 'beats'>): boolean {
  return fingerprint !== '' || parked !== null || beats === true;
}

/** The appender's store: {@link TableState} by `schema.table`. */
export const tablesStore: StoreDef<string, TableState> = store('tables', utf8, json<TableState>());

/** The appender's store of columns, as the newest notice of a table has them; by `schema.table`. */
export const schemasStore: StoreDef<string, TableSchema> = store('schemas', utf8, json<TableSchema>());

/** The columns of a message as versions compare them. */
export function versionColumns(fields: readonly UmsField[]): VersionColumn[] {
  return fields.map(({ name, type }) => ({ name, umsType: type }));
}

/**
 * Whether messages with these columns are of one version: the same names with the same UMS types, in any order. An added, dropped or renamed column and a
 * change of UMS type are not.
 */
export function sameVersion(a: readonly VersionColumn[], b: readonly VersionColumn[]): boolean {
  if (a.length !== b.length) return false;
  const types = new Map(a.map(({ name, umsType }) => [name, umsType]));
  return b.every(({ name, umsType }) => types.get(name) === umsType);
}

/** Whether two lists of names are equal, or both absent. */
export function sameNames(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
