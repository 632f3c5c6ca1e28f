import type { ErrorCode } from '../core/errors.ts';
import { json, utf8 } from '../topology/serdes.ts';
import { store } from '../topology/topic.ts';
import type { StoreDef } from '../topology/types.ts';
import type { UmsField, UmsType } from '../ums/types.ts';
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
  /** Values published as marks because their bytes are no text of their character set, before images included; absent for none. */
  readonly marks?: number;
}

/** A table that was not seen before. */
export const NEW_TABLE: TableState = {
  version: 0,
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

/** The appender's store: {@link TableState} by `schema.table`. */
export const tablesStore: StoreDef<string, TableState> = store('tables', utf8, json<TableState>());

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
