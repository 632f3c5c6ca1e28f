import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Batcher } from '../../../src/adapters/telemetry/index.ts';
import { PointBuffer } from '../../../src/cli/telemetry/point-buffer.ts';
import { isUmbusError, UmbusError } from '../../../src/core/errors.ts';
import type { Point, TimeSeries } from '../../../src/ports/time-series.ts';
import { samplePoints } from '../../../src/telemetry/points/sample-points.ts';

function point(measurement: string): Point {
  return { measurement, tags: {}, fields: { value: 1 }, atNanos: 1n };
}

/** A database that refuses points called `bad`, and notes how many came in each request. */
function series(): TimeSeries & { readonly requests: number[]; readonly stored: string[] } {
  const requests: number[] = [];
  const stored: string[] = [];
  return {
    requests,
    stored,
    async write(points) {
      requests.push(points.length);
      const names = points.map(({ measurement }) => measurement);
      if (names.includes('away')) throw new UmbusError('UMBUS_INFLUXDB_UNREACHABLE', 'Away.');
      if (names.includes('bad')) throw new UmbusError('UMBUS_INFLUXDB_REFUSED', 'Bad.');
      stored.push(...names);
    },
  };
}

function batcherOf(database: TimeSeries): Batcher<Point> {
  return new Batcher({
    write: points => database.write(points),
    most: 5_000,
    refused: 'UMBUS_INFLUXDB_REFUSED',
  });
}

describe('Batcher', () => {
  it('writes what comes together in one request', async () => {
    const database = series();
    const batcher = batcherOf(database);
    await Promise.all(['a', 'b', 'c'].map(name => batcher.add(point(name))));
    await batcher.add(point('d'));
    assert.deepEqual(
      [database.requests, database.stored],
      [
        [3, 1],
        ['a', 'b', 'c', 'd'],
      ],
    );
  });

  it('bounds a request', async () => {
    const database = series();
    const batcher = batcherOf(database);
    await Promise.all(Array.from({ length: 12_000 }, () => batcher.add(point('a'))));
    assert.deepEqual(database.requests, [5_000, 5_000, 2_000]);
  });

  it('lets a point that is refused take no other with it', async () => {
    const database = series();
    const batcher = batcherOf(database);
    const ends = await Promise.allSettled(['a', 'bad', 'c'].map(name => batcher.add(point(name))));
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(database.stored, ['a', 'c']);
    assert.ok(ends[1]?.status === 'rejected' && isUmbusError(ends[1].reason, 'UMBUS_INFLUXDB_REFUSED'));
  });

  it('does not try points one by one at a database that is away', async () => {
    const database = series();
    const batcher = batcherOf(database);
    const ends = await Promise.allSettled(['a', 'away', 'c'].map(name => batcher.add(point(name))));
    assert.ok(ends.every(({ status }) => status === 'rejected'));
    assert.deepEqual(database.requests, [3]);
  });
});

describe('PointBuffer', () => {
  const round = (...names: string[]): readonly Point[] => names.map(point);

  it('keeps rounds until they are written, in order', async () => {
    const buffer = new PointBuffer(10);
    buffer.add(round('a', 'b'));
    buffer.add(round('c'));
    const written: string[] = [];
    let away = true;
    const write = async (points: readonly Point[]): Promise<void> => {
      if (away && points[0]?.measurement === 'c') throw new Error('Away.');
      written.push(...points.map(({ measurement }) => measurement));
    };
    await assert.rejects(buffer.drain(write));
    assert.deepEqual([written, buffer.size], [['a', 'b'], 1]);
    away = false;
    await buffer.drain(write);
    assert.deepEqual([written, buffer.size, buffer.dropped], [['a', 'b', 'c'], 0, 0]);
  });

  it('drops the oldest rounds beyond its bound, and counts them', async () => {
    const buffer = new PointBuffer(3);
    for (const name of ['a', 'b', 'c', 'd']) buffer.add(round(name, name));
    assert.deepEqual([buffer.size, buffer.dropped], [2, 6]);
    const written: string[] = [];
    await buffer.drain(async ([first]) => void written.push(first?.measurement ?? ''));
    assert.deepEqual(written, ['d']);
  });

  it('forgets nothing that came while it was being written', async () => {
    const buffer = new PointBuffer(2);
    buffer.add(round('a'));
    const written: string[] = [];
    await buffer.drain(async ([first]) => {
      written.push(first?.measurement ?? '');
      if (first?.measurement === 'a') buffer.add(round('b', 'c'));
    });
    assert.deepEqual([written, buffer.size, buffer.dropped], [['a', 'b'], 0, 1]);
  });
});

describe('samplePoints', () => {
  it('makes a point of each value and each histogram, with the host, and leaves out buckets and what is no number', () => {
    const spent = 'umbus_topology_commit_duration_seconds';
    const labels = { topology: 'x' };
    const points = samplePoints(
      [
        { name: 'umbus_x_bytes', labels: { topic: 't' }, value: 7 },
        { name: `${spent}_bucket`, labels: { ...labels, le: '1' }, value: 1 },
        { name: `${spent}_sum`, labels, value: 2.5 },
        { name: `${spent}_count`, labels, value: 4 },
        { name: 'umbus_z_bytes', labels: {}, value: Number.NaN },
      ],
      'here',
      1_700_000_000_000.4,
    );
    assert.deepEqual(points, [
      {
        measurement: 'umbus_x_bytes',
        tags: { topic: 't', host: 'here' },
        fields: { value: 7 },
        atNanos: 1_700_000_000_000_000_000n,
      },
      {
        measurement: spent,
        tags: { topology: 'x', host: 'here' },
        fields: { sum: 2.5, count: 4 },
        atNanos: 1_700_000_000_000_000_000n,
      },
    ]);
  });
});
