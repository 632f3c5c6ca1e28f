import type { TelemetryPorts } from '../../../topologies/index.ts';
import type { Line } from '../../config/line.ts';
import type { Point } from '../../ports/time-series.ts';
import type { Span } from '../../ports/traces.ts';

const POINTS_MAX = 5_000;
const HEARTBEATS_MAX = 200;

/** What the topologies `statistics` and `traces` of a line write to; loads what writes only where it is configured. */
export async function telemetryPorts({ metrics }: Line): Promise<TelemetryPorts> {
  const { influxdb, otlp } = metrics;
  if (influxdb === null && otlp === null) return { points: null, spans: null };
  const { Batcher, createInfluxdb, createOtlp } = await import('../../adapters/telemetry/index.ts');
  const series = influxdb === null ? null : createInfluxdb(influxdb);
  const collector = otlp === null ? null : createOtlp(otlp);
  const points =
    series &&
    new Batcher<Point>({
      write: batch => series.write(batch),
      most: POINTS_MAX,
      refused: 'UMBUS_INFLUXDB_REFUSED',
    });
  const heartbeats =
    collector &&
    new Batcher<readonly Span[]>({
      write: batch => collector.write(batch.flat()),
      most: HEARTBEATS_MAX,
      refused: 'UMBUS_OTLP_REFUSED',
    });
  return {
    points: points && (point => points.add(point)),
    spans: heartbeats && (spans => heartbeats.add(spans)),
  };
}
