import type { Store } from '../topology/types.ts';

/**
 * Where keys of tables changed last, while windows of pulls are open and one record is processed. Reads the store `changed`, and writes it in {@link commit} alone. Places are those of
 * `placeText`.
 */
export class ChangedKeys {
  readonly #store: Store<string, string>;
  readonly #now = new Map<string, string>();
  /** Tables of which keys may not be needed any more. */
  readonly #closed = new Set<string>();

  constructor(store: Store<string, string>) {
    this.#store = store;
  }

  /** Notes that a key of a table changed; whether it is the first time that is known. */
  note(table: string, text: string, place: string): boolean {
    const id = idOf(table, text);
    const isNew = !this.#now.has(id) && this.#store.get(id) === undefined;
    this.#now.set(id, place);
    return isNew;
  }

  /** Where a key changed last; undefined when that is not known. */
  lastOf(table: string, text: string): string | undefined {
    const id = idOf(table, text);
    return this.#now.get(id) ?? this.#store.get(id);
  }

  /** A window of a table has closed, so that some keys may not be needed any more. */
  closed(table: string): void {
    this.#closed.add(table);
  }

  /**
   * Writes what changed, forgets what no open window needs, and gives how many keys are left of the tables of which a window has closed. `lowest`: the first place that an open window of a table needs, when
   * all of the record has passed: another one may have opened behind the one that closed; null when none is open.
   */
  commit(lowest: (table: string) => string | null): ReadonlyMap<string, number> {
    for (const [id, place] of this.#now) this.#store.set(id, place);
    const left = new Map<string, number>();
    for (const table of this.#closed) {
      const first = lowest(table);
      let count = 0;
      for (const [id, place] of [...this.#store.entries()]) {
        if (!id.startsWith(idOf(table, ''))) continue;
        if (first === null || place < first) this.#store.delete(id);
        else count++;
      }
      left.set(table, count);
    }
    return left;
  }
}

function idOf(table: string, text: string): string {
  return `${table}\0${text}`;
}
