import type { UmsField, UmsMessage, UmsValue } from '../ums/types.ts';
import { invalidUms } from './invalid.ts';
import { parseNamespace, type UmsNamespace } from './namespace.ts';
import { inShape, PartitionTable, typesOf } from './partition-table.ts';
import { readUms } from './read.ts';
import type { RowChange, RowOutcome } from './row-store.ts';
import type { UmsValues } from './rows.ts';

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
  /**
   * Takes a message of this table in. All or nothing. `partition`: the one of the topic that it was read from; it must be given when the topic's rows are placed by key, and
   * can be left out otherwise. Errors: UMBUS_UMS_INVALID, also for another table's message.
   */
  apply(message: UmsMessage | Uint8Array, partition?: number): Applied;
  /** The row with these key values in key order. */
  get(...key: readonly UmsValue[]): UmsValues | undefined;
  /** All rows, in no order. */
  rows(): Iterable<UmsValues>;
  /** Number of rows; of a table on several partitions they are counted one by one. */
  readonly size: number;
  /** Columns as of the newest message, without system columns. */
  readonly fields: readonly UmsField[];
  /** Of the newest message; null before the first. */
  readonly namespace: UmsNamespace | null;
  /** The key in use; null before the first message and for a table without one. */
  readonly key: readonly string[] | null;
}

/**
 * A table in memory, built from its messages. Applying is idempotent: any stretch of a partition may come again. Partitions may be read in any interleaving: when all have
 * been read up to one place in the source's order, the table is what it was there; while one is behind, its rows are as it has them.
 *
 * - With a key (the message's `primaryKey`, or `options.key`) the newest `ums_uid_` of a row wins; an update that changes the key
 *   removes the old row by its before image. Tombstones of deleted rows are bounded by `maxTombstones` without harm to the stream;
 *   the bound should be above the number of rows deleted during one full pull.
 * - Without a key the table is a bag of rows: updates and deletes find their row by all its values.
 * - A termination with reason `truncate` or `drop` empties the table. At a change of columns the rows stay: columns that are gone
 *   are taken out, new ones are null until the row is written again, since the server does not log the values it fills in. Without
 *   a key such a row is not found again when the server filled in something else.
 *
 * - Of a table on several partitions the newest `ums_uid_` of a key wins over all of them. A `truncate` or `drop` that one partition knows of hides the rows of the
 *   others that do not yet.
 *
 * Errors of `apply`: UMBUS_UMS_INVALID.
 */
export function createTable(options: TableOptions = {}): UmsTable {
  return new KeptTable(options);
}

class KeptTable implements UmsTable {
  readonly #options: TableOptions;
  readonly #parts = new Map<number, PartitionTable>();
  /** The partition with the newest version of the columns. */
  #front: PartitionTable | null = null;
  #namespace: UmsNamespace | null = null;
  /** The newest version that ended without rows. */
  #emptied = -1;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  get size(): number {
    if (this.#parts.size === 1) return this.#front?.store.size ?? 0;
    let size = 0;
    for (const _ of this.rows()) size += 1;
    return size;
  }

  get fields(): readonly UmsField[] {
    return this.#front?.fields ?? [];
  }

  get namespace(): UmsNamespace | null {
    return this.#namespace;
  }

  get key(): readonly string[] | null {
    return this.#front?.key ?? null;
  }

  get(...key: readonly UmsValue[]): UmsValues | undefined {
    let newest = -1n;
    let found: UmsValues | undefined;
    for (const part of this.#shown()) {
      const uid = part.store.knownOf(key);
      if (uid <= newest) continue;
      newest = uid;
      const values = part.store.get(key);
      found = values === undefined ? undefined : this.#inFrontShape(part)(values);
    }
    return found;
  }

  *rows(): Generator<UmsValues> {
    const shown = [...this.#shown()];
    for (const part of shown) {
      const others = shown.filter(other => other !== part);
      const shaped = this.#inFrontShape(part);
      for (const { uid, values } of part.store.rows()) {
        if (others.every(other => other.store.known(values) <= uid)) yield shaped(values);
      }
    }
  }

  apply(input: UmsMessage | Uint8Array, partition = 0): Applied {
    const message = input instanceof Uint8Array ? readUms(input) : input;
    const place = parseNamespace(message.schema.namespace);
    if (this.#namespace !== null && !sameTable(this.#namespace, place)) {
      throw invalidUms('it belongs to another table than the messages before it', null);
    }
    const part =
      this.#parts.get(partition) ??
      new PartitionTable(this.#options, (change, outcome, from) => this.#removed(change, outcome, from));
    const applied = part.apply(message, place.version);
    if (message.protocol.type === 'data_increment_heartbeat') return applied;
    this.#parts.set(partition, part);
    if (applied.ended === 'truncate' || applied.ended === 'drop') {
      this.#emptied = Math.max(this.#emptied, place.version);
    }
    if (this.#front === null || part.version >= this.#front.version) {
      if (part.fields.length > 0 || this.#front === null) this.#front = part;
    }
    if (this.#namespace === null || place.version >= this.#namespace.version) this.#namespace = place;
    return applied;
  }

  /** The partitions whose rows have not gone with their version. */
  *#shown(): Generator<PartitionTable> {
    for (const part of this.#parts.values()) if (part.version > this.#emptied) yield part;
  }

  #inFrontShape(part: PartitionTable): (values: UmsValues) => UmsValues {
    const front = this.#front;
    if (front === null || front.version === part.version) return values => values;
    const types = typesOf(part.fields);
    return values => inShape(values, types, front.fields);
  }

  /** A row that a partition removes may have come to another one, before its table was placed by other columns. */
  #removed(change: RowChange, outcome: RowOutcome, from: PartitionTable): RowOutcome {
    if (this.#parts.size < 2 || outcome === 'repeat') return outcome;
    const keyless = from.key === null;
    if (keyless && outcome === 'applied') return outcome;
    let result = outcome;
    for (const part of this.#parts.values()) {
      if (part === from || part.version > from.version) continue;
      if (!part.store.takeOut(change)) continue;
      result = 'applied';
      if (keyless) break;
    }
    return result;
  }
}

function sameTable(a: UmsNamespace, b: UmsNamespace): boolean {
  return a.source === b.source && a.ds === b.ds && a.schema === b.schema && a.table === b.table;
}
