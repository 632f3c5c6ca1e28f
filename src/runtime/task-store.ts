import { Buffer } from 'node:buffer';
import type { OutgoingRecord } from '../ports/log.ts';
import type { Erased, ErasedStoreDef } from '../topology/graph.ts';
import { bytesOrNull, noBytes } from '../topology/serdes.ts';
import type { Store } from '../topology/types.ts';

/** Header of a changelog record: the input offsets that its state includes, as `<topic>=<next offset>` joined by `;`. */
export const AT_HEADER = 'at';

interface Entry {
  readonly key: Erased;
  readonly value: Erased;
}

/**
 * A store of one task: a map from key bytes to values. Changes since the last commit go to the changelog topic in the next one,
 * one record a key; changes of the running processor call can be taken back.
 */
export class TaskStore implements Store<Erased, Erased> {
  readonly #def: ErasedStoreDef;
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Set<string>();
  /** Key and entry before, alternating, of the changes since `begin`. */
  readonly #undo: (string | Entry | undefined)[] = [];
  #sorted: readonly string[] | null = null;

  constructor(def: ErasedStoreDef) {
    this.#def = def;
  }

  get(key: Erased): Erased {
    return this.#entries.get(this.#id(key))?.value;
  }

  set(key: Erased, value: Erased): void {
    const id = this.#id(key);
    const before = this.#entries.get(id);
    this.#undo.push(id, before);
    this.#entries.set(id, { key, value });
    this.#dirty.add(id);
    if (before === undefined) this.#sorted = null;
  }

  delete(key: Erased): void {
    const id = this.#id(key);
    const before = this.#entries.get(id);
    if (before === undefined) return;
    this.#undo.push(id, before);
    this.#entries.delete(id);
    this.#dirty.add(id);
    this.#sorted = null;
  }

  /** In the order of the key bytes, so that it does not depend on how the store came to be. Changes made meanwhile are not seen as new keys. */
  *entries(): Iterable<readonly [Erased, Erased]> {
    this.#sorted ??= [...this.#entries.keys()].sort();
    for (const id of this.#sorted) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) yield [entry.key, entry.value];
    }
  }

  /** Number of keys. */
  get size(): number {
    return this.#entries.size;
  }

  /** From here on changes can be taken back. */
  begin(): void {
    this.#undo.length = 0;
  }

  /** Takes back the changes since `begin`, newest first. The keys stay marked as changed, which costs a changelog record and harms nothing. */
  undo(): void {
    for (let index = this.#undo.length - 2; index >= 0; index -= 2) {
      const id = this.#undo[index];
      const before = this.#undo[index + 1];
      if (typeof id !== 'string') continue;
      if (before === undefined || typeof before === 'string') this.#entries.delete(id);
      else this.#entries.set(id, before);
    }
    this.#undo.length = 0;
    this.#sorted = null;
  }

  /** Whether the next commit has something to write. */
  get changed(): boolean {
    return this.#dirty.size > 0;
  }

  /** Takes the changes since the last call as changelog records. */
  takeChanges(
    topic: string,
    partition: number,
    timestampMs: number,
    at: Uint8Array,
    into: OutgoingRecord[],
  ): void {
    for (const id of this.#dirty) {
      const entry = this.#entries.get(id);
      into.push({
        topic,
        partition,
        key: Buffer.from(id, 'latin1'),
        value: entry === undefined ? null : bytesOrNull(this.#def.value.encode(entry.value)),
        timestampMs,
        headers: { [AT_HEADER]: at },
      });
    }
    this.#dirty.clear();
  }

  /** Puts a restored entry, which is not a change. `value` null is noBytes to the serde. */
  load(key: Uint8Array, value: Uint8Array | null): void {
    const id = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
    this.#entries.set(id, {
      key: this.#def.key.decode(key),
      value: this.#def.value.decode(value ?? noBytes),
    });
    this.#sorted = null;
  }

  #id(key: Erased): string {
    const bytes = this.#def.key.encode(key);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
}
