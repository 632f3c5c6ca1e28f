import type { UmsValues } from './rows.ts';

/** One change of one row, as a store takes it. */
export interface RowChange {
  /** `put`: the row now has these values; `remove`: a row with these values (keyed: with this key) is gone. */
  readonly kind: 'put' | 'remove';
  readonly uid: bigint;
  readonly values: UmsValues;
  /** Whether it comes from a full pull, whose rows carry the place where the pull began. */
  readonly initial: boolean;
}

/** What became of a change: `unmatched` is a removal that found no such row. */
export type RowOutcome = 'applied' | 'repeat' | 'unmatched';

/** The rows of one table. Ignores what it has seen. */
export interface RowStore {
  apply(change: RowChange): RowOutcome;
  rows(): Iterable<UmsValues>;
  readonly size: number;
  /** The row with these key values; undefined without one, and always for a table without a key. */
  get(key: readonly unknown[]): UmsValues | undefined;
}
