import type { Buffer } from 'node:buffer';
import type { Zone } from '../ums/zone.ts';

/** Rows in a message, and its bytes, when the options do not say. */
export const DEFAULT_MAX_ROWS = 500;
export const DEFAULT_MAX_BYTES = 1024 * 1024;

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
  /** Whether all updates of a table carry a `b` row; default none. Must not change while the processor lives. */
  readonly beforeImage?: (schema: string, table: string) => boolean;
}

/** {@link AppendOptions} with every default filled in. */
export interface AppendSettings {
  readonly ds: string;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly zone: Zone;
  readonly subscribed: (schema: string, table: string) => boolean;
  readonly beforeImage: (schema: string, table: string) => boolean;
}

/** A message on its way to its topic. */
export interface AppendOutput {
  /** `<ds>.<schema>.result`. */
  readonly topic: string;
  readonly schema: string;
  readonly key: Buffer;
  readonly value: Buffer;
}
