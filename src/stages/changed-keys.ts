import type { Store } from '../topology/types.ts';

/** Greater than any place. */
const BEHIND_ALL = ':';

/**
 * Where keys of tables changed last, while windows of pulls are open and one record is processed. Reads the store `changed`, and writes it in {@link commit} alone. Places are those of
 * `placeText`.
 */
export class ChangedKeys {
  readonly #store: Store<string, string>;
  readonly #now = new Map<string, string>();
  /** Tables whose keys are forgotten up to a place. */
  readonly #forgotten = new Map<string, string>();

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

  /** Forgets the keys of a table that changed before a place last; null: all. */
  forget(table: string, before: string | null): void {
    this.#forgotten.set(table, before ?? BEHIND_ALL);
  }

  /** Writes what changed, and gives how many keys are left of the tables of which some were forgotten. */
  commit(): ReadonlyMap<string, number> {
    for (const [id, place] of this.#now) this.#store.set(id, place);
    const left = new Map<string, number>();
    for (const [table, lowest] of this.#forgotten) {
      let count = 0;
      for (const [id, place] of [...this.#store.entries()]) {
        if (!id.startsWith(idOf(table, ''))) continue;
        if (place < lowest) this.#store.delete(id);
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
