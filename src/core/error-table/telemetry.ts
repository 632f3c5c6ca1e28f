import type { ErrorRow } from './row.ts';

/** Codes of metrics, dashboards and alarms. */
export const telemetryErrors = {
  UMBUS_METRICS_LISTEN: {
    text: 'The address that metrics are to be served at cannot be used.',
    remedy:
      'Give another one under `metrics.prometheus.listen` or with `--metrics`, or end what listens there.',
    retryable: false,
  },
  UMBUS_INFLUXDB_UNREACHABLE: {
    text: 'InfluxDB does not answer, or cannot serve now.',
    remedy: 'Check the address under `metrics.influxdb` and that it runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_INFLUXDB_REFUSED: {
    text: 'InfluxDB refuses what is written.',
    remedy:
      'See the status in the message: 401 and 403 are the login, 404 a database that could not be made, 400 a field that has another type there.',
    retryable: false,
  },
  UMBUS_OTLP_UNREACHABLE: {
    text: 'The collector of traces does not answer, or cannot take more now.',
    remedy: 'Check the address under `metrics.otlp` and that it runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_OTLP_REFUSED: {
    text: 'The collector of traces refuses what is sent.',
    remedy:
      'See the status in the message: 401 and 403 are the headers, 404 the address, 400 a collector that takes no JSON.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;
