import type { TopicSpec } from '../../ports/log.ts';
import type { BatchStore } from './batch-store.ts';
import { putHead, removeBatch } from './batch-writer.ts';
import type { Change } from './commit-queue.ts';
import type { Rows } from './environment.ts';
import type { IndexRow } from './keys.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** Batches that one step removes at most. */
const BATCHES_PER_STEP = 512;

/**
 * The next step of retention for a partition: removes whole batches from the front that are too old or too much. Null when there is nothing to
 * do. The newest batch always stays, so that who resumes from the tail finds one, however long nothing was written.
 */
export function retentionStep(
  partition: OwnedPartition,
  spec: TopicSpec,
  now: number,
  store: BatchStore,
  rows: Rows,
): Change | null {
  if (spec.retentionMs === null && spec.retentionBytes === null) return null;
  const remove: IndexRow[] = [];
  let { bytes } = partition.pending;
  let kept: IndexRow | null = null;
  for (const row of store.index(partition, 0n, BATCHES_PER_STEP + 1)) {
    kept = row;
    const tooOld = spec.retentionMs !== null && row.newestTimestampMs < now - spec.retentionMs;
    const tooMuch = spec.retentionBytes !== null && bytes - row.bytes >= spec.retentionBytes;
    const newest = row.last + 1n >= partition.latest;
    if ((!tooOld && !tooMuch) || newest || remove.length === BATCHES_PER_STEP) break;
    remove.push(row);
    bytes -= row.bytes;
  }
  if (remove.length === 0 || kept === null) return null;
  const earliest = kept.base;
  return {
    bytes: 0,
    guard: () => {},
    apply: group => {
      let removed = 0;
      for (const row of remove) {
        removeBatch(rows, partition, row);
        removed += row.bytes;
      }
      partition.pending = { ...partition.pending, earliest, bytes: partition.pending.bytes - removed };
      group.finish(partition, () => putHead(rows, partition));
      group.onFailure(partition, () => partition.rollBack());
    },
    publish: () => partition.publish(),
    failed: () => {},
  };
}
