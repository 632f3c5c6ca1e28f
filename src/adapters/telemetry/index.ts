/** Metrics of this process and where they go. Imported when a destination is configured. */

export { Batcher, type BatchOptions } from './batcher.ts';
export { createInfluxdb, type InfluxdbOptions } from './influxdb.ts';
export {
  type Health,
  type MetricsServer,
  type MetricsServerOptions,
  startMetricsServer,
} from './metrics-server.ts';
export { createOtlp, type OtlpOptions } from './otlp.ts';
export { measureProcess, type ProcessSource } from './process-source.ts';
export { createMetrics } from './prom-metrics.ts';
