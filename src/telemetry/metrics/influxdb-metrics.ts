import { counter, gauge } from './spec.ts';

/** What becomes of the metrics that a process writes to InfluxDB. */
export const influxdbMetrics = {
  written: counter('umbus_influxdb_written_points_total', 'points', 'Points that InfluxDB has taken.'),
  waiting: gauge('umbus_influxdb_waiting_points', 'points', 'Points that wait for InfluxDB.'),
  dropped: counter(
    'umbus_influxdb_dropped_points_total',
    'points',
    'Points given up because too many waited. Statistics of heartbeats are never among them.',
  ),
  refused: counter(
    'umbus_influxdb_refused_points_total',
    'points',
    'Points of rounds that InfluxDB refused, in whole or in part.',
  ),
} as const;
