import { isAbsent } from '../ums/types.ts';
import type { Carried, RowChange, RowOutcome, RowStore, StoredRow } from './row-store.ts';
import type { UmsValues } from './rows.ts';

/**
 * Rows by key, newest `ums_uid_` wins, so repeats and rows that come late change nothing. A deleted key leaves a tombstone. When there
 * are more than `maxTombstones`, the oldest goes and its uid raises a floor: a stream row of an unknown key at or below the
 * floor is taken for a repeat. In-order delivery with repeats of any length, which is what the line promises, is
 * therefore applied exactly with any bound. The bound matters for a full pull only: a pulled row of a key that was deleted
 * meanwhile is told apart by its tombstone alone.
 */
export function createKeyedStore(key: readonly string[], maxTombstones: number, carried: Carried): RowStore {
  const live = new Map<string, StoredRow>();
  const tombstones = new Map<string, bigint>(carried.removed);
  let floor = carried.uid;
  for (const row of carried.rows) live.set(keyText(key, row.values), row);

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

  const knownOf = (text: string): bigint => live.get(text)?.uid ?? tombstones.get(text) ?? -1n;

  return {
    apply({ kind, uid, values, initial, batch }: RowChange): RowOutcome {
      const text = keyText(key, values);
      const known = live.get(text)?.uid ?? tombstones.get(text) ?? (initial ? -1n : floor);
      if (uid <= known) return 'repeat';
      if (kind === 'put') {
        tombstones.delete(text);
        live.set(text, { uid, values: filled(values, live.get(text)?.values), batch });
        return 'applied';
      }
      bury(text, uid);
      return live.delete(text) ? 'applied' : 'unmatched';
    },
    rows: () => live.values(),
    removed: () => tombstones,
    dropBefore(batch) {
      const before = live.size;
      for (const [text, row] of live) if (row.batch < batch) live.delete(text);
      return before - live.size;
    },
    get size() {
      return live.size;
    },
    get(wanted) {
      return live.get(textOf(wanted))?.values;
    },
    knownOf: wanted => knownOf(textOf(wanted)),
    known: values => knownOf(keyText(key, values)),
    takeOut({ uid, values }) {
      const text = keyText(key, values);
      const row = live.get(text);
      return row !== undefined && row.uid < uid && live.delete(text);
    },
  };
}

/** A row's values, with those that its image lacks as they were before. Without a row before, they stay absent. */
export function filled(values: UmsValues, before: UmsValues | undefined): UmsValues {
  if (before === undefined || !Object.values(values).some(isAbsent)) return values;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      isAbsent(value) && before[name] !== undefined ? before[name] : value,
    ]),
  );
}

/** A row's key as text. A number and its digits give the same, since a key column may widen from `int` to `long`. */
export function keyText(key: readonly string[], values: UmsValues): string {
  return textOf(key.map(name => values[name]));
}

function textOf(key: readonly unknown[]): string {
  return JSON.stringify(key.map(value => (isPlain(value) ? String(value) : (value ?? null))));
}

/** Neither null nor a mark. */
function isPlain(value: unknown): boolean {
  return value !== undefined && typeof value !== 'object';
}
