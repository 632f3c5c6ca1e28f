import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartitionCache, ReadCache } from '../../../src/adapters/embedded/read-cache.ts';

const BATCH_BYTES = 256 * 1024;

/** A cache for two batches, with two in it. */
function filled() {
  const cache = new ReadCache(2 * BATCH_BYTES + 1024);
  const partition = new PartitionCache();
  const add = (base: bigint) => {
    const batch = { base, last: base, bytes: cache.memory.take(BATCH_BYTES) };
    cache.addRecent(partition, batch);
    return batch;
  };
  const first = add(0n);
  add(1n);
  return { cache, partition, add, first };
}

test('memory of a batch that nobody has read is used for the next one', () => {
  const { cache, add, first } = filled();
  add(2n);
  assert.equal(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
});

test('memory of a batch that was read is never used again, for the reader may hold it', () => {
  const { cache, partition, add, first } = filled();
  assert.equal(cache.find(partition, 0n), first);
  add(2n);
  assert.equal(cache.find(partition, 0n), null);
  assert.notEqual(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
});
