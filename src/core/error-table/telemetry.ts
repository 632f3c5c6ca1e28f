import type { ErrorRow } from './row.ts';

/** Codes of metrics, dashboards and alarms. */
export const telemetryErrors = {
  UMBUS_METRICS_LISTEN: {
    text: 'The address that metrics are to be served at cannot be used.',
    remedy:
      'Give another one under `metrics.prometheus.listen` or with `--metrics`, or end what listens there.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;
