import { invalidUms } from './invalid.ts';

/** The seven parts of a namespace. */
export interface UmsNamespace {
  /** Kind of source; `mysql` for MySQL and MariaDB. */
  readonly source: string;
  /** Name of the data source. */
  readonly ds: string;
  readonly schema: string;
  readonly table: string;
  /** Table version, from 0. */
  readonly version: number;
  readonly databasePartition: string;
  readonly tablePartition: string;
}

/** What a record key of a result topic says. Parts that its form does not have are null. */
export interface UmsKey {
  /** `protocol.type` of the message. */
  readonly type: string;
  readonly namespace: UmsNamespace;
  /** Data: time of the first row; heartbeat: when it was written. Milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number;
  /** Heartbeat only: start of its round, milliseconds since 1970-01-01 UTC. */
  readonly roundMs: number | null;
  /** Heartbeat only: `ok`, `abort` or `waiting`. */
  readonly status: string | null;
  /** Name of the data source behind an alias. */
  readonly ds: string | null;
}

const digits = /^(0|[1-9][0-9]*)$/;

/**
 * Takes a namespace apart, from both ends: only the table's name may hold dots. Errors: UMBUS_UMS_INVALID.
 */
export function parseNamespace(text: string): UmsNamespace {
  const parts = text.split('.');
  const [source, ds, schema] = parts;
  const [version, databasePartition, tablePartition] = parts.slice(-3);
  const table = parts.slice(3, -3).join('.');
  if (
    parts.length < 7 ||
    parts.includes('') ||
    source === undefined ||
    ds === undefined ||
    schema === undefined ||
    version === undefined ||
    databasePartition === undefined ||
    tablePartition === undefined
  ) {
    throw invalidUms('schema.namespace has fewer than seven parts, or an empty one', null);
  }
  if (!digits.test(version)) throw invalidUms('the version in schema.namespace is not a number', null);
  return { source, ds, schema, table, version: Number(version), databasePartition, tablePartition };
}

/**
 * Takes a record key of a result topic apart. Known forms, after `<type>.<namespace>.` and before `.wh_placeholder`:
 * `<ms>`, `<ms>|<ds>`, and for heartbeats `<ms>|<round ms>|<status>` and the same with `|<ds>`.
 * Errors: UMBUS_UMS_INVALID.
 */
export function parseKey(key: string | Uint8Array): UmsKey {
  const text = typeof key === 'string' ? key : new TextDecoder().decode(key);
  const suffix = '.wh_placeholder';
  const body = text.endsWith(suffix) ? text.slice(0, -suffix.length) : null;
  // The data source's name is the only part behind the first bar that may hold dots.
  const bar = body?.indexOf('|') ?? -1;
  const head = body === null || bar < 0 ? body : body.slice(0, bar);
  const tail = body === null || bar < 0 ? [] : body.slice(bar + 1).split('|');
  const first = head?.indexOf('.') ?? -1;
  const last = head?.lastIndexOf('.') ?? -1;
  if (head === null || first <= 0 || last <= first) {
    throw invalidUms('the record key does not have the form <type>.<namespace>.<ms>.wh_placeholder', null);
  }
  const namespace = parseNamespace(head.slice(first + 1, last));
  const timestampMs = millis(head.slice(last + 1));
  const base = { type: head.slice(0, first), namespace, timestampMs };
  const [a, b, c] = tail;
  if (tail.length === 0) return { ...base, roundMs: null, status: null, ds: null };
  if (tail.length === 1 && a) return { ...base, roundMs: null, status: null, ds: a };
  if ((tail.length === 2 || tail.length === 3) && a && b) {
    return { ...base, roundMs: millis(a), status: b, ds: c ?? null };
  }
  throw invalidUms('the record key has more parts than any known form', null);
}

function millis(text: string): number {
  if (!digits.test(text)) throw invalidUms('a time in the record key is not a number of milliseconds', null);
  return Number(text);
}
