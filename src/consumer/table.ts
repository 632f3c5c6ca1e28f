import { ORDINARY_PART } from '../ums/namespace.ts';
import type { UmsField, UmsMessage, UmsTerminationReason, UmsValue } from '../ums/types.ts';
import type { UmsNamespace } from './namespace.ts';
import { inShape, PartitionTable, typesOf } from './partition-table.ts';
import type { RowChange, RowOutcome } from './row-store.ts';
import type { UmsValues } from './rows.ts';

/** How a table is kept. */
export interface TableOptions {
  /**
   * Columns that name a row, instead of the message's `primaryKey`. They must be unique in the source, and when an update can change them
   * while the primary key stays, the table needs before images (`beforeImage` in the data line).
   */
  readonly key?: readonly string[];
  /** How many deleted keys are remembered; see `createTable`. Default 100,000. */
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
  readonly ended: UmsTerminationReason | null;
}

/** What a table has. */
export interface KeptRows {
  /** The row with these key values in key order; of a logical table the first that one of its tables has. */
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

/** A table as its messages leave it; a logical one has the rows of all tables that it is made of. */
export interface UmsTable extends KeptRows {
  /**
   * Takes a message of this table in. All or nothing. `partition`: the one of the topic that it was read from; it must be given when the topic's rows are placed by key, and
   * can be left out otherwise. Errors: UMBUS_UMS_INVALID, also for another table's message.
   */
  apply(message: UmsMessage | Uint8Array, partition?: number): Applied;
}

/** A table among those of a source: `schema.table`, and part 7 of its namespace. */
export interface TablePlace {
  readonly name: string;
  readonly part: string;
}

/** Rows that leave a table because it has another name now. */
export interface RenamedRows {
  readonly to: TablePlace;
  /** Where that was, in the order of `ums_uid_`. */
  readonly uid: bigint;
  readonly part: PartitionTable;
}

/** Ends that a table remembers. A partition that is read later than another by more of them would bring rows back that are gone. */
const ENDS_KEPT = 10_000;

/** One table of the source, as the messages with its part 7 leave it; see `createTable`. */
export class KeptTable implements KeptRows {
  readonly #options: TableOptions;
  readonly #tellRenamed: (rows: RenamedRows) => void;
  /** Rows that came from tables of other names, and where. */
  #adopted: readonly Omit<RenamedRows, 'to'>[] = [];
  /** Where its rows went, each once and in order: to another name, or away (null). */
  readonly #ends: { readonly uid: bigint; readonly to: TablePlace | null; readonly version: number }[] = [];
  readonly #parts = new Map<number, PartitionTable>();
  /** The partition with the newest version of the columns. */
  #front: PartitionTable | null = null;
  #namespace: UmsNamespace | null = null;
  /** The newest version that ended without rows. */
  #emptied = -1;

  /** `tellRenamed` is given the rows of a table that has another name. */
  constructor(options: TableOptions, tellRenamed: (rows: RenamedRows) => void = () => {}) {
    this.#options = options;
    this.#tellRenamed = tellRenamed;
  }

  get size(): number {
    if (this.#parts.size === 1 && this.#adopted.length === 0) return this.#front?.store.size ?? 0;
    let size = 0;
    for (const _ of this.rows()) size += 1;
    return size;
  }

  get fields(): readonly UmsField[] {
    return this.#shape?.fields ?? [];
  }

  get namespace(): UmsNamespace | null {
    return this.#namespace;
  }

  get key(): readonly string[] | null {
    return this.#shape?.key ?? null;
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

  /** Takes a message of this table in, which is no heartbeat; `place`: its namespace. Errors: UMBUS_UMS_INVALID. */
  apply(message: UmsMessage, place: UmsNamespace, partition: number): Applied {
    const known = this.#parts.get(partition);
    const part = this.#rowsAway(message, place.version, known) ?? known ?? this.#newPart();
    const applied = part.apply(message, place.version);
    this.#parts.set(partition, part);
    if (applied.ended === 'truncate' || applied.ended === 'drop') {
      this.#emptied = Math.max(this.#emptied, place.version);
      this.#emptyAt(uidOf(message) ?? part.seen, place.version);
    }
    if (this.#front === null || part.version >= this.#front.version) {
      if (part.fields.length > 0 || this.#front === null) this.#front = part;
    }
    if (this.#namespace === null || place.version >= this.#namespace.version) this.#namespace = place;
    return applied;
  }

  /** Takes rows that had another name until then. They may have gone on from here already. */
  adopt({ uid, part }: Omit<RenamedRows, 'to'>): void {
    const end = this.#ends.find(each => each.uid > uid);
    if (end === undefined) this.#adopted = [...this.#adopted, { uid, part }];
    else if (end.to !== null) this.#tellRenamed({ to: end.to, uid: end.uid, part });
  }

  #newPart(): PartitionTable {
    return new PartitionTable(this.#options, (change, outcome, from) => this.#removed(change, outcome, from));
  }

  /** Hands the rows of a partition on when the message says that the table has another name; gives a part without rows for it then. */
  #rowsAway(message: UmsMessage, version: number, part: PartitionTable | undefined): PartitionTable | null {
    const { reason, renamedTo, renamedPart = ORDINARY_PART } = message.schema;
    if (reason !== 'rename' || (part !== undefined && version < part.version)) return null;
    const uid = uidOf(message) ?? part?.seen ?? -1n;
    const leaving = this.#adopted.filter(each => each.uid < uid);
    this.#adopted = this.#adopted.filter(each => each.uid >= uid);
    const to = renamedTo === undefined ? null : { name: renamedTo, part: renamedPart };
    this.#noteEnd(uid, to, version);
    if (to !== null) {
      for (const { part: adopted } of leaving) this.#tellRenamed({ to, uid, part: adopted });
      // Another partition may know of a later version without rows: that is not of these, which this one would have emptied itself.
      if (part !== undefined) this.#tellRenamed({ to, uid, part });
    }
    if (this.#front === part) this.#front = null;
    return this.#newPart();
  }

  #emptyAt(uid: bigint, version: number): void {
    this.#noteEnd(uid, null, version);
    this.#adopted = this.#adopted.filter(each => each.uid > uid);
  }

  #noteEnd(uid: bigint, to: TablePlace | null, version: number): void {
    const at = this.#ends.findLastIndex(end => end.uid <= uid) + 1;
    if (this.#ends[at - 1]?.uid === uid) return;
    this.#ends.splice(at, 0, { uid, to, version });
    if (this.#ends.length > ENDS_KEPT) this.#ends.shift();
  }

  /** The part whose columns the table has: rows that came later from another name have newer ones. */
  get #shape(): PartitionTable | null {
    let newest: Omit<RenamedRows, 'to'> | null = null;
    for (const each of this.#adopted) {
      if (each.part.fields.length === 0) continue;
      const newer = newest === null || each.uid > newest.uid;
      if (newer || (each.uid === newest?.uid && each.part.version >= newest.part.version)) newest = each;
    }
    const front = this.#front;
    if (newest === null) return front;
    return front === null || front.fields.length === 0 || front.seen < newest.uid ? newest.part : front;
  }

  /** The partitions whose rows have not gone with their version, and the rows that came from elsewhere. */
  *#shown(): Generator<PartitionTable> {
    for (const part of this.#parts.values()) if (part.version > this.#emptied) yield part;
    for (const { part } of this.#adopted) yield part;
  }

  #inFrontShape(part: PartitionTable): (values: UmsValues) => UmsValues {
    const front = this.#shape;
    if (front === null || front === part) return values => values;
    if (this.#adopted.length === 0 && front.version === part.version) return values => values;
    const types = typesOf(part.fields);
    return values => inShape(values, types, front.fields);
  }

  /** A row that a partition removes may have come to another one, before its table was placed by other columns. */
  #removed(change: RowChange, outcome: RowOutcome, from: PartitionTable): RowOutcome {
    if (this.#parts.size + this.#adopted.length < 2 || outcome === 'repeat') return outcome;
    const keyless = from.key === null;
    if (keyless && outcome === 'applied') return outcome;
    let result = outcome;
    // Partitions that are behind may have rows of a table that had this name before.
    const since = this.#ends.findLast(end => end.uid < change.uid)?.version ?? -1;
    const own = [...this.#parts.values()].filter(
      part => part !== from && part.version <= from.version && part.version > since,
    );
    // What came here after the removal is not meant by it.
    const adopted = this.#adopted.filter(each => each.uid < change.uid);
    for (const part of [...own, ...adopted.map(each => each.part)]) {
      if (!part.store.takeOut(change)) continue;
      result = 'applied';
      if (keyless) break;
    }
    return result;
  }
}

function uidOf({ schema: { uid } }: UmsMessage): bigint | null {
  return uid === undefined ? null : BigInt(uid);
}
