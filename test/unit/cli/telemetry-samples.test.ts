import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seqOf } from '../../../src/change/seq.ts';
import { liveness, readiness } from '../../../src/cli/telemetry/health.ts';
import { OTHER_TABLES, tableSampler } from '../../../src/cli/telemetry/table-samples.ts';
import { topologySamples } from '../../../src/cli/telemetry/topology-samples.ts';
import type { Gathered } from '../../../src/ports/metrics.ts';
import { zeroCounts } from '../../../src/runtime/counts.ts';
import type { ExternalSnapshot, TopologySnapshot } from '../../../src/runtime/snapshot.ts';
import { NEW_TABLE, type TableState } from '../../../src/stages/append-state.ts';

function valuesOf(samples: Iterable<Gathered>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...samples].map(({ metric, labels, value }) => [
      [metric.name.replace('umbus_', ''), ...Object.values(labels)].join(' '),
      value,
    ]),
  );
}

function snapshotOf(parts: Partial<TopologySnapshot>): TopologySnapshot {
  return {
    topology: 'appender',
    instance: 'shop',
    state: 'running',
    counts: zeroCounts(),
    tasks: [],
    externals: [],
    ...parts,
  };
}

function externalOf(parts: Partial<ExternalSnapshot>): ExternalSnapshot {
  return { stage: 'binlog', connected: true, standby: false, inFlightBytes: 0, seq: null, ...parts };
}

describe('topologySamples', () => {
  const input = (partition: number, lagRecords: bigint, timestampMs: number | null) => ({
    topic: 'shop.store',
    partition,
    position: 5n,
    lagRecords,
    timestampMs,
  });
  const task = (partition: number, lagRecords: bigint, timestampMs: number | null) => ({
    task: `appender-${partition}`,
    partition,
    group: 'umbus.shop.appender',
    inputs: [input(partition, lagRecords, timestampMs)],
    paused: [],
    stores: { tables: 3 },
  });

  it('gives counts, state, stores over all tasks, and lags of each', () => {
    const tasks = [task(0, 0n, 1_000), task(1, 4n, 8_500), task(2, 4n, null)];
    const values = valuesOf(
      topologySamples(snapshotOf({ tasks, counts: { ...zeroCounts(), records: 9 } }), 10_000),
    );
    assert.equal(values['topology_up appender'], 1);
    assert.equal(values['topology_records_total appender'], 9);
    assert.equal(values['topology_store_keys appender tables'], 9);
    assert.equal(values['topology_lag_records appender shop.store 1'], 4);
    assert.equal(values['topology_lag_seconds appender shop.store 0'], 0);
    assert.equal(values['topology_lag_seconds appender shop.store 1'], 1.5);
    assert.ok(!('topology_lag_seconds appender shop.store 2' in values), 'not known before the first record');
  });

  const extractor = (parts: Partial<ExternalSnapshot>) =>
    snapshotOf({ topology: 'mysql-extractor', externals: [externalOf(parts)] });

  it('tells the place of the extractor, and of no other source', () => {
    const rounds = snapshotOf({ topology: 'heartbeat', externals: [externalOf({})] });
    assert.ok(!('extractor_connected' in valuesOf(topologySamples(rounds, 0))));
    const seq = seqOf({ epoch: 2, fileNumber: 7, position: 6_000_000_000 }).toString('hex');
    const values = valuesOf(topologySamples(extractor({ seq }), 0));
    assert.equal(values['extractor_epoch_number'], 2);
    assert.equal(values['extractor_file_number'], 7);
    assert.equal(values['extractor_position_bytes'], 6_000_000_000);
    assert.equal(values['extractor_connected'], 1);
    const before = valuesOf(topologySamples(extractor({}), 0));
    assert.ok(!('extractor_position_bytes' in before));
  });
});

describe('tableSampler', () => {
  const table = (name: string, inserts: number, parts: Partial<TableState> = {}) =>
    [name, { ...NEW_TABLE, inserts, ...parts }] as const;

  it('gives nothing for no table', () => {
    assert.deepEqual([...tableSampler(2)([])], []);
  });

  it('counts each table and all', () => {
    const parked = { since: '', code: 'UMBUS_BINLOG_TYPE', message: '', events: 4 } as const;
    const values = valuesOf(
      tableSampler(9)([
        table('s.a', 3, { updates: 2, messages: 5, version: 1 }),
        table('s.b', 1, { parked }),
      ]),
    );
    assert.equal(values['appender_rows_total insert'], 4);
    assert.equal(values['table_rows_total s.a update'], 2);
    assert.equal(values['table_version_number s.a'], 1);
    assert.equal(values['table_parked_events s.b'], 4);
    assert.equal(values['table_parked_events s.a'], 0);
    assert.equal(values['appender_tables parked'], 1);
    assert.equal(values['appender_tables published'], 1);
  });

  it('adds up what comes beyond the bound, and lets no counter fall when others grow', () => {
    const sample = tableSampler(2);
    sample([table('s.b', 1), table('s.c', 1)]);
    const values = valuesOf(sample([table('s.a', 1_000), table('s.b', 1), table('s.c', 1), table('s.d', 5)]));
    assert.equal(values['table_rows_total s.b insert'], 1);
    assert.equal(values[`table_rows_total ${OTHER_TABLES} insert`], 1_005);
    assert.equal(values['appender_rows_total insert'], 1_007);
    assert.ok(!('table_rows_total s.a insert' in values));
  });
});

describe('health', () => {
  it('is alive unless a topology has failed', () => {
    assert.deepEqual(liveness([snapshotOf({ state: 'restarting' })]), { ok: true, facts: {} });
    assert.deepEqual(liveness([snapshotOf({ state: 'failed' })]), {
      ok: false,
      facts: { failed: ['appender'] },
    });
  });

  it('is ready when all topologies run, and says whether the source is waited for', () => {
    assert.equal(readiness(true, []).ok, false);
    assert.equal(readiness(false, []).ok, false);
    assert.equal(readiness(false, [snapshotOf({})]).ok, true);
    assert.equal(readiness(false, [snapshotOf({}), snapshotOf({ state: 'restarting' })]).ok, false);
    for (const [external, source] of [
      [{ connected: true }, 'connected'],
      [{ connected: false }, 'waiting'],
      [{ connected: false, standby: true }, 'standby'],
    ] as const) {
      const state = source === 'connected' ? 'running' : 'restarting';
      const snapshot = snapshotOf({ topology: 'x', state, externals: [externalOf(external)] });
      assert.deepEqual(readiness(false, [snapshot]), {
        ok: true,
        facts: { topologies: [{ topology: 'x', state, source }] },
      });
    }
    const stopped = snapshotOf({ state: 'stopping', externals: [externalOf({})] });
    assert.equal(readiness(false, [stopped]).ok, false);
  });
});
