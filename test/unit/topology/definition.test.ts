import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { buildTopology } from '../../../src/topology/build.ts';
import {
  type ConfigSchema,
  configOf,
  defineTopology,
  isTopology,
  trusted,
} from '../../../src/topology/definition.ts';
import { durationMs, scheduleOf } from '../../../src/topology/duration.ts';
import { partitionOf } from '../../../src/topology/partitioner.ts';
import { utf8 } from '../../../src/topology/serdes.ts';
import { store, topic } from '../../../src/topology/topic.ts';

const invalid = { code: 'UMBUS_TOPOLOGY_INVALID' };
const empty = { version: 1, config: trusted<null>(), build: () => {} };

test('a topology is named in lower-case words and has a version', () => {
  for (const name of ['', 'Upper', 'a_b', '-a', 'a-', 'a--b', '1a']) {
    assert.throws(() => defineTopology({ ...empty, name }), invalid, name);
  }
  assert.throws(() => defineTopology({ ...empty, name: 'a', version: 0 }), invalid);
  const topology = defineTopology({ ...empty, name: 'mysql-extractor2' });
  assert.equal(topology.guarantee, 'effectively-once');
  assert.ok(isTopology(topology));
  assert.ok(!isTopology({ name: 'x' }));
});

test('the config is checked by its schema, with every issue and its path', () => {
  const topology = defineTopology({
    ...empty,
    name: 'a',
    config: z.object({ ds: z.string(), limits: z.object({ rows: z.number().default(500) }) }),
  });
  assert.deepEqual(configOf(topology, { ds: 'shop', limits: {} }), { ds: 'shop', limits: { rows: 500 } });
  assert.throws(
    () => configOf(topology, { limits: { rows: 'x' } }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'UMBUS_CONFIG_INVALID');
      assert.match(error.message, /ds: /);
      assert.match(error.message, /limits\.rows: /);
      return true;
    },
  );
  assert.throws(() => buildTopology(topology, { ds: 1 }), { code: 'UMBUS_CONFIG_INVALID' });
});

test('an asynchronous config schema is refused', () => {
  const config: ConfigSchema<null> = {
    '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: null }) },
  };
  assert.throws(() => configOf(defineTopology({ ...empty, name: 'a', config }), null), {
    code: 'UMBUS_CONFIG_INVALID',
  });
});

test('topics and stores have names that every log accepts', () => {
  for (const name of ['', 'a b', 'a/b', '..', 'x'.repeat(250)]) {
    assert.throws(() => topic(name, utf8, utf8), invalid, name);
    assert.throws(() => store(name, utf8, utf8), invalid, name);
  }
  assert.throws(() => topic('a', utf8, utf8, { partitions: 0 }), invalid);
  const { retentionMs, partitions, cleanup } = topic('a', utf8, utf8, { retention: '7d' });
  assert.deepEqual(
    { retentionMs, partitions, cleanup },
    { retentionMs: 604_800_000, partitions: 1, cleanup: 'delete' },
  );
});

test('durations and schedules are read as written', () => {
  assert.deepEqual(
    ['200ms', '5s', '1.5m', '12h', '7d'].map(durationMs),
    [200, 5000, 90_000, 43_200_000, 604_800_000],
  );
  for (const text of ['', '5', 's', '5 s', '-1s', '1w', 'stream:'])
    assert.throws(() => durationMs(text), invalid, text);
  assert.deepEqual(scheduleOf('commit'), { kind: 'commit' });
  assert.deepEqual(scheduleOf('5s'), { kind: 'wall', everyMs: 5000 });
  assert.deepEqual(scheduleOf('stream:1m'), { kind: 'stream', everyMs: 60_000 });
  for (const text of ['0ms', 'stream:0s', 'commits', 'wall:5s'])
    assert.throws(() => scheduleOf(text), invalid, text);
});

test('keys go to the partitions where other producers of Kafka put them', () => {
  // Hashes that Kafka's own tests of murmur2 state, made positive and taken modulo 10.
  const known: readonly (readonly [string, number])[] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['abc', 479470107],
  ];
  for (const [key, hash] of known)
    assert.equal(partitionOf(Buffer.from(key), 10), (hash & 0x7fffffff) % 10, key);
  assert.equal(partitionOf(Buffer.from('any'), 1), 0);
});
