import type { MetricSpec } from '../../ports/metrics.ts';
import { heartbeatMetrics } from './heartbeat-metrics.ts';
import { influxdbMetrics } from './influxdb-metrics.ts';
import { extractorMetrics, logMetrics, sourceMetrics, tableMetrics } from './line-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { pullMetrics } from './pull-metrics.ts';
import { topologyMetrics } from './topology-metrics.ts';

/** Label of every metric of a line: the name of its data source. */
export const LINE_LABEL = 'ds';

/** A chapter of the catalogue. */
export interface MetricGroup {
  readonly title: string;
  readonly metrics: readonly MetricSpec[];
}

/** Every metric that there is, in the order of the reference. Dashboards, alarms and the reference are made from it. */
export const catalogue: readonly MetricGroup[] = [
  { title: 'Topologies', metrics: Object.values(topologyMetrics) },
  { title: 'Extractor', metrics: Object.values(extractorMetrics) },
  { title: 'Source', metrics: Object.values(sourceMetrics) },
  { title: 'Heartbeats', metrics: Object.values(heartbeatMetrics) },
  { title: 'Log', metrics: Object.values(logMetrics) },
  { title: 'Tables', metrics: Object.values(tableMetrics) },
  { title: 'Full pulls', metrics: Object.values(pullMetrics) },
  { title: 'InfluxDB', metrics: Object.values(influxdbMetrics) },
  { title: 'Process', metrics: Object.values(processMetrics) },
];

/** All metrics of {@link catalogue}. */
export const allMetrics: readonly MetricSpec[] = catalogue.flatMap(({ metrics }) => metrics);
