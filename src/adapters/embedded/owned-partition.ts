import type { BatchStore, StoreKey } from './batch-store.ts';
import { EmbeddedPartition } from './embedded-partition.ts';
import type { Head } from './keys.ts';
import type { ReadCache } from './read-cache.ts';

/** A partition in the process that owns the log. Nobody else changes it, so its head is known without asking the store. */
export class OwnedPartition extends EmbeddedPartition {
  readonly watchers = new Set<() => void>();
  /** As durable, and as readers see it. */
  #published: Head;
  /** As it will be once everything that is being committed is durable. */
  pending: Head;

  constructor(key: StoreKey, store: BatchStore, readCache: ReadCache) {
    super(key, store, readCache);
    this.#published = store.head(key);
    this.pending = this.#published;
  }

  get head(): Head {
    return this.#published;
  }

  /** Makes what was committed visible. */
  publish(): void {
    this.#published = this.pending;
  }

  /** Forgets what failed. */
  rollBack(): void {
    this.pending = this.#published;
  }
}
