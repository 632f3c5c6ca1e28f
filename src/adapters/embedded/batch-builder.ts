import { Buffer } from 'node:buffer';
import type { MemoryPool } from '../../core/memory-pool.ts';
import { zlibCrc32 } from '../../core/zlib-crc32.ts';
import type { LogRecord, OutgoingRecord } from '../../ports/log.ts';
import {
  BATCH_HEADER_BYTES,
  recordBytes,
  type StorableRecord,
  writeBatchHeader,
  writeRecord,
} from './batch-format.ts';

/** Batches are cut at this size; one larger record is a batch of its own. Leaves room for the page header, so that a full batch takes whole pages. */
export const BATCH_BYTES = 1_048_576 - 64;

/** So much is written before it is summed: few calls, and the bytes are still in the processor's caches. */
const SUM_BYTES = 64 * 1024;

/** An encoded batch that has no place yet. */
export interface EncodedBatch<P> {
  readonly partition: P;
  readonly bytes: Buffer;
  readonly count: number;
  readonly newestTimestampMs: number;
}

interface Draft<P> {
  readonly partition: P;
  size: number;
  count: number;
  written: number;
  position: number;
  /** CRC of the records before `summed`. */
  crc: number;
  summed: number;
  firstTimestampMs: number;
  newestTimestampMs: number;
  bytes: Buffer | null;
}

/**
 * Encodes records, grouped by partition and in order, into batches: every byte is copied once, into a buffer of the right size. `partitionOf`
 * finds the partition and may throw. Errors: UMBUS_LOG_RECORD_SIZE.
 */
export function encodeOutputs<P>(
  outputs: readonly OutgoingRecord[],
  partitionOf: (topic: string, partition: number) => P,
  memory: MemoryPool,
): EncodedBatch<P>[] {
  const open = new Map<P, Draft<P>>();
  const drafts: Draft<P>[] = [];
  const draftOf: Draft<P>[] = [];
  let last: OutgoingRecord | null = null;
  let lastPartition: P | null = null;
  for (const record of outputs) {
    // Runs of records for one partition are the rule: look it up once.
    if (
      last === null ||
      lastPartition === null ||
      last.partition !== record.partition ||
      last.topic !== record.topic
    ) {
      lastPartition = partitionOf(record.topic, record.partition);
    }
    last = record;
    const size = recordBytes(record);
    let draft = open.get(lastPartition);
    if (draft === undefined || draft.size + size > BATCH_BYTES) {
      draft = newDraft(lastPartition);
      open.set(lastPartition, draft);
      drafts.push(draft);
    }
    draft.size += size;
    draft.count += 1;
    draftOf.push(draft);
  }
  for (let index = 0; index < outputs.length; index++) {
    const record = outputs[index];
    const draft = draftOf[index];
    if (record === undefined || draft === undefined) continue;
    draft.bytes ??= memory.take(draft.size);
    add(draft, draft.written, record);
  }
  return drafts.map(draft => finish(draft, draft.count - 1));
}

/** Encodes stored records, ascending and fitting into one batch, again: with gaps, counted from the first one's offset. */
export function encodeStored<P>(
  records: readonly LogRecord[],
  partition: P,
): EncodedBatch<P> & { readonly base: bigint; readonly last: bigint } {
  const draft = newDraft(partition);
  for (const record of records) draft.size += recordBytes(record);
  draft.count = records.length;
  const base = records[0]?.offset ?? 0n;
  const last = records.at(-1)?.offset ?? base;
  for (const record of records) add(draft, Number(record.offset - base), record);
  return { ...finish(draft, Number(last - base)), base, last };
}

function newDraft<P>(partition: P): Draft<P> {
  return {
    partition,
    size: BATCH_HEADER_BYTES,
    count: 0,
    written: 0,
    position: BATCH_HEADER_BYTES,
    crc: 0,
    summed: BATCH_HEADER_BYTES,
    firstTimestampMs: 0,
    newestTimestampMs: Number.NEGATIVE_INFINITY,
    bytes: null,
  };
}

function add<P>(draft: Draft<P>, delta: number, record: StorableRecord): void {
  draft.bytes ??= Buffer.allocUnsafe(draft.size);
  if (draft.written === 0) draft.firstTimestampMs = record.timestampMs;
  if (record.timestampMs > draft.newestTimestampMs) draft.newestTimestampMs = record.timestampMs;
  draft.position = writeRecord(draft.bytes, draft.position, delta, record);
  draft.written += 1;
  if (draft.position - draft.summed >= SUM_BYTES) sum(draft, draft.bytes);
}

function sum<P>(draft: Draft<P>, bytes: Buffer): void {
  draft.crc = zlibCrc32(bytes.subarray(draft.summed, draft.position), draft.crc);
  draft.summed = draft.position;
}

function finish<P>(draft: Draft<P>, lastDelta: number): EncodedBatch<P> {
  const { partition, count, firstTimestampMs, newestTimestampMs } = draft;
  const bytes = draft.bytes ?? Buffer.alloc(BATCH_HEADER_BYTES);
  sum(draft, bytes);
  writeBatchHeader(bytes, { count, lastDelta, firstTimestampMs, newestTimestampMs }, draft.crc);
  return { partition, bytes, count, newestTimestampMs };
}
