import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FREE,
  type PullControl,
  type PullCounts,
  type PullRecord,
} from '../../../src/adapters/pull/pull-cells.ts';
import { type PullSeen, pullSamples, pullsSeen } from '../../../src/cli/telemetry/pull-samples.ts';

const NOW = 1_767_631_860_000;

function record(table: string, some: Partial<PullRecord>): PullRecord {
  return {
    job: {
      pull: table,
      schema: 'shop',
      table,
      condition: null,
      columns: [],
      mode: 'watermark',
      to: null,
      splitBy: [],
      shardRows: 1000,
      askedMs: NOW - 60_000,
    },
    status: 'pulling',
    batchId: 1,
    rowsEstimate: 5_000,
    shards: 5,
    startedMs: NOW - 50_000,
    endedMs: null,
    rows: null,
    failure: null,
    ...some,
  };
}

function open(
  table: string,
  some: Partial<PullRecord>,
  counts: PullCounts | null,
  control: Partial<PullControl> = {},
  waits: string | null = null,
): PullSeen {
  const burden = { threadsRunning: 1, replicationLagMs: null, lineLagMs: 0, waits, atMs: NOW - 500 };
  return { record: record(table, some), counts, control: { ...FREE, ...control }, burden };
}

const over = (table: string, some: Partial<PullRecord>): PullSeen => ({
  record: record(table, { endedMs: NOW, ...some }),
  counts: null,
  control: null,
  burden: null,
});

function valuesOf(
  pulls: readonly PullSeen[],
  maxTables = 10,
  held: ReadonlyMap<string, number> = new Map(),
): Readonly<Record<string, number>> {
  const values = [...pullSamples(pulls, NOW, maxTables, held)].map(({ metric, labels, value }) => {
    const name = metric.name.replace(/^umbus_pull_/, '');
    return [[name, ...Object.values(labels)].join(' '), value] as const;
  });
  assert.equal(new Set(values.map(([name]) => name)).size, values.length, 'a series is given once');
  return Object.fromEntries(values);
}

test('a line without pulls says so', () => {
  assert.deepEqual(valuesOf([]), {
    'open_pulls waiting': 0,
    'open_pulls splitting': 0,
    'open_pulls pulling': 0,
    'open_pulls paused': 0,
    'ended_pulls whole': 0,
    'ended_pulls cancelled': 0,
    'ended_pulls failed': 0,
    throttled_pulls: 0,
    held_pulls: 0,
  });
});

test('pulls are counted by what they do, and by how they ended', () => {
  const refused = { code: 'UMBUS_PULL_CHANGED', message: 'It changed.' } as const;
  const values = valuesOf([
    open('a', { status: 'init', startedMs: null, shards: null, rowsEstimate: 0 }, null),
    open('b', { status: 'splitting', shards: null }, { rows: 1_500, done: 1, atMs: NOW - 2_000 }),
    open('c', {}, { rows: 4_000, done: 4, atMs: NOW - 3_000 }, { rowsPerSecond: 10 }, 'the source is busy'),
    open('d', {}, null, { state: 'pause' }),
    over('e', { status: 'ending', rows: 5_000 }),
    over('f', { status: 'abort', failure: { code: 'UMBUS_PULL_CANCELLED', message: 'Cancelled.' } }),
    over('g', { status: 'abort', failure: refused }),
  ]);
  assert.deepEqual(
    ['waiting', 'splitting', 'pulling', 'paused'].map(state => values[`open_pulls ${state}`]),
    [1, 1, 1, 1],
  );
  assert.deepEqual(
    ['whole', 'cancelled', 'failed'].map(state => values[`ended_pulls ${state}`]),
    [1, 1, 1],
  );
  assert.deepEqual([values['throttled_pulls'], values['held_pulls']], [1, 1]);
  const ofTable = (table: string): readonly (number | undefined)[] =>
    [
      `table_shards shop.${table} asked`,
      `table_shards shop.${table} done`,
      `table_rows shop.${table} published`,
      `table_rows shop.${table} estimated`,
      `table_age_seconds shop.${table}`,
      `table_idle_seconds shop.${table}`,
    ].map(name => values[name]);
  assert.deepEqual(ofTable('a'), [0, 0, 0, 0, 60, 0]);
  assert.deepEqual(ofTable('b'), [1, 1, 1_500, 5_000, 60, 2]);
  assert.deepEqual(ofTable('c'), [5, 4, 4_000, 5_000, 60, 3]);
  assert.deepEqual(ofTable('d'), [5, 0, 0, 5_000, 60, 0], 'a paused one is not idle');
  assert.ok(
    !Object.keys(values).some(name => /shop\.[efg]/.test(name)),
    'what is over has no values by table',
  );
});

test('tables beyond the bound are added up', () => {
  const counts = { rows: 10, done: 1, atMs: NOW };
  const values = valuesOf(
    ['a', 'b', 'c'].map(table => open(table, {}, counts)),
    1,
  );
  assert.equal(values['table_rows shop.a published'], 10);
  assert.equal(values['table_rows (others) published'], 20);
  assert.equal(values['table_rows shop.b published'], undefined);
});

test('what waits for the pull of a table is told by table, and added up with the others', () => {
  const counts = { rows: 10, done: 1, atMs: NOW };
  const values = valuesOf(
    ['a', 'b', 'c'].map(table => open(table, {}, counts)),
    1,
    new Map([
      ['shop.a', 5],
      ['shop.c', 7],
      ['shop.over', 9],
    ]),
  );
  assert.equal(values['table_held_bytes shop.a'], 5);
  assert.equal(values['table_held_bytes (others)'], 7);
  assert.equal(valuesOf([open('a', {}, counts)])['table_held_bytes shop.a'], 0);
});

test('what is wanted of a pull that is over is not asked for', async () => {
  const asked: string[] = [];
  const seen = await pullsSeen({
    records: async () => [record('a', {}), record('b', { status: 'ending' })],
    counts: async pull => {
      asked.push(pull);
      return null;
    },
    control: async () => FREE,
    burden: async () => null,
  });
  assert.deepEqual([seen.length, asked], [2, ['a']]);
});
