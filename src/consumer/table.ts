import type { UmsField, UmsMessage, UmsType, UmsValue } from '../ums/types.ts';
import { createBagStore } from './bag-store.ts';
import { invalidUms } from './invalid.ts';
import { createKeyedStore, keyText } from './keyed-store.ts';
import { parseNamespace, type UmsNamespace } from './namespace.ts';
import { readUms, systemFieldCount } from './read.ts';
import type { RowStore } from './row-store.ts';
import { rows, type UmsRow, type UmsValues } from './rows.ts';

/** How a table is kept. */
export interface TableOptions {
  /**
   * Columns that name a row, instead of the message's `primaryKey`. They must be unique in the source, and when an update can change them
   * while the primary key stays, the table needs before images (`beforeImage` in the data line).
   */
  readonly key?: readonly string[];
  /** How many deleted keys are remembered; see {@link createTable}. Default 100,000. */
  readonly maxTombstones?: number;
}

/** What one message did to a table. */
export interface Applied {
  /** Rows that changed it. */
  readonly rows: number;
  /** Rows that it had seen before, and rows of a table version that has ended. */
  readonly repeats: number;
  /** Removals that found no such row: the reader began after the row was written. */
  readonly unmatched: number;
  /** Set when the message was a termination that counted. */
  readonly ended: 'truncate' | 'drop' | 'schema' | null;
}

/** A table as its messages leave it. */
export interface UmsTable {
  /** Takes a message of this table in. All or nothing. Errors: UMBUS_UMS_INVALID, also for another table's message. */
  apply(message: UmsMessage | Uint8Array): Applied;
  /** The row with these key values in key order. */
  get(...key: readonly UmsValue[]): UmsValues | undefined;
  /** All rows, in no order. */
  rows(): Iterable<UmsValues>;
  readonly size: number;
  /** Columns as of the newest message, without system columns. */
  readonly fields: readonly UmsField[];
  /** Of the newest message; null before the first. */
  readonly namespace: UmsNamespace | null;
  /** The key in use; null before the first message and for a table without one. */
  readonly key: readonly string[] | null;
}

/**
 * A table in memory, built from its messages. Applying is idempotent: any stretch of the stream may come again.
 *
 * - With a key (the message's `primaryKey`, or `options.key`) the newest `ums_uid_` of a row wins; an update that changes the key
 *   removes the old row by its before image. Tombstones of deleted rows are bounded by `maxTombstones` without harm to the stream;
 *   the bound should be above the number of rows deleted during one full pull.
 * - Without a key the table is a bag of rows: updates and deletes find their row by all its values.
 * - A termination with reason `truncate` or `drop` empties the table. At a change of columns the rows stay: columns that are gone
 *   are taken out, new ones are null until the row is written again, since the server does not log the values it fills in. Without
 *   a key such a row is not found again when the server filled in something else.
 *
 * Errors of `apply`: UMBUS_UMS_INVALID.
 */
export function createTable(options: TableOptions = {}): UmsTable {
  return new KeptTable(options);
}

class KeptTable implements UmsTable {
  readonly #wantedKey: readonly string[] | undefined;
  readonly #maxTombstones: number;
  #store: RowStore = createBagStore({ rows: [], uid: -1n });
  #fields: readonly UmsField[] = [];
  #key: readonly string[] | null = null;
  #namespace: UmsNamespace | null = null;
  /** The version that is open; -1 before the first message. */
  #version = -1;
  /** The highest `ums_uid_` applied. */
  #seen = -1n;

  constructor({ key, maxTombstones = 100_000 }: TableOptions) {
    this.#wantedKey = key;
    this.#maxTombstones = maxTombstones;
  }

  get size(): number {
    return this.#store.size;
  }

  get fields(): readonly UmsField[] {
    return this.#fields;
  }

  get namespace(): UmsNamespace | null {
    return this.#namespace;
  }

  get key(): readonly string[] | null {
    return this.#key;
  }

  get(...key: readonly UmsValue[]): UmsValues | undefined {
    return this.#store.get(key);
  }

  rows(): Iterable<UmsValues> {
    return this.#store.rows();
  }

  apply(input: UmsMessage | Uint8Array): Applied {
    const message = input instanceof Uint8Array ? readUms(input) : input;
    const place = parseNamespace(message.schema.namespace);
    if (this.#namespace !== null && !sameTable(this.#namespace, place)) {
      throw invalidUms('it belongs to another table than the messages before it', null);
    }
    const { type } = message.protocol;
    if (type === 'data_increment_heartbeat') return nothing;
    const applied =
      type === 'data_increment_termination'
        ? this.#end(place.version, message.schema.reason ?? 'schema')
        : this.#applyData(message, place.version);
    if (this.#namespace === null || place.version >= this.#namespace.version) this.#namespace = place;
    return applied;
  }

  #applyData(message: UmsMessage, version: number): Applied {
    const repeats = { ...nothing, repeats: message.payload.length };
    if (version < this.#version) return repeats;
    const { fields: allFields, primaryKey } = message.schema;
    const fields = allFields.slice(systemFieldCount(message.protocol.type));
    const key = keyOf(this.#wantedKey ?? primaryKey, fields);
    const initial = message.protocol.type === 'data_initial_data';
    if (initial && key === null) {
      throw invalidUms('a full pull of a table without a key cannot be merged with its stream', null);
    }
    if (version > this.#version || !sameShape(this.#fields, fields, this.#key, key)) {
      // A stretch that comes again may bring back an older shape of the same version; only news may change the shape.
      const news = version > this.#version || hasNews(message, this.#seen);
      if (news) this.#reshape(fields, key);
      else if (!initial) return repeats;
      this.#version = version;
    }
    return this.#applyRows(message, initial);
  }

  #applyRows(message: UmsMessage, initial: boolean): Applied {
    const key = this.#key;
    const counts = { rows: 0, repeats: 0, unmatched: 0 };
    for (const { row, next } of withNext(rows(message))) {
      if (row.uid > this.#seen) this.#seen = row.uid;
      // The before image of an update that leaves the key alone says nothing that the after image does not.
      if (row.op === 'b' && key !== null && next !== null && isAfterImage(row, next, key)) continue;
      const kind = row.op === 'd' || row.op === 'b' ? 'remove' : 'put';
      const outcome = this.#store.apply({ kind, uid: row.uid, values: row.values, initial });
      counts[outcome === 'applied' ? 'rows' : outcome === 'repeat' ? 'repeats' : 'unmatched'] += 1;
    }
    return { ...counts, ended: null };
  }

  #end(version: number, reason: 'truncate' | 'drop' | 'schema'): Applied {
    if (version < this.#version) return nothing;
    this.#version = version + 1;
    if (reason !== 'schema') this.#store = this.#storeOf([], this.#key);
    return { ...nothing, ended: reason };
  }

  #reshape(fields: readonly UmsField[], key: readonly string[] | null): void {
    this.#store = this.#storeOf(carry(this.#store.rows(), this.#fields, fields), key);
    this.#fields = fields;
    this.#key = key;
  }

  #storeOf(rows: Iterable<UmsValues>, key: readonly string[] | null): RowStore {
    const carried = { rows, uid: this.#seen };
    return key === null ? createBagStore(carried) : createKeyedStore(key, this.#maxTombstones, carried);
  }
}

const nothing: Applied = { rows: 0, repeats: 0, unmatched: 0, ended: null };

function keyOf(wanted: readonly string[] | undefined, fields: readonly UmsField[]): readonly string[] | null {
  if (wanted === undefined || wanted.length === 0) return null;
  for (const name of wanted) {
    if (!fields.some(field => field.name === name)) {
      throw invalidUms(`its fields lack the key column ${name}`, null);
    }
  }
  return wanted;
}

function sameShape(
  fields: readonly UmsField[],
  nextFields: readonly UmsField[],
  key: readonly string[] | null,
  nextKey: readonly string[] | null,
): boolean {
  return (
    fields.length === nextFields.length &&
    fields.every((field, index) => {
      const next = nextFields[index];
      return field.name === next?.name && field.type === next.type;
    }) &&
    JSON.stringify(key) === JSON.stringify(nextKey)
  );
}

function sameTable(a: UmsNamespace, b: UmsNamespace): boolean {
  return a.source === b.source && a.ds === b.ds && a.schema === b.schema && a.table === b.table;
}

function hasNews(message: UmsMessage, seen: bigint): boolean {
  for (const { uid } of rows(message)) if (uid > seen) return true;
  return false;
}

function* withNext(all: Iterable<UmsRow>): Generator<{ row: UmsRow; next: UmsRow | null }> {
  let row: UmsRow | null = null;
  for (const next of all) {
    if (row !== null) yield { row, next };
    row = next;
  }
  if (row !== null) yield { row, next: null };
}

function isAfterImage(before: UmsRow, next: UmsRow, key: readonly string[]): boolean {
  return (
    next.op === 'u' && next.id === before.id && keyText(key, next.values) === keyText(key, before.values)
  );
}

/** Rows in the shape of the next fields: gone columns out, new ones null, whole numbers rewritten where `int` and `long` change places. */
function* carry(
  all: Iterable<UmsValues>,
  fields: readonly UmsField[],
  nextFields: readonly UmsField[],
): Generator<UmsValues> {
  const types = new Map(fields.map(field => [field.name, field.type]));
  for (const values of all) {
    yield Object.fromEntries(
      nextFields.map(({ name, type }) => {
        const from = types.get(name);
        return [name, from === undefined ? null : recast(values[name] ?? null, from, type)];
      }),
    );
  }
}

function recast(value: UmsValue, from: UmsType, to: UmsType): UmsValue {
  if (value === null || from === to) return value;
  if (from === 'int' && (to === 'long' || to === 'decimal' || to === 'string')) return String(value);
  if (from === 'long' && to === 'int') return Number(value);
  return value;
}
