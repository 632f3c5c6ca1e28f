import { Buffer } from 'node:buffer';
import { messageOf, UmbusError } from '../core/errors.ts';
import type { Log, LogRecord, TopicPartition } from '../ports/log.ts';
import type { ErasedStoreDef } from '../topology/graph.ts';
import { AT_HEADER, TaskStore } from './task-store.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** Reads a whole partition as it stands now, in order. */
export async function readAll(
  log: Log,
  from: TopicPartition,
  signal: AbortSignal,
  take: (record: LogRecord) => void,
): Promise<void> {
  const end = await log.offset(from, 'latest');
  let offset = await log.offset(from, 'earliest');
  while (offset < end && !signal.aborted) {
    const batch = await log.read({ ...from, offset }, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
    for (const record of batch.records) if (record.offset < end) take(record);
    if (batch.nextOffset <= offset) return;
    offset = batch.nextOffset;
  }
}

/**
 * The offsets of a header `at`, or null when they are beyond what is committed: on a log without transactions a crash can leave
 * changelog records of a commit whose offsets were never written.
 */
function offsetsWithin(at: Uint8Array | undefined, committed: ReadonlyMap<string, bigint>): bigint | null {
  if (at === undefined) return null;
  let sum = 0n;
  for (const part of Buffer.from(at.buffer, at.byteOffset, at.byteLength).toString('latin1').split(';')) {
    const split = part.lastIndexOf('=');
    if (split < 0) continue;
    const offset = BigInt(part.slice(split + 1));
    const limit = committed.get(part.slice(0, split));
    if (limit === undefined || offset > limit) return null;
    sum += offset;
  }
  return sum;
}

/**
 * A store as it was at the committed offsets. Of several records of a key the one with the most input behind it counts, not the last in the
 * log: a deposed owner may have written an older state later. Throws UMBUS_TOPOLOGY_STORE naming the changelog offset.
 */
export async function restoreStore(
  log: Log,
  def: ErasedStoreDef,
  changelog: TopicPartition,
  committed: ReadonlyMap<string, bigint>,
  signal: AbortSignal,
): Promise<TaskStore> {
  const newest = new Map<string, { readonly progress: bigint; readonly record: LogRecord }>();
  await readAll(log, changelog, signal, record => {
    if (record.key === null) return;
    const progress = offsetsWithin(record.headers[AT_HEADER], committed);
    if (progress === null) return;
    const id = Buffer.from(record.key.buffer, record.key.byteOffset, record.key.byteLength).toString(
      'latin1',
    );
    const known = newest.get(id);
    if (known === undefined || progress >= known.progress) newest.set(id, { progress, record });
  });
  const store = new TaskStore(def);
  for (const { record } of newest.values()) {
    if (record.key === null || record.value === null) continue;
    try {
      store.load(record.key, record.value);
    } catch (cause) {
      throw new UmbusError(
        'UMBUS_TOPOLOGY_STORE',
        `The store '${def.name}' cannot be restored from ${changelog.topic}/${changelog.partition} at offset ${record.offset}: ${messageOf(cause)}`,
        { cause, details: { topic: changelog.topic, partition: changelog.partition, offset: record.offset } },
      );
    }
  }
  return store;
}
