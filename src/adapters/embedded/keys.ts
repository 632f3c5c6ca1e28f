/**
 * Keys and small values of the `log` database. Numbers are big-endian, so that keys sort by them.
 *
 *     data    1 · topic id u32 · partition u32 · base offset u64 · part u16   ->  bytes of the batch (batch-format.ts), a part at most 1 MB
 *     index   2 · topic id u32 · partition u32 · base offset u64              ->  last offset u64 · stored bytes u32 · records u32 · newest timestamp f64
 *     head    3 · topic id u32 · partition u32                                ->  earliest u64 · next u64 · stored bytes u64 · compacted up to u64 · of it bytes u64
 *     offset  4 · group in UTF-8 · 0 · topic id u32 · partition u32           ->  offset u64 · metadata in UTF-8
 */
import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';

const DATA = 1;
const INDEX = 2;
const HEAD = 3;
const OFFSET = 4;

/** Largest value of a data row. A run of this many bytes and its page header fill whole pages. */
export const PART_BYTES = 1_048_576 - 64;

/** Longest group name, in UTF-8 bytes: keys of the store are limited. */
const MAX_GROUP_BYTES = 1000;

/** What keys need of a partition. */
export interface PartitionKey {
  readonly topicId: number;
  readonly partition: number;
}

function partitionKey(kind: number, { topicId, partition }: PartitionKey, bytes: number): Buffer {
  const key = Buffer.allocUnsafe(bytes);
  key[0] = kind;
  key.writeUInt32BE(topicId, 1);
  key.writeUInt32BE(partition, 5);
  return key;
}

/** Key of one part of a batch. */
export function dataKey(partition: PartitionKey, base: bigint, part: number): Buffer {
  const key = partitionKey(DATA, partition, 19);
  key.writeBigUInt64BE(base, 9);
  key.writeUInt16BE(part, 17);
  return key;
}

/** Key of a batch's index row. */
export function indexKey(partition: PartitionKey, base: bigint): Buffer {
  const key = partitionKey(INDEX, partition, 17);
  key.writeBigUInt64BE(base, 9);
  return key;
}

/** First and last possible index key of a partition. */
export function indexRange(partition: PartitionKey): { first: Buffer; last: Buffer } {
  return { first: indexKey(partition, 0n), last: indexKey(partition, 0xffff_ffff_ffff_ffffn) };
}

/** One batch as the index knows it. */
export interface IndexRow {
  readonly base: bigint;
  readonly last: bigint;
  readonly bytes: number;
  readonly count: number;
  readonly newestTimestampMs: number;
}

/** Encodes an index row. */
export function indexValue(row: IndexRow): Buffer {
  const value = Buffer.allocUnsafe(24);
  value.writeBigUInt64BE(row.last, 0);
  value.writeUInt32BE(row.bytes, 8);
  value.writeUInt32BE(row.count, 12);
  value.writeDoubleBE(row.newestTimestampMs, 16);
  return value;
}

/** Decodes {@link indexKey} and {@link indexValue}. */
export function indexRow(key: Buffer, value: Buffer): IndexRow {
  return {
    base: key.readBigUInt64BE(9),
    last: value.readBigUInt64BE(0),
    bytes: value.readUInt32BE(8),
    count: value.readUInt32BE(12),
    newestTimestampMs: value.readDoubleBE(16),
  };
}

/** Key of a partition's head. */
export function headKey(partition: PartitionKey): Buffer {
  return partitionKey(HEAD, partition, 9);
}

/** What is known of a partition as a whole. */
export interface Head {
  readonly earliest: bigint;
  readonly next: bigint;
  readonly bytes: number;
  /** Offsets below this have been compacted. */
  readonly compacted: bigint;
  /** Stored bytes of them. */
  readonly compactedBytes: number;
}

/** The head of a partition that never had a record. */
export const EMPTY_HEAD: Head = { earliest: 0n, next: 0n, bytes: 0, compacted: 0n, compactedBytes: 0 };

/** Encodes a head. */
export function headValue(head: Head): Buffer {
  const value = Buffer.allocUnsafe(40);
  value.writeBigUInt64BE(head.earliest, 0);
  value.writeBigUInt64BE(head.next, 8);
  value.writeBigUInt64BE(BigInt(head.bytes), 16);
  value.writeBigUInt64BE(head.compacted, 24);
  value.writeBigUInt64BE(BigInt(head.compactedBytes), 32);
  return value;
}

/** Decodes {@link headValue}. */
export function headOf(value: Buffer): Head {
  return {
    earliest: value.readBigUInt64BE(0),
    next: value.readBigUInt64BE(8),
    bytes: Number(value.readBigUInt64BE(16)),
    compacted: value.readBigUInt64BE(24),
    compactedBytes: Number(value.readBigUInt64BE(32)),
  };
}

/** Key of a committed offset. Errors: UMBUS_LOG_RECORD_SIZE for a group name that is too long. */
export function offsetKey(group: string, { topicId, partition }: PartitionKey): Buffer {
  const name = groupBytes(group);
  const key = Buffer.allocUnsafe(name.length + 10);
  key[0] = OFFSET;
  name.copy(key, 1);
  key[name.length + 1] = 0;
  key.writeUInt32BE(topicId, name.length + 2);
  key.writeUInt32BE(partition, name.length + 6);
  return key;
}

/** The bounds of all committed offsets. */
export function offsetRange(): { first: Buffer; last: Buffer } {
  return { first: Buffer.from([OFFSET]), last: Buffer.from([OFFSET + 1]) };
}

/** Decodes {@link offsetKey}. */
export function offsetKeyOf(key: Buffer): PartitionKey & { readonly group: string } {
  const end = key.length - 9;
  return {
    group: key.toString('utf8', 1, end),
    topicId: key.readUInt32BE(end + 1),
    partition: key.readUInt32BE(end + 5),
  };
}

/** Encodes a committed offset. */
export function offsetValue(offset: bigint, metadata: string): Buffer {
  const value = Buffer.allocUnsafe(8 + Buffer.byteLength(metadata));
  value.writeBigUInt64BE(offset, 0);
  value.write(metadata, 8, 'utf8');
  return value;
}

/** Decodes {@link offsetValue}. */
export function offsetValueOf(value: Buffer): { readonly offset: bigint; readonly metadata: string } {
  return { offset: value.readBigUInt64BE(0), metadata: value.toString('utf8', 8) };
}

function groupBytes(group: string): Buffer {
  const bytes = Buffer.from(group, 'utf8');
  if (bytes.length === 0 || bytes.length > MAX_GROUP_BYTES || bytes.includes(0)) {
    throw new UmbusError(
      'UMBUS_LOG_RECORD_SIZE',
      `A group name must have 1 to ${MAX_GROUP_BYTES} bytes and no zero byte; this one has ${bytes.length}.`,
    );
  }
  return bytes;
}
