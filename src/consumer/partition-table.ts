import type {
  UmsField,
  UmsMessage,
  UmsNextVersion,
  UmsTerminationReason,
  UmsType,
  UmsValue,
} from '../ums/types.ts';
import { createBagStore } from './bag-store.ts';
import { invalidUms } from './invalid.ts';
import { createKeyedStore, filled, keyText } from './keyed-store.ts';
import { systemFieldCount } from './read.ts';
import type { RowChange, RowOutcome, RowStore, StoredRow } from './row-store.ts';
import { rows, type UmsRow, type UmsValues } from './rows.ts';
import type { Applied, TableOptions } from './table.ts';

/** Tells the other partitions of a table that one of them removed a row; says what became of the removal in the end. */
export type TellRemoval = (change: RowChange, outcome: RowOutcome, from: PartitionTable) => RowOutcome;

/** What one partition of a result topic makes of a table: its messages in order, with stretches that come again. */
export class PartitionTable {
  readonly #wantedKey: readonly string[] | undefined;
  readonly #maxTombstones: number;
  readonly #tellRemoval: TellRemoval;
  #store: RowStore = createBagStore({ rows: [], uid: -1n });
  #fields: readonly UmsField[] = [];
  #key: readonly string[] | null = null;
  /** The version that is open; -1 before the first message. */
  #version = -1;
  /** The highest `ums_uid_` applied. */
  #seen = -1n;
  /** The newest full pull that has begun, its rows as long as the table has no key, and whether it is over. */
  #pull: { readonly batch: number; rows: StoredRow[] | null } = { batch: 0, rows: null };

  constructor({ key, maxTombstones = 100_000 }: TableOptions, tellRemoval: TellRemoval) {
    this.#wantedKey = key;
    this.#maxTombstones = maxTombstones;
    this.#tellRemoval = tellRemoval;
  }

  get store(): RowStore {
    return this.#store;
  }

  get fields(): readonly UmsField[] {
    return this.#fields;
  }

  get key(): readonly string[] | null {
    return this.#key;
  }

  /** The version that is open; -1 before the first message. */
  get version(): number {
    return this.#version;
  }

  /** The highest `ums_uid_` applied; -1 before the first. */
  get seen(): bigint {
    return this.#seen;
  }

  /** Takes a message in; `version`: as its namespace says. Errors: UMBUS_UMS_INVALID. */
  apply(message: UmsMessage, version: number): Applied {
    const { type } = message.protocol;
    if (type === 'data_increment_heartbeat') return nothing;
    if (message.schema.batch !== undefined) return this.#batch(message.schema, version);
    return type === 'data_increment_termination'
      ? this.#end(version, message.schema.reason ?? 'schema', message.schema.next)
      : this.#applyData(message, version);
  }

  #applyData(message: UmsMessage, version: number): Applied {
    const repeats = { ...nothing, repeats: message.payload.length };
    if (version < this.#version) return repeats;
    const { fields: allFields, primaryKey } = message.schema;
    const fields = allFields.slice(systemFieldCount(message.protocol.type));
    const key = keyOf(this.#wantedKey ?? primaryKey, fields);
    const initial = message.protocol.type === 'data_initial_data';
    if (version > this.#version || !sameShape(this.#fields, fields, this.#key, key)) {
      // A stretch that comes again may bring back an older shape of the same version; only news may change the shape.
      const news = version > this.#version || hasNews(message, this.#seen);
      if (news) this.#reshape(fields, key);
      else if (!initial) return repeats;
      this.#version = version;
    }
    return this.#applyRows(message, initial);
  }

  /**
   * When a pull of the whole table has ended, rows that neither it nor the stream has shown since it began are not in the source. Without a key the rows of the pull take the place of all, unless some came twice
   * or were missed.
   */
  #batch({ batch, batchId = 0 }: UmsMessage['schema'], version: number): Applied {
    if (version < this.#version || batch === undefined) return nothing;
    const { rows: pulled, batch: newest } = this.#pull;
    if (batch.state === 'begin') {
      // One that is over comes again only as a repeat.
      if (batchId > newest || pulled !== null) this.#pull = { batch: batchId, rows: [] };
      return nothing;
    }
    if (batchId === newest) this.#pull = { batch: newest, rows: null };
    if (batch.state !== 'end' || !batch.whole) return nothing;
    if (this.#key !== null) return { ...nothing, rows: this.#store.dropBefore(batchId) };
    if (pulled === null || batchId !== newest || pulled.length !== batch.rows) return nothing;
    this.#store = createBagStore({ rows: pulled, uid: this.#seen });
    return { ...nothing, rows: pulled.length };
  }

  #applyRows(message: UmsMessage, initial: boolean): Applied {
    const key = this.#key;
    if (initial && key === null) return this.#keepPulled(message);
    const counts = { rows: 0, repeats: 0, unmatched: 0 };
    /** The row whose key the update at hand changes. */
    let moved: UmsValues | undefined;
    for (const { row, next } of withNext(rows(message))) {
      if (row.uid > this.#seen) this.#seen = row.uid;
      // The before image of an update that leaves the key alone says nothing that the after image does not.
      if (row.op === 'b' && key !== null && next !== null && isAfterImage(row, next, key)) continue;
      const kind = row.op === 'd' || row.op === 'b' ? 'remove' : 'put';
      const values = row.op === 'u' ? filled(row.values, moved) : row.values;
      moved = row.op === 'b' && key !== null ? this.#store.get(key.map(name => row.values[name])) : undefined;
      const change: RowChange = { kind, uid: row.uid, values, initial, batch: message.schema.batchId ?? 0 };
      const own = this.#store.apply(change);
      const outcome = kind === 'remove' ? this.#tellRemoval(change, own, this) : own;
      counts[outcome === 'applied' ? 'rows' : outcome === 'repeat' ? 'repeats' : 'unmatched'] += 1;
    }
    return { ...counts, ended: null };
  }

  /** Keeps the rows of a pull of a table without a key until it has ended: until then they are not known to be all. */
  #keepPulled(message: UmsMessage): Applied {
    const { batch, rows: pulled } = this.#pull;
    const { batchId = 0 } = message.schema;
    if (pulled === null || batch !== batchId) return { ...nothing, repeats: message.payload.length };
    for (const { uid, values } of rows(message)) {
      if (uid > this.#seen) this.#seen = uid;
      pulled.push({ uid, values, batch });
    }
    return nothing;
  }

  #end(version: number, reason: UmsTerminationReason, next: UmsNextVersion | undefined): Applied {
    if (version < this.#version) return nothing;
    this.#pull = { ...this.#pull, rows: null };
    if (reason === 'schema' && next !== undefined) {
      this.#reshape(next.fields, keyOf(this.#wantedKey ?? next.primaryKey, next.fields));
    }
    this.#version = version + 1;
    if (reason !== 'schema' && reason !== 'reload') this.#store = this.#storeOf([], this.#key, false);
    return { ...nothing, ended: reason };
  }

  #reshape(fields: readonly UmsField[], key: readonly string[] | null): void {
    const sameKey = JSON.stringify(key) === JSON.stringify(this.#key);
    this.#store = this.#storeOf(carried(this.#store.rows(), this.#fields, fields), key, sameKey);
    this.#fields = fields;
    this.#key = key;
  }

  #storeOf(stored: Iterable<StoredRow>, key: readonly string[] | null, sameKey: boolean): RowStore {
    const removed = sameKey ? this.#store.removed() : [];
    const carried = { rows: stored, removed, uid: this.#seen };
    return key === null ? createBagStore(carried) : createKeyedStore(key, this.#maxTombstones, carried);
  }
}

/** Of a message that changed nothing. */
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

function* carried(
  all: Iterable<StoredRow>,
  fields: readonly UmsField[],
  nextFields: readonly UmsField[],
): Generator<StoredRow> {
  const types = typesOf(fields);
  for (const row of all) yield { ...row, values: inShape(row.values, types, nextFields) };
}

/** UMS types by column name. */
export function typesOf(fields: readonly UmsField[]): ReadonlyMap<string, UmsType> {
  return new Map(fields.map(field => [field.name, field.type]));
}

/** A row in the shape of the next fields: gone columns out, new ones null, whole numbers rewritten where `int` and `long` change places. */
export function inShape(
  values: UmsValues,
  types: ReadonlyMap<string, UmsType>,
  nextFields: readonly UmsField[],
): UmsValues {
  return Object.fromEntries(
    nextFields.map(({ name, type }) => {
      const from = types.get(name);
      return [name, from === undefined ? null : recast(values[name] ?? null, from, type)];
    }),
  );
}

function recast(value: UmsValue, from: UmsType, to: UmsType): UmsValue {
  if (value === null || from === to) return value;
  if (from === 'int' && (to === 'long' || to === 'decimal' || to === 'string')) return String(value);
  if (from === 'long' && to === 'int') return Number(value);
  return value;
}
