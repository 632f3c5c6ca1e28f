import type { LogRecord } from '../../ports/log.ts';
import type { Slice, StoredPartition } from '../local-log/storage.ts';
import { decodeBatch, recordsOf } from './batch-format.ts';
import type { BatchStore, StoreKey } from './batch-store.ts';
import type { Head } from './keys.ts';
import { type LoadedBatch, PartitionCache, type ReadCache } from './read-cache.ts';

/** Index rows that are looked at before the event loop gets a turn. */
const INDEX_ROWS_PER_TURN = 5000;

/** A partition of the embedded log, read from the cache or the store. What its head is, owner and reader know in different ways. */
export abstract class EmbeddedPartition implements StoredPartition, StoreKey {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  readonly cache = new PartitionCache();
  readonly #store: BatchStore;
  readonly #readCache: ReadCache;

  constructor(key: StoreKey, store: BatchStore, readCache: ReadCache) {
    this.topic = key.topic;
    this.topicId = key.topicId;
    this.partition = key.partition;
    this.#store = store;
    this.#readCache = readCache;
  }

  abstract get head(): Head;

  get earliest(): bigint {
    return this.head.earliest;
  }

  get latest(): bigint {
    return this.head.next;
  }

  get bytes(): number {
    return this.head.bytes;
  }

  read(offset: bigint, maxBytes: number): Slice {
    const records: LogRecord[] = [];
    const end = this.latest;
    let position = offset;
    let room = maxBytes;
    // Small batches are put together, so that a reader that lags behind many small commits does not get them one by one.
    while (position < end && (records.length === 0 || room > 0)) {
      const batch = this.#batchAt(position);
      if (batch === null || batch.base >= end) return { records, nextOffset: end };
      const { nextOffset, bytes } = decodeBatch(batch.bytes, batch.base, position, room, records);
      position = nextOffset;
      room -= bytes;
      if (position <= batch.last) break;
    }
    return { records, nextOffset: position };
  }

  tail(count: number): readonly LogRecord[] {
    const found: LogRecord[][] = [];
    let wanted = count;
    for (const row of this.#store.indexBackward(this)) {
      if (wanted <= 0) break;
      if (row.base >= this.latest) continue;
      const batch = this.#batchAt(row.base);
      if (batch === null) continue;
      const records = recordsOf(batch.bytes, batch.base);
      found.push(records.slice(-wanted));
      wanted -= records.length;
    }
    return found.reverse().flat();
  }

  async offsetAt(timestampMs: number): Promise<bigint> {
    let from = this.earliest;
    for (;;) {
      let rows = 0;
      for (const row of this.#store.index(this, from, INDEX_ROWS_PER_TURN)) {
        rows += 1;
        from = row.last + 1n;
        if (row.newestTimestampMs < timestampMs || row.base >= this.latest) continue;
        const batch = this.#batchAt(row.base);
        if (batch === null) continue;
        const hit = recordsOf(batch.bytes, batch.base).find(record => record.timestampMs >= timestampMs);
        if (hit !== undefined) return hit.offset;
      }
      if (rows < INDEX_ROWS_PER_TURN) return this.latest;
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  #batchAt(offset: bigint): LoadedBatch | null {
    const cached = this.#readCache.find(this.cache, offset);
    if (cached !== null) return cached;
    const found = this.#store.find(this, offset);
    if (found !== null) this.#readCache.setLastRead(this.cache, found);
    return found;
  }
}
