import { Buffer } from 'node:buffer';
import { STATISTIC_TOPIC, type StatMessage } from '../src/change/stat-message.ts';
import type { Line } from '../src/config/line.ts';
import { isUmbusError, type UmbusError } from '../src/core/errors.ts';
import type { Point } from '../src/ports/time-series.ts';
import type { Span } from '../src/ports/traces.ts';
import { statisticPoint } from '../src/telemetry/points/statistic-points.ts';
import { beatSpans } from '../src/telemetry/traces/beat-spans.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import type { Builder, Stream } from '../src/topology/stream.ts';
import type { Processor } from '../src/topology/types.ts';
import { statisticTopic } from './statistics.ts';
import { deadTopicName } from './topics.ts';

/** Most points, or heartbeats, that are on their way at once. */
const IN_FLIGHT = 5_000;

/** Where statistics go beside their topic. Null: nowhere. Calls that come together are written together; each resolves when its own is stored. */
export interface TelemetryPorts {
  readonly points: ((point: Point) => Promise<void>) | null;
  readonly spans: ((spans: readonly Span[]) => Promise<void>) | null;
}

/** What came of a statistic: null when it was taken. */
interface Taken {
  readonly stat: StatMessage;
  readonly refused: UmbusError | null;
}

type Place = { readonly stat: StatMessage; readonly offset: bigint };

export type StatisticsConfig = Pick<Line, 'ds'> & { readonly points: (point: Point) => Promise<void> };

/**
 * `dbus_statistic` → InfluxDB, in DBUS's measurement. Offsets are committed when the points are stored, so that an outage, however long, loses none that the topic still has; a
 * point that is written again takes its own place. What the database refuses is parked in `<ds>_dead`.
 */
export const statistics = defineTopology({
  name: 'statistics',
  version: 1,
  config: trusted<StatisticsConfig>(),
  onError: { decode: 'skip', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, { ds, points }) {
    const taken = ofLine(t, ds).mapAsync(
      'write',
      async ({ stat, offset }) => ({ stat, refused: await refusalOf(points(statisticPoint(stat, offset))) }),
      { inFlight: IN_FLIGHT, order: 'none' },
    );
    park(taken);
  },
});

export type TracesConfig = Pick<Line, 'ds'> & {
  readonly spans: (spans: readonly Span[]) => Promise<void>;
  readonly sample: number;
};

/** `dbus_statistic` → a collector of OpenTelemetry: a trace of the way of each heartbeat. As {@link statistics}. */
export const traces = defineTopology({
  name: 'traces',
  version: 1,
  config: trusted<TracesConfig>(),
  onError: { decode: 'skip', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, { ds, spans, sample }) {
    const taken = ofLine(t, ds)
      .filter('sample', ({ stat }) => stat.type === 'HEART_BEAT' && stat.payload.beat % sample === 0)
      .mapAsync(
        'send',
        async ({ stat, offset }) => ({ stat, refused: await refusalOf(spans(beatSpans(stat, offset))) }),
        { inFlight: IN_FLIGHT, order: 'none' },
      );
    park(taken);
  },
});

/** The statistics of this line; on a cluster the topic is that of all lines. */
function ofLine(t: Builder, ds: string): Stream<string, Place> {
  return t
    .source('statistics', statisticTopic())
    .filter('line', stat => stat.dsName === ds)
    .map('place', (stat, { offset }) => ({ stat, offset }));
}

function park(taken: Stream<string, Taken>): void {
  taken.process(
    'refused',
    {},
    (): Processor<string, Taken, string, never> => ({
      on({ value: { stat, refused } }, { park: parkRecord }) {
        if (refused === null) return;
        parkRecord(STATISTIC_TOPIC, Buffer.from(JSON.stringify(stat), 'utf8'), refused);
      },
    }),
  );
}

/** Null when it was taken, the error when it never will be. Rejects with what passes: the topology tries again from its last commit. */
async function refusalOf(writing: Promise<void>): Promise<UmbusError | null> {
  try {
    await writing;
    return null;
  } catch (error) {
    if (isUmbusError(error) && !error.retryable) return error;
    throw error;
  }
}
