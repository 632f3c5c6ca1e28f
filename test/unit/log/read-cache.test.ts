import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { encodeOutputs } from '../../../src/adapters/embedded/batch-builder.ts';
import { decodeBatch } from '../../../src/adapters/embedded/batch-format.ts';
import { PartitionCache, ReadCache } from '../../../src/adapters/embedded/read-cache.ts';
import { readMemory } from '../../../src/core/memory-pool.ts';
import type { LogRecord } from '../../../src/ports/log.ts';

const BATCH_BYTES = 256 * 1024;

/** A cache for two batches of so many records each, with two in it. */
function filled(records = 1) {
  const cache = new ReadCache(2 * BATCH_BYTES + 1024);
  const partition = new PartitionCache();
  const add = (base: bigint) => {
    const outputs = Array.from({ length: records }, () => ({
      topic: 't',
      partition: 0,
      key: Buffer.from('key'),
      value: Buffer.alloc(Math.floor((BATCH_BYTES - 1024) / records)),
      timestampMs: 0,
      headers: { seq: Buffer.from('seq') },
    }));
    const [encoded] = encodeOutputs(outputs, () => 't', cache.memory);
    const batch = { base, last: base, bytes: encoded?.bytes ?? assert.fail() };
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

/** The first record of a batch, as a reader gets it. */
function read({ base, bytes }: { readonly base: bigint; readonly bytes: Buffer }): LogRecord {
  const records: LogRecord[] = [];
  decodeBatch(bytes, base, base, 1, records);
  return records[0] ?? assert.fail();
}

test('memory of a record is used again once its reader has given it back, and key and headers stay', () => {
  const { cache, partition, add, first } = filled();
  cache.find(partition, 0n);
  const { key, value, headers } = read(first);
  add(2n);
  assert.notEqual(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
  readMemory.giveBack(value ?? assert.fail());
  const again = cache.memory.take(BATCH_BYTES);
  assert.equal(again.buffer, first.bytes.buffer);
  again.fill(0xff);
  assert.equal(String(key), 'key');
  assert.equal(String(headers['seq']), 'seq');
});

test('memory that was given back is kept as long as the cache has its batch', () => {
  const { cache, partition, add, first } = filled();
  cache.find(partition, 0n);
  readMemory.giveBack(read(first).value ?? assert.fail());
  assert.notEqual(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
  add(2n);
  assert.equal(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
});

test('memory that two read waits for both', () => {
  const { cache, partition, add, first } = filled();
  cache.find(partition, 0n);
  cache.find(partition, 0n);
  const { value } = read(first);
  add(2n);
  readMemory.giveBack(value ?? assert.fail());
  assert.notEqual(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
  readMemory.giveBack(value ?? assert.fail());
  assert.equal(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
});

test('memory that several records share does not come back with one of them', () => {
  const { cache, partition, add, first } = filled(2);
  cache.find(partition, 0n);
  add(2n);
  readMemory.giveBack(read(first).value ?? assert.fail());
  assert.notEqual(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
});

test('memory of a batch that was read is not used again as long as the reader may hold it', () => {
  const { cache, partition, add, first } = filled();
  assert.equal(cache.find(partition, 0n), first);
  add(2n);
  assert.equal(cache.find(partition, 0n), null);
  assert.notEqual(cache.memory.take(BATCH_BYTES).buffer, first.bytes.buffer);
});
