import type { RowChange, RowOutcome, RowStore } from './row-store.ts';
import type { UmsValues } from './rows.ts';

interface Entry {
  readonly uid: bigint;
  readonly values: UmsValues;
}

/** What a keyed store begins with: rows carried over from another form of the table. */
export interface Carried {
  readonly rows: Iterable<UmsValues>;
  /** All that the carried rows know: stream rows at or below it are repeats. */
  readonly uid: bigint;
}

/**
 * Rows by key, newest `ums_uid_` wins, so repeats and rows that come late change nothing. A deleted key leaves a tombstone. When there
 * are more than `maxTombstones`, the oldest goes and its uid raises a floor: a stream row of an unknown key at or below the
 * floor is taken for a repeat. In-order delivery with repeats of any length, which is what the line promises, is
 * therefore applied exactly with any bound. The bound matters for a full pull only: a pulled row of a key that was deleted
 * meanwhile is told apart by its tombstone alone.
 */
export function createKeyedStore(key: readonly string[], maxTombstones: number, carried: Carried): RowStore {
  const live = new Map<string, Entry>();
  const tombstones = new Map<string, bigint>();
  let floor = carried.uid;
  for (const values of carried.rows) live.set(keyText(key, values), { uid: carried.uid, values });

  function bury(text: string, uid: bigint): void {
    tombstones.delete(text);
    tombstones.set(text, uid);
    if (tombstones.size <= maxTombstones) return;
    for (const [oldest, oldestUid] of tombstones) {
      tombstones.delete(oldest);
      if (oldestUid > floor) floor = oldestUid;
      break;
    }
  }

  return {
    apply({ kind, uid, values, initial }: RowChange): RowOutcome {
      const text = keyText(key, values);
      const known = live.get(text)?.uid ?? tombstones.get(text) ?? (initial ? -1n : floor);
      if (uid <= known) return 'repeat';
      if (kind === 'put') {
        tombstones.delete(text);
        live.set(text, { uid, values });
        return 'applied';
      }
      bury(text, uid);
      return live.delete(text) ? 'applied' : 'unmatched';
    },
    *rows() {
      for (const { values } of live.values()) yield values;
    },
    get size() {
      return live.size;
    },
    get(wanted) {
      return live.get(textOf(wanted))?.values;
    },
  };
}

/** A row's key as text. A number and its digits give the same, since a key column may widen from `int` to `long`. */
export function keyText(key: readonly string[], values: UmsValues): string {
  return textOf(key.map(name => values[name]));
}

function textOf(key: readonly unknown[]): string {
  return JSON.stringify(key.map(value => (value === null || value === undefined ? null : String(value))));
}
