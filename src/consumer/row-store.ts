import type { UmsValues } from './rows.ts';

/** One change of one row, as a store takes it. */
export interface RowChange {
  /** `put`: the row now has these values; `remove`: a row with these values (keyed: with this key) is gone. */
  readonly kind: 'put' | 'remove';
  readonly uid: bigint;
  readonly values: UmsValues;
  /** Whether it comes from a full pull, whose rows carry the place where the pull began. */
  readonly initial: boolean;
  /** Number of the table's newest full pull when it was written. */
  readonly batch: number;
}

/** What became of a change: `unmatched` is a removal that found no such row. */
export type RowOutcome = 'applied' | 'repeat' | 'unmatched';

/** A row with the `ums_uid_` that it has its values from. */
export interface StoredRow {
  readonly uid: bigint;
  readonly values: UmsValues;
  /** That of the change. */
  readonly batch: number;
}

/** What a store begins with: what another form of the table had. */
export interface Carried {
  readonly rows: Iterable<StoredRow>;
  /** Texts of removed keys, oldest first; for a store with the same key. */
  readonly removed?: Iterable<readonly [text: string, uid: bigint]>;
  /** All that the carried rows know: stream rows of other keys at or below it are repeats. */
  readonly uid: bigint;
}

/** The rows of one table. Ignores what it has seen. */
export interface RowStore {
  apply(change: RowChange): RowOutcome;
  rows(): Iterable<StoredRow>;
  /** Texts of removed keys that are remembered, oldest first; none for a table without a key. */
  removed(): Iterable<readonly [text: string, uid: bigint]>;
  /** Drops the rows of batches before this one, which a whole full pull did not find any more; says how many. None for a table without a key. */
  dropBefore(batch: number): number;
  readonly size: number;
  /** The row with these key values; undefined without one, and always for a table without a key. */
  get(key: readonly unknown[]): UmsValues | undefined;
  /** `ums_uid_` of the newest change of the row with these key values, or with the key of these values; -1 when none is known, and always for a table without a key. */
  knownOf(key: readonly unknown[]): bigint;
  known(values: UmsValues): bigint;
  /** Removes the row that a removal on another partition means, when there is one that is older; says whether there was. */
  takeOut(change: RowChange): boolean;
}
