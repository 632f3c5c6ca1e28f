import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StatMessage, statMessage } from '../../src/change/stat-message.ts';
import { UmbusError } from '../../src/core/errors.ts';
import type { Point } from '../../src/ports/time-series.ts';
import type { Span } from '../../src/ports/traces.ts';
import { createDriver, explore } from '../../src/testing/index.ts';
import { bytes, utf8 } from '../../src/topology/serdes.ts';
import { topic } from '../../src/topology/topic.ts';
import { statisticTopic } from '../../topologies/statistics.ts';
import { statistics, traces } from '../../topologies/telemetry.ts';

const topicIn = statisticTopic();
const dead = topic('shop_dead', utf8, bytes);

function statOf(beat: number, type: StatMessage['type'] = 'HEART_BEAT', ds = 'shop'): StatMessage {
  const us = 1_700_000_000_000_000 + beat * 1_000_000;
  return statMessage(
    type,
    { ds, schema: 'store', table: 'orders' },
    { timeMs: us / 1000, roundMs: us / 1000 },
    { localMicros: us + 5_000, offset: beat, counts: { rows: beat, bytes: 0, errors: 0, warnings: 0 } },
    { beat, status: 'ok', skew: 0, us, captured: us, dispatched: us, appended: us, read: us + 5_000 },
  );
}

const idOf = ({ tags, atNanos }: Point): string => `${tags['type']} ${atNanos}`;

test('statistics stores a point for each of its line, in time and value', async () => {
  const points: Point[] = [];
  const driver = createDriver(statistics, { ds: 'shop', points: async point => void points.push(point) });
  await driver.in(topicIn).send('k', statOf(1));
  await driver.in(topicIn).send('k', statOf(1, 'APPENDER_TYPE', 'other'));
  await driver.in(topicIn).send('k', statOf(2, 'DISPATCH_TYPE'));
  await driver.settle();
  assert.deepEqual(
    points.map(({ tags, fields }) => [tags['type'], fields['count']]),
    [
      ['HEART_BEAT', 1],
      ['DISPATCH_TYPE', 2],
    ],
  );
});

test('statistics loses nothing while the database is away, whatever dies when, and writes no point twice in another place', async () => {
  const stored = new WeakMap<object, Map<string, Point>>();
  await explore({
    seeds: 60,
    build: seed => {
      const database = new Map<string, Point>();
      let calls = 0;
      const points = async (point: Point): Promise<void> => {
        calls += 1;
        if (calls % 7 < 3) throw new UmbusError('UMBUS_INFLUXDB_UNREACHABLE', 'Away.');
        database.set(idOf(point), point);
      };
      const driver = createDriver(statistics, { ds: 'shop', points }, { seed, instances: 2 });
      stored.set(driver, database);
      return driver;
    },
    run: async driver => {
      for (let beat = 1; beat <= 20; beat += 1) await driver.in(topicIn).send('k', statOf(beat));
    },
    faults: { crash: 0.02, rebalance: 0.02 },
    invariant: driver => {
      const counts = [...(stored.get(driver)?.values() ?? [])].map(({ fields }) => fields['count']);
      assert.deepEqual(
        counts.toSorted((a = 0, b = 0) => a - b),
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    },
  });
});

test('what the database refuses is parked, and the others go on', async () => {
  const points: Point[] = [];
  const driver = createDriver(statistics, {
    ds: 'shop',
    points: async point => {
      if (point.fields['count'] === 2) throw new UmbusError('UMBUS_INFLUXDB_REFUSED', 'Another type.');
      points.push(point);
    },
  });
  for (const beat of [1, 2, 3]) await driver.in(topicIn).send('k', statOf(beat));
  await driver.settle();
  assert.deepEqual(
    points.map(({ fields }) => fields['count']),
    [1, 3],
  );
  const letters = driver.out(dead).all();
  assert.deepEqual(
    letters.map(({ value }) => JSON.parse(Buffer.from(value).toString()).count),
    [2],
  );
});

test('traces sends the way of one of so many rounds', async () => {
  const sent: (readonly Span[])[] = [];
  const config = { ds: 'shop', sample: 2, spans: async (spans: readonly Span[]) => void sent.push(spans) };
  const driver = createDriver(traces, config);
  for (const beat of [1, 2, 3, 4]) {
    await driver.in(topicIn).send('k', statOf(beat, 'APPENDER_TYPE'));
    await driver.in(topicIn).send('k', statOf(beat));
  }
  await driver.settle();
  assert.deepEqual(
    sent.map(([root]) => root?.attributes['umbus.beat']),
    [2, 4],
  );
  assert.ok(sent.every(spans => spans.length === 5));
});
