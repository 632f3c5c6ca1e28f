import { Buffer } from 'node:buffer';
import { type BatchPlace, corruptBatch, lastOffsetOf, verifyBatch } from './batch-format.ts';
import type { Rows } from './environment.ts';
import {
  dataKey,
  EMPTY_HEAD,
  type Head,
  headKey,
  headOf,
  type IndexRow,
  indexKey,
  indexRange,
  indexRow,
  PART_BYTES,
  type PartitionKey,
} from './keys.ts';
import type { LoadedBatch } from './read-cache.ts';

/** A partition as the store knows it. */
export interface StoreKey extends PartitionKey {
  readonly topic: string;
}

/**
 * Reads batches and their index. Nothing that is returned refers to the memory map: bytes are copied out, because LMDB may reuse its pages as
 * soon as the read transaction ends, which it does in every turn of the event loop.
 */
export class BatchStore {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  head(partition: PartitionKey): Head {
    const value = this.#rows.get(headKey(partition));
    return value === undefined ? EMPTY_HEAD : headOf(value);
  }

  /** The batch with exactly this base offset, or null. Errors: UMBUS_LOG_CORRUPT. */
  load(partition: StoreKey, base: bigint): LoadedBatch | null {
    const first = this.#rows.getBinary(dataKey(partition, base, 0));
    if (first === undefined) return null;
    const place = placeOf(partition, base);
    const bytes = first.length < PART_BYTES ? asBuffer(first) : this.#join(partition, place, asBuffer(first));
    verifyBatch(bytes, place);
    return { base, last: lastOffsetOf(bytes, base), bytes };
  }

  /** The batch with the offset in it, else the first one after it, else null. Errors: UMBUS_LOG_CORRUPT. */
  find(partition: StoreKey, offset: bigint): LoadedBatch | null {
    // Whoever reads on from where a batch ended hits the next one's base.
    const exact = this.load(partition, offset);
    if (exact !== null) return exact;
    const floor = this.#first(this.indexBackward(partition, offset));
    if (floor !== null && floor.last >= offset) return this.#loadIndexed(partition, floor);
    const next = this.#first(this.index(partition, offset));
    return next === null ? null : this.#loadIndexed(partition, next);
  }

  /** Index rows from the one with base at or after `from`, upwards. Reads no batch. */
  *index(partition: PartitionKey, from = 0n, limit = Number.POSITIVE_INFINITY): Generator<IndexRow> {
    const start = indexKey(partition, from);
    const end = indexRange(partition).last;
    const options = Number.isFinite(limit) ? { start, end, limit } : { start, end };
    for (const { key, value } of this.#rows.getRange(options)) yield indexRow(asBuffer(key), asBuffer(value));
  }

  /** Index rows from the one with base at or before `from`, downwards. */
  *indexBackward(partition: PartitionKey, from?: bigint): Generator<IndexRow> {
    const { first, last } = indexRange(partition);
    const start = from === undefined ? last : indexKey(partition, from);
    // The end of a reverse range is exclusive, and base 0 is a real batch.
    const rows = this.#rows.getRange({ start, end: first.subarray(0, 9), reverse: true });
    for (const { key, value } of rows) yield indexRow(asBuffer(key), asBuffer(value));
  }

  /** The batch of an index row. Errors: UMBUS_LOG_CORRUPT when it is not there. */
  #loadIndexed(partition: StoreKey, row: IndexRow): LoadedBatch {
    const batch = this.load(partition, row.base);
    if (batch === null) throw corruptBatch(placeOf(partition, row.base), 'is missing');
    return batch;
  }

  #first(rows: Iterable<IndexRow>): IndexRow | null {
    for (const row of rows) return row;
    return null;
  }

  /** Puts the parts of a large batch together. */
  #join(partition: StoreKey, place: BatchPlace, first: Buffer): Buffer {
    let row: IndexRow | null = null;
    for (const each of this.index(partition, place.base, 1)) row = each;
    if (row === null || row.base !== place.base) throw corruptBatch(place, 'is not in the index');
    if (row.bytes === first.length) return first;
    const bytes = Buffer.allocUnsafe(row.bytes);
    first.copy(bytes);
    let filled = first.length;
    for (let part = 1; filled < row.bytes; part++) {
      const next = this.#rows.getBinary(dataKey(partition, place.base, part));
      if (next === undefined) throw corruptBatch(place, 'lacks a part');
      bytes.set(next, filled);
      filled += next.length;
    }
    return bytes;
  }
}

/** Where a batch belongs. */
export function placeOf(partition: StoreKey, base: bigint): BatchPlace {
  return { topic: partition.topic, topicId: partition.topicId, partition: partition.partition, base };
}

/** The library hands out a plain Uint8Array for some values. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
