import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { StatMessage } from '../../../src/change/stat-message.ts';
import { createHeartbeatWatch } from '../../../src/stages/heartbeat-watch.ts';
import { BEAT_HEADER, beatBytes } from '../../../src/ums/beat-stamps.ts';
import { heartbeatKey } from '../../../src/ums/message.ts';

const TIME_MS = 1_767_631_860_000;

/** A watcher at a time, and what it said. */
function watcher() {
  const stats: StatMessage[] = [];
  const noted: string[] = [];
  const watch = createHeartbeatWatch({
    ds: 'web',
    progress: (path, value) => noted.push(`${path} ${Buffer.from(value).toString()}`),
  });
  let nowMs = TIME_MS + 20;
  const read = (key: Uint8Array, headers: Record<string, Uint8Array>): void => {
    const context = { stores: {}, task: 'w', partition: 0, now: () => nowMs, park: () => assert.fail() };
    const record = { key, value: Buffer.alloc(0), topic: 't', offset: 9n, timestampMs: 0, seq: key, headers };
    watch.on(record, context, (_key, stat) => stats.push(stat));
  };
  const wait = (ms: number): void => {
    nowMs += ms;
  };
  return { stats, noted, read, wait };
}

function beatOf(table: string, options: { readonly status?: 'ok' | 'abort'; readonly ds?: string } = {}) {
  const { status = 'ok', ds = 'web' } = options;
  const key = heartbeatKey(
    `mysql.${ds}.shop.${table}.0.0.0`,
    { timeMs: TIME_MS, roundMs: TIME_MS - 1 },
    status,
    ds,
  );
  const headers = {
    [BEAT_HEADER]: beatBytes({
      beat: 4,
      us: TIME_MS * 1000,
      skew: -5_000,
      captured: null,
      dispatched: null,
      appended: TIME_MS * 1000 + 9_000,
      rows: 7,
      bytes: 70,
      errors: 1,
      warnings: 2,
    }),
  };
  return [key, headers] as const;
}

test('each heartbeat that arrives is a statistic, in the form of DBUS, with the skew taken out', () => {
  const { stats, read } = watcher();
  read(...beatOf('orders'));
  assert.deepEqual(stats, [
    {
      dsName: 'web',
      schemaName: 'shop',
      tableName: 'orders',
      type: 'HEART_BEAT',
      count: 7,
      errorCount: 1,
      warningCount: 2,
      checkpointMS: TIME_MS,
      txTimeMS: TIME_MS - 1,
      localMS: TIME_MS + 20,
      latencyMS: 15,
      offset: 9,
      checkpointTime: '2026-01-05 16:51:00.000',
      localTime: '2026-01-05 16:51:00.020',
      payload: {
        beat: 4,
        us: TIME_MS * 1000,
        skew: -5_000,
        captured: null,
        dispatched: null,
        appended: TIME_MS * 1000 + 9_000,
        status: 'ok',
        read: (TIME_MS + 20) * 1000,
        bytes: 70,
      },
    },
  ]);
});

test('rows, heartbeats of other lines and those that DBUS wrote are passed over', () => {
  const { stats, read } = watcher();
  read(Buffer.from('data_increment_data.mysql.web.shop.orders.0.0.0.5|web.wh_placeholder'), {});
  read(...beatOf('orders', { ds: 'other' }));
  read(beatOf('orders')[0], {});
  assert.deepEqual(stats, []);
});

test('the progress of a table is noted at the path and in the form of DBUS, once a minute, and not while it is parked', () => {
  const { noted, read, wait } = watcher();
  const path = 'DBus/HeartBeat/Monitor/web/shop/or.ders/0';
  read(...beatOf('or.ders'));
  wait(59_000);
  read(...beatOf('or.ders'));
  assert.deepEqual(noted, [
    `${path} {"node":"/${path}","time":${TIME_MS},"type":"checkpoint","txTime":${TIME_MS - 1}}`,
  ]);
  wait(1_000);
  read(...beatOf('or.ders'));
  read(...beatOf('bad', { status: 'abort' }));
  assert.equal(noted.length, 2);
});
