import type { Carried, RowChange, RowOutcome, RowStore } from './row-store.ts';
import type { UmsValues } from './rows.ts';

interface Entry {
  readonly values: UmsValues;
  count: number;
}

/**
 * Rows of a table without a key: each distinct row with the number of times it is there. Rows are told apart by all their values, and an
 * update takes its before image out and puts its after image in. Nothing names a row, so a repeat is known by order alone:
 * whatever is at or below the highest `ums_uid_` seen is one.
 */
export function createBagStore(carried: Carried): RowStore {
  const bag = new Map<string, Entry>();
  let seen = carried.uid;
  let size = 0;

  function put(values: UmsValues): void {
    const text = rowText(values);
    const entry = bag.get(text);
    if (entry === undefined) bag.set(text, { values, count: 1 });
    else entry.count += 1;
    size += 1;
  }

  function take(values: UmsValues): boolean {
    const text = rowText(values);
    const entry = bag.get(text);
    if (entry === undefined) return false;
    entry.count -= 1;
    if (entry.count === 0) bag.delete(text);
    size -= 1;
    return true;
  }

  for (const { values } of carried.rows) put(values);

  return {
    apply({ kind, uid, values }: RowChange): RowOutcome {
      if (uid <= seen) return 'repeat';
      seen = uid;
      if (kind === 'put') {
        put(values);
        return 'applied';
      }
      return take(values) ? 'applied' : 'unmatched';
    },
    *rows() {
      for (const { values, count } of bag.values()) {
        for (let copy = 0; copy < count; copy += 1) yield { uid: seen, values, batch: 0 };
      }
    },
    removed: () => [],
    dropBefore: () => 0,
    get size() {
      return size;
    },
    get() {
      return undefined;
    },
    knownOf: () => -1n,
    known: () => -1n,
    takeOut: ({ values }) => take(values),
  };
}

// By name, not by place: columns may change their order.
function rowText(values: UmsValues): string {
  return JSON.stringify(
    Object.keys(values)
      .sort()
      .map(name => [name, values[name]]),
  );
}
