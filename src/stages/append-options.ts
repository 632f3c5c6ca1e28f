import type { Buffer } from 'node:buffer';
import type { StatMessage } from '../change/stat-message.ts';
import type { UmbusError } from '../core/errors.ts';
import type { MaskRules } from '../masking/mask-spec.ts';
import type { Headers } from '../ports/log.ts';
import type { LogicalName } from '../ums/namespace.ts';
import type { UmsField } from '../ums/types.ts';
import type { Zone } from '../ums/zone.ts';
import type { ResultPlacing } from './append-placing.ts';

/** Rows in a message, and its bytes, when the options do not say. */
export const DEFAULT_MAX_ROWS = 500;
export const DEFAULT_MAX_BYTES = 1024 * 1024;
/** What may wait for the end of a pull, when the options do not say. */
export const DEFAULT_HELD_BYTES = 64 * 1024 * 1024;
export const DEFAULT_CHANGED_KEYS = 200_000;

/** What the appender writes, and how much at a time. */
export interface AppendOptions {
  /** Name of the data source; part of namespaces, keys and topics. */
  readonly ds: string;
  /** Most tuples of a message, before images included; default 500. */
  readonly maxRows?: number;
  /** Most bytes of a message; default 1 MB. A row that is larger is a message of its own. */
  readonly maxBytes?: number;
  /** Zone of `ums_ts_` and of TIMESTAMP columns: an IANA name; default UTC. */
  readonly timeZone?: string;
  /** Whether a table is published; default all. Events of others are left out. Must not change while the processor lives. */
  readonly subscribed?: (schema: string, table: string) => boolean;
  /** Logical names of tables, as the dispatcher has them; default: there are none. Must not change while the processor lives. */
  readonly logical?: LogicalName;
  /** Partitions of `<ds>.<schema>`, so that a task leaves the tables of the others alone that a statement names; default 1: all are its own. */
  readonly partitions?: number;
  /** Whether all updates of a table carry a `b` row; default none. Must not change while the processor lives. */
  readonly beforeImage?: (schema: string, table: string) => boolean;
  /**
   * How rows are placed on the result topic of a schema; default: in the partition of the record that they come from. When it changes between lives of the
   * processor, the version of a table ends.
   */
  readonly result?: (schema: string) => ResultPlacing;
  /** Why the rows of a table with these columns cannot be published, which parks it; null: they can. Default: all can. */
  readonly refused?: (table: PublishedTable) => UmbusError | null;
  /** The source's tables with heartbeats and watermarks; default: there are none. */
  readonly signals?: SignalPlace;
  /** Whether messages of a schema may hold marks (ums-schema/README.md). Where not, what would need one parks its table. Default: they may. */
  readonly marks?: (schema: string) => boolean;
  /** Most bytes of messages of a table that wait for the end of its pull; more end it. Default 64 MB. */
  readonly heldBytes?: number;
  /** Most keys of a table that are remembered as changed while shards of it are read; more close its windows, and the shards are read again. Default 200,000. */
  readonly changedKeys?: number;
  /** The masks in force, asked for before each record; default none. A change of them is another object. */
  readonly masks?: () => MaskRules;
}

/** Where signal rows come from, and which of them concern a task. */
export interface SignalPlace {
  /** Schema of the source that holds the tables. */
  readonly schema: string;
  /** Partitions of each `<ds>.<schema>`. */
  readonly partitions: number;
}

/** {@link AppendOptions} with every default filled in. */
export interface AppendSettings {
  readonly ds: string;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly zone: Zone;
  readonly subscribed: (schema: string, table: string) => boolean;
  readonly logical: LogicalName;
  readonly partitions: number;
  readonly beforeImage: (schema: string, table: string) => boolean;
  /** Null: all rows in the partition of their record. */
  readonly result: (schema: string) => ResultPlacing | null;
  readonly refused: (table: PublishedTable) => UmbusError | null;
  readonly marks: (schema: string) => boolean;
  readonly signals: SignalPlace | null;
  readonly masks: () => MaskRules;
}

/** A table as its rows are about to be published. Equal columns of one process are one object. */
export interface PublishedTable {
  readonly schema: string;
  /** Its logical name. */
  readonly table: string;
  /** Without system columns. */
  readonly columns: readonly UmsField[];
  /** [] without one. */
  readonly primaryKey: readonly string[];
  /** As in {@link AppendOutput}. */
  readonly wide: readonly string[];
}

/** A message on its way to its topic. */
export interface AppendOutput {
  /** `<ds>.<schema>.result`; for a notice `<ds>_schema`. */
  readonly topic: string;
  /** Whether it is a notice of a table's schema, and no UMS; absent for no. */
  readonly notice?: true;
  readonly schema: string;
  /** Its logical name; of a notice its own. */
  readonly table: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  /** Of heartbeats: when they passed each hop. Not part of the message, since it differs when the record is written again. */
  readonly headers?: Headers;
  /** Of heartbeats: the hop's statistic, once for each table. */
  readonly stat?: StatMessage;
  /** Columns of type `long` with values beyond a signed 64-bit integer; absent for none. JSON does not need to know. */
  readonly wide?: readonly string[];
}
