import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { MemoryPool } from '../../../src/core/memory-pool.ts';

const KB = 1024;

test('memory that was given back serves the next of about its size', () => {
  const pool = new MemoryPool(1024 * KB);
  const first = pool.take(256 * KB);
  pool.giveBack(first);
  const second = pool.take(250 * KB);
  assert.equal(second.buffer, first.buffer);
  assert.equal(second.length, 250 * KB);
});

test('memory in use is lent to nobody else', () => {
  const pool = new MemoryPool(1024 * KB);
  const taken = Array.from({ length: 5 }, () => pool.take(64 * KB).buffer);
  assert.equal(new Set(taken).size, 5);
});

test('a view of a part gives the whole back, and only once', () => {
  const pool = new MemoryPool(1024 * KB);
  const whole = pool.take(100 * KB);
  pool.giveBack(whole.subarray(10 * KB));
  pool.giveBack(whole);
  assert.equal(pool.take(100 * KB).buffer, whole.buffer);
  assert.notEqual(pool.take(100 * KB).buffer, whole.buffer);
});

test('memory of others is not taken', () => {
  const pool = new MemoryPool(1024 * KB);
  const foreign = Buffer.alloc(64 * KB);
  pool.giveBack(foreign);
  assert.notEqual(pool.take(64 * KB).buffer, foreign.buffer);
});

test('no more waits for use than the bound', () => {
  const pool = new MemoryPool(128 * KB);
  const taken = Array.from({ length: 3 }, () => pool.take(64 * KB));
  for (const each of taken) pool.giveBack(each);
  const again = new Set(Array.from({ length: 3 }, () => pool.take(64 * KB).buffer));
  assert.equal(taken.filter(each => again.has(each.buffer)).length, 2);
});
