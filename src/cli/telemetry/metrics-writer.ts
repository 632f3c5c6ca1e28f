import { isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { gathered, type Metrics } from '../../ports/metrics.ts';
import type { TimeSeries } from '../../ports/time-series.ts';
import { influxdbMetrics } from '../../telemetry/metrics/influxdb-metrics.ts';
import { samplePoints } from '../../telemetry/points/sample-points.ts';
import { type EventLog, errorFields } from '../event-log.ts';
import { PointBuffer } from './point-buffer.ts';

/** About 40 MB; an hour of a line with 1,000 tables, a day of a small one. */
const WAITING_POINTS_MAX = 200_000;

/** What {@link writeMetrics} needs. */
export interface MetricsWriterOptions {
  readonly metrics: Metrics;
  readonly series: TimeSeries;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly host: string;
  readonly events: EventLog;
}

/** Writes what a process measures in rounds, until `signal` aborts, and then once more. Never rejects. */
export async function writeMetrics(options: MetricsWriterOptions, signal: AbortSignal): Promise<void> {
  const { metrics, series, clock, everyMs, host, events } = options;
  const buffer = new PointBuffer(WAITING_POINTS_MAX);
  let written = 0;
  let refused = 0;
  let away = false;
  using _ = metrics.gather(() => [
    gathered(influxdbMetrics.written, {}, written),
    gathered(influxdbMetrics.waiting, {}, buffer.size),
    gathered(influxdbMetrics.dropped, {}, buffer.dropped),
    gathered(influxdbMetrics.refused, {}, refused),
  ]);
  const round = async (): Promise<void> => {
    try {
      buffer.add(samplePoints(await metrics.read(), host, clock.now()));
      await buffer.drain(async points => {
        try {
          await series.write(points);
          written += points.length;
        } catch (error) {
          // Trying again would not help, and those behind would wait for ever.
          if (!isUmbusError(error, 'UMBUS_INFLUXDB_REFUSED')) throw error;
          if (refused === 0) events('warn', 'InfluxDB refuses metrics.', errorFields(error));
          refused += points.length;
        }
      });
      if (away) events('info', 'InfluxDB takes metrics again.', { written, dropped: buffer.dropped });
      away = false;
    } catch (error) {
      // Told once for each time that it is away.
      if (!away)
        events('warn', 'Metrics wait for InfluxDB.', { ...errorFields(error), waiting: buffer.size });
      away = true;
    }
  };
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal);
    // Who stops does not wait for a database that is away.
    if (!signal.aborted || !away) await round();
  }
}
