import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesAhead } from '../../../src/adapters/pull/page-flight.ts';

test('one shard is written far ahead of its answers, many together not much farther, and each one at all', () => {
  assert.deepEqual([1, 3, 4, 6, 12, 100].map(pagesAhead), [8, 8, 6, 4, 2, 2]);
});
