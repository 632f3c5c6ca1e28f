import type { Buffer } from 'node:buffer';
import { MemoryPool, readMemory } from '../../core/memory-pool.ts';
import { isAlone } from './batch-format.ts';
import { Fifo } from './fifo.ts';

/** A verified batch in memory. Its bytes never change. */
export interface LoadedBatch {
  readonly base: bigint;
  readonly last: bigint;
  readonly bytes: Buffer;
}

/** The batches of one partition that are in memory: the newest ones, in order, and the one that was read last. */
export class PartitionCache {
  recent = new Fifo<LoadedBatch>();
  lastRead: LoadedBatch | null = null;

  /** Forgets everything, because the stored batches have changed. */
  clear(): void {
    this.recent = new Fifo();
    this.lastRead = null;
  }
}

interface Entry {
  readonly cache: PartitionCache;
  readonly batch: LoadedBatch;
  /** Whether it was written here, so that its memory is ours. */
  readonly own: boolean;
}

/** Memory that waits for new batches; about what a busy process has on its way, as in `memory-pool.ts`. */
const FREE_BYTES = 32 * 1_048_576;
/** What an entry costs besides its bytes, roughly. */
const ENTRY_BYTES = 200;

/**
 * Keeps what was just written, for readers in this process that follow closely and so never touch the store, and the batch each partition was
 * last read from, for readers that take it in small bites. Bounded in bytes; the oldest entry goes first. Batches stay valid when they leave.
 */
export class ReadCache {
  /** Memory of batches; it gets back what leaves the cache without having been read. */
  readonly memory = new MemoryPool(FREE_BYTES);
  readonly #limit: number;
  readonly #queue = new Fifo<Entry>();
  /** How many readers may hold a part of a batch. */
  readonly #lent = new WeakMap<LoadedBatch, number>();
  /** Batches that have left the cache, and whose memory comes back with their last reader. */
  readonly #left = new WeakSet<LoadedBatch>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Adds the newest batch of a partition. */
  addRecent(cache: PartitionCache, batch: LoadedBatch): void {
    cache.recent.push(batch);
    this.#hold({ cache, batch, own: true });
  }

  /** Remembers the batch that was read last. */
  setLastRead(cache: PartitionCache, batch: LoadedBatch): void {
    cache.lastRead = batch;
    this.#hold({ cache, batch, own: false });
  }

  /** The batch with the offset in it, or null. */
  find({ recent, lastRead }: PartitionCache, offset: bigint): LoadedBatch | null {
    const first = recent.at(0);
    if (first !== undefined && offset >= first.base) {
      let low = 0;
      let high = recent.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        const batch = recent.at(middle);
        if (batch !== undefined && batch.base <= offset) low = middle;
        else high = middle - 1;
      }
      const found = recent.at(low);
      if (found !== undefined && offset <= found.last) {
        this.#lend(found);
        return found;
      }
    }
    return lastRead !== null && offset >= lastRead.base && offset <= lastRead.last ? lastRead : null;
  }

  #lend(batch: LoadedBatch): void {
    this.#lent.set(batch, (this.#lent.get(batch) ?? 0) + 1);
    // Readers know of values, not of batches.
    if (isAlone(batch.bytes)) readMemory.lend(batch.bytes.buffer, () => this.#returned(batch));
  }

  #returned(batch: LoadedBatch): void {
    const readers = (this.#lent.get(batch) ?? 0) - 1;
    if (readers > 0) this.#lent.set(batch, readers);
    else {
      this.#lent.delete(batch);
      if (this.#left.delete(batch)) this.memory.giveBack(batch.bytes);
    }
  }

  #hold(entry: Entry): void {
    this.#queue.push(entry);
    this.#bytes += entry.batch.bytes.length + ENTRY_BYTES;
    while (this.#bytes > this.#limit) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) return;
      const { cache, batch, own } = oldest;
      this.#bytes -= batch.bytes.length + ENTRY_BYTES;
      if (cache.lastRead === batch) cache.lastRead = null;
      // Entries of one partition leave in the order they came.
      if (cache.recent.at(0) === batch) cache.recent.shift();
      if (!own) continue;
      if (this.#lent.has(batch)) this.#left.add(batch);
      else this.memory.giveBack(batch.bytes);
    }
  }
}
