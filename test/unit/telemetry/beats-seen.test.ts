import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import {
  createMemoryCoordination,
  createMemoryLog,
  type MemoryLog,
} from '../../../src/adapters/memory/index.ts';
import { PullCells } from '../../../src/adapters/pull/pull-cells.ts';
import { createMetrics } from '../../../src/adapters/telemetry/index.ts';
import type { BeatDone } from '../../../src/change/beat-record.ts';
import { STATISTIC_TOPIC, statMessage } from '../../../src/change/stat-message.ts';
import { Observer } from '../../../src/cli/alarms/observer.ts';
import { BeatMemory } from '../../../src/cli/heartbeat/beat-board.ts';
import { BeatReader } from '../../../src/cli/heartbeat/read-beats.ts';
import { BeatMeter } from '../../../src/cli/telemetry/beat-meter.ts';
import { watchOutside } from '../../../src/cli/telemetry/outside-watch.ts';
import type { Line } from '../../../src/config/line.ts';
import { readLineText } from '../../../src/config/load-line.ts';
import { NEW_TABLE, type TableState } from '../../../src/stages/append-state.ts';
import { allMetrics } from '../../../src/telemetry/metrics/catalogue.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { until } from '../../support/until.ts';

const START_MS = 1_767_631_860_000;
const EVERY_MS = 15_000;
const HOUR_MS = 3_600_000;
const TABLES = 'umbus.shop.appender-tables-changelog';

function beatingLine(every = '5s'): Line {
  const { line } = readLineText(
    `ds: shop\nsource: { url: "mysql://umbus@127.0.0.1:1" }\nschemas: { store: { logical: { orders: ["orders_*"] } } }\nheartbeat: { every: "${every}" }\n`,
    '/srv/shop.yaml',
    {},
  );
  return line ?? assert.fail();
}

async function beatLog(): Promise<MemoryLog> {
  const log = createMemoryLog();
  const kept = { partitions: 1, retentionMs: null, retentionBytes: null };
  await log.ensureTopics([
    { name: STATISTIC_TOPIC, cleanup: 'delete', ...kept },
    { name: 'shop_heartbeat', cleanup: 'delete', ...kept },
    { name: TABLES, cleanup: 'compact', ...kept },
  ]);
  return log;
}

async function write(
  log: MemoryLog,
  topic: string,
  atMs: number,
  key: string,
  value: unknown,
): Promise<void> {
  await using writer = await log.openWriter('test');
  const bytes = Buffer.from(JSON.stringify(value));
  await writer.append([
    { topic, partition: 0, key: Buffer.from(key), value: bytes, timestampMs: atMs, headers: {} },
  ]);
}

/** A heartbeat of a table, at the end of its way two milliseconds after its round. */
async function arrived(log: MemoryLog, atMs: number, table: string): Promise<void> {
  const us = atMs * 1000;
  const hops = { captured: us, dispatched: us, appended: us, read: us + 2_000 };
  const stat = statMessage(
    'HEART_BEAT',
    { ds: 'shop', schema: 'store', table },
    { timeMs: atMs, roundMs: atMs },
    { localMicros: us + 2_000, offset: 0, counts: { rows: 0, bytes: 0, errors: 0, warnings: 0 } },
    { beat: 1, status: 'ok', skew: 0, us, ...hops },
  );
  await write(log, STATISTIC_TOPIC, atMs, table, stat);
}

const round = (beat: number, roundMs: number): BeatDone => ({
  kind: 'beat',
  beat,
  roundMs,
  micros: roundMs * 1000,
  skewMicros: 0,
  skewErrorMicros: 0,
  insertMs: 1,
  rows: 1,
  binlog: null,
});

describe('heartbeats as alarms and metrics see them', () => {
  it('are those of tables that have some: not of one that was dropped, and of a logical one while a part of it is there', async () => {
    const log = await beatLog();
    const table = (name: string, state: Partial<TableState>) =>
      write(log, TABLES, START_MS, `store.${name}`, { ...NEW_TABLE, ...state });
    await table('kept', { fingerprint: 'aa' });
    await table('named', { beats: true });
    await table('dropped', { fingerprint: 'bb' });
    await table('dropped', { version: 1 });
    await table('orders_1', { version: 1 });
    await table('orders_2', { fingerprint: 'cc' });
    for (const name of ['kept', 'named', 'dropped', 'orders']) await arrived(log, START_MS, name);
    for (const [i, ms] of [0, 7_000, 12_000].entries())
      await write(log, 'shop_heartbeat', START_MS, 'r', round(i, START_MS + ms));
    const clock = new VirtualClock(START_MS + 12_000);
    const coordination = createMemoryCoordination({ clock }).open();
    const look = async (every: string) => {
      const observer = new Observer({ line: beatingLine(every), log, coordination, clock });
      const seen = await observer.look([], new AbortController().signal);
      return seen.log?.heartbeat ?? assert.fail(seen.logProblem ?? '');
    };
    const heartbeat = await look('5s');
    const wanted = ['store.kept', 'store.named', 'store.orders'];
    assert.deepEqual(
      heartbeat.tables.map(beats => beats.table),
      wanted,
    );
    const memory = new BeatMemory(null);
    await new BeatReader(log, beatingLine(), memory).read(0, new AbortController().signal);
    assert.deepEqual(
      memory.board(clock.now()).tables.map(beats => beats.table),
      wanted,
      'on the board',
    );
    const meter = new BeatMeter(log, beatingLine(), clock, createMetrics(allMetrics, {}), 10);
    const values = await meter.round(await log.topics(), null, new AbortController().signal);
    const tables = values.flatMap(({ labels }) => (labels['table'] === undefined ? [] : [labels['table']]));
    assert.deepEqual([...new Set(tables)].sort(), wanted, 'in the metrics');
    assert.deepEqual([heartbeat.roundMs, heartbeat.gapMs], [START_MS + 12_000, 5_000]);
    assert.equal((await look('*/5 * * * * *')).gapMs, 7_000, 'what cron says is seen');
  });

  it('are measured by the process that beats from then on, without what another has measured meanwhile', async () => {
    const log = await beatLog();
    const clock = new VirtualClock(START_MS);
    const metrics = createMetrics(allMetrics, {});
    const stop = new AbortController();
    let rounds = 0;
    let beats = false;
    const watch = watchOutside(
      {
        line: beatingLine(),
        log,
        clock,
        everyMs: EVERY_MS,
        pulls: new PullCells(createMemoryCoordination({ clock }).open(), 'shop'),
        maxTables: 10,
        extracts: () => false,
        beats: () => {
          rounds += 1;
          return beats;
        },
        meter: () => new BeatMeter(log, beatingLine(), clock, metrics, 10),
        failed: error => assert.fail(String(error)),
      },
      stop.signal,
    );
    const next = async (atMs: number): Promise<number | undefined> => {
      const before = rounds;
      await until('the watch to sleep', () => clock.nextDueMs !== null);
      clock.moveTo(atMs);
      await until('the next round', () => rounds > before && clock.nextDueMs !== null);
      const samples = await metrics.read();
      return samples.find(
        ({ name, labels }) => name === 'umbus_heartbeat_latency_seconds_count' && labels['hop'] === 'reader',
      )?.value;
    };
    await arrived(log, START_MS + HOUR_MS, 'orders');
    assert.equal(await next(START_MS + 3 * HOUR_MS), undefined);
    beats = true;
    await arrived(log, START_MS + 3 * HOUR_MS, 'orders');
    assert.equal(await next(START_MS + 3 * HOUR_MS + EVERY_MS), 1);
    beats = false;
    await arrived(log, START_MS + 4 * HOUR_MS, 'orders');
    assert.equal(await next(START_MS + 4 * HOUR_MS), 1);
    beats = true;
    await arrived(log, START_MS + 5 * HOUR_MS, 'orders');
    assert.equal(await next(START_MS + 5 * HOUR_MS), 2);
    stop.abort();
    await watch.done;
  });
});
