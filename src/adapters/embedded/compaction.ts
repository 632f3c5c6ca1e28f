import { Buffer } from 'node:buffer';
import type { LogRecord } from '../../ports/log.ts';
import { type EncodedBatch, encodeStored } from './batch-builder.ts';
import { recordBytes, recordsOf } from './batch-format.ts';
import type { BatchStore } from './batch-store.ts';
import { putBatch, putHead, removeBatch } from './batch-writer.ts';
import type { Change } from './commit-queue.ts';
import type { Rows } from './environment.ts';
import type { IndexRow } from './keys.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** What one pass may hold of keys; a pass over more keys ends earlier and the next one goes on there. */
const MAX_KEYS = 200_000;
const MAX_KEY_BYTES = 16 * 1_048_576;
/** Batches that one transaction replaces, in stored bytes. */
const STEP_BYTES = 1_048_576;
/** Batches of at least this size in which nothing is superseded stay as they are. */
const WORTHWHILE_BYTES = 262_144;
/** A pass is worth its writing when this part of a partition is new. */
const DIRTY_RATIO = 0.5;

/** When a record is superseded. */
interface Pass {
  /** Newest offset of each key, by the key's bytes in latin1. */
  readonly newest: ReadonlyMap<string, bigint>;
  /** Offsets below this are looked at. */
  readonly end: bigint;
  readonly dropTombstonesBefore: number;
}

/**
 * Compaction of one partition, step by step: of each key the newest record stays, tombstones go after their time, records without a key stay,
 * offsets keep their numbers. The newest batch is never touched. Each yielded change replaces a few batches and is complete in itself, so a crash
 * in the middle leaves a partition that is only less compact. The caller commits each change before asking for the next; a null only gives others a turn.
 */
export function* compactionSteps(
  partition: OwnedPartition,
  dropTombstonesBefore: number,
  store: BatchStore,
  rows: Rows,
): Generator<Change | null> {
  const { bytes, compactedBytes } = partition.head;
  const dirty = bytes - compactedBytes;
  if (dirty === 0 || dirty < bytes * DIRTY_RATIO) return;
  const pass = yield* planPass(partition, dropTombstonesBefore, store);
  if (pass === null) return;
  let from = 0n;
  let livingBytes = 0;
  while (from < pass.end) {
    const step = planStep(partition, pass, from, store);
    const batches = packed(step.kept, partition);
    for (const batch of batches) livingBytes += batch.bytes.length;
    livingBytes += step.skippedBytes;
    from = step.next;
    const done = from >= pass.end ? { compacted: pass.end, compactedBytes: livingBytes } : null;
    yield step.replaced.length > 0 || done !== null
      ? changeOf(partition, step.replaced, batches, done, rows)
      : null;
  }
}

/** Finds the newest offset of each key in what was not compacted yet. */
function* planPass(
  partition: OwnedPartition,
  dropTombstonesBefore: number,
  store: BatchStore,
): Generator<null, Pass | null> {
  const { compacted } = partition.head;
  const newest = new Map<string, bigint>();
  let keyBytes = 0;
  let end = compacted;
  for (let turn = true; turn; ) {
    turn = false;
    let loaded = 0;
    for (const row of store.index(partition, end)) {
      if (row.last + 1n >= partition.latest) break;
      if (newest.size >= MAX_KEYS || keyBytes >= MAX_KEY_BYTES) break;
      const batch = store.load(partition, row.base);
      if (batch === null) break;
      for (const { key, offset } of recordsOf(batch.bytes, row.base)) {
        if (key === null) continue;
        const name = nameOf(key);
        if (!newest.has(name)) keyBytes += name.length;
        newest.set(name, offset);
      }
      end = row.last + 1n;
      loaded += row.bytes;
      if (loaded >= STEP_BYTES) {
        turn = true;
        break;
      }
    }
    yield null;
  }
  return end === compacted ? null : { newest, end, dropTombstonesBefore };
}

interface Step {
  readonly replaced: readonly IndexRow[];
  readonly kept: readonly LogRecord[];
  /** Stored bytes of batches that stay as they are. */
  readonly skippedBytes: number;
  readonly next: bigint;
}

function planStep(partition: OwnedPartition, pass: Pass, from: bigint, store: BatchStore): Step {
  const replaced: IndexRow[] = [];
  const kept: LogRecord[] = [];
  let bytes = 0;
  let next = pass.end;
  for (const row of store.index(partition, from)) {
    if (row.base >= pass.end) break;
    if (bytes > 0 && bytes + row.bytes > STEP_BYTES) {
      next = row.base;
      break;
    }
    const batch = store.load(partition, row.base);
    if (batch === null) break;
    const records = recordsOf(batch.bytes, row.base);
    const living = records.filter(record => isKept(record, pass));
    if (living.length === records.length && row.bytes >= WORTHWHILE_BYTES) {
      if (replaced.length === 0) return { replaced, kept, skippedBytes: row.bytes, next: row.last + 1n };
      next = row.base;
      break;
    }
    for (const record of living) kept.push(record);
    replaced.push(row);
    bytes += row.bytes;
  }
  return { replaced, kept, skippedBytes: 0, next };
}

function isKept({ key, value, offset, timestampMs }: LogRecord, pass: Pass): boolean {
  if (key === null) return true;
  const newest = pass.newest.get(nameOf(key));
  if (newest !== undefined && newest !== offset) return false;
  return value !== null || timestampMs >= pass.dropTombstonesBefore;
}

interface PlacedBatch extends EncodedBatch<OwnedPartition> {
  readonly base: bigint;
  readonly last: bigint;
}

function changeOf(
  partition: OwnedPartition,
  replaced: readonly IndexRow[],
  batches: readonly PlacedBatch[],
  done: { readonly compacted: bigint; readonly compactedBytes: number } | null,
  rows: Rows,
): Change {
  return {
    bytes: 0,
    guard: () => {},
    apply: group => {
      let { bytes } = partition.pending;
      for (const row of replaced) {
        removeBatch(rows, partition, row);
        bytes -= row.bytes;
      }
      for (const { bytes: batch, base, last, count, newestTimestampMs } of batches) {
        putBatch(rows, partition, batch, { base, last, count, newestTimestampMs });
        bytes += batch.length;
      }
      partition.pending = { ...partition.pending, bytes, ...done };
      group.finish(partition, () => putHead(rows, partition));
      group.onFailure(partition, () => partition.rollBack());
    },
    publish: () => {
      partition.publish();
      partition.cache.clear();
    },
    failed: () => {},
  };
}

/** Puts neighbouring survivors into few batches. Deltas are 32 bits wide, so a gap of 2^32 offsets starts a new one. */
function packed(kept: readonly LogRecord[], partition: OwnedPartition): PlacedBatch[] {
  const batches: LogRecord[][] = [];
  let open: LogRecord[] = [];
  let bytes = 0;
  for (const record of kept) {
    const first = open[0];
    const size = recordBytes(record);
    if (first !== undefined && (bytes + size > STEP_BYTES || record.offset - first.offset > 0xffff_ffffn)) {
      batches.push(open);
      open = [];
      bytes = 0;
    }
    open.push(record);
    bytes += size;
  }
  if (open.length > 0) batches.push(open);
  return batches.map(records => encodeStored(records, partition));
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
