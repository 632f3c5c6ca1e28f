import type { Buffer } from 'node:buffer';
import { sealBatch } from './batch-format.ts';
import { placeOf, type StoreKey } from './batch-store.ts';
import type { Rows } from './environment.ts';
import {
  dataKey,
  headKey,
  headValue,
  type IndexRow,
  indexKey,
  indexValue,
  PART_BYTES,
  type PartitionKey,
} from './keys.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** Seals a batch for its place and puts its parts and its index row. The bytes belong to the store until the transaction has ended. */
export function putBatch(rows: Rows, partition: StoreKey, bytes: Buffer, row: Omit<IndexRow, 'bytes'>): void {
  sealBatch(bytes, placeOf(partition, row.base));
  for (let part = 0, at = 0; at < bytes.length; part++, at += PART_BYTES) {
    rows.put(dataKey(partition, row.base, part), bytes.subarray(at, at + PART_BYTES));
  }
  rows.put(indexKey(partition, row.base), indexValue({ ...row, bytes: bytes.length }));
}

/** Removes a batch and its index row. */
export function removeBatch(rows: Rows, partition: PartitionKey, row: IndexRow): void {
  for (let part = 0, at = 0; at < row.bytes; part++, at += PART_BYTES) {
    rows.remove(dataKey(partition, row.base, part));
  }
  rows.remove(indexKey(partition, row.base));
}

/** Writes what the partition's head is going to be. */
export function putHead(rows: Rows, partition: OwnedPartition): void {
  rows.put(headKey(partition), headValue(partition.pending));
}
