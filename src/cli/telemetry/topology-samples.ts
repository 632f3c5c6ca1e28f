import { placeOf } from '../../change/seq.ts';
import { type Gathered, gathered } from '../../ports/metrics.ts';
import type { ExternalSnapshot, TaskSnapshot, TopologySnapshot } from '../../runtime/snapshot.ts';
import { extractorMetrics } from '../../telemetry/metrics/line-metrics.ts';
import { topologyMetrics as metrics } from '../../telemetry/metrics/topology-metrics.ts';

const EXTRACTOR = 'mysql-extractor';

/** What a running topology has counted, as values of metrics. `nowMs`: milliseconds since 1970 UTC, for ages. */
export function* topologySamples(snapshot: TopologySnapshot, nowMs: number): Generator<Gathered> {
  const { topology, state, counts, tasks, externals } = snapshot;
  yield gathered(metrics.up, { topology }, state === 'running' ? 1 : 0);
  yield gathered(metrics.tasks, { topology }, tasks.length);
  yield gathered(metrics.records, { topology }, counts.records);
  yield gathered(metrics.duplicates, { topology }, counts.duplicates);
  yield gathered(metrics.filtered, { topology }, counts.filtered);
  yield gathered(metrics.skipped, { topology }, counts.skipped);
  yield gathered(metrics.parked, { topology }, counts.parked);
  yield gathered(metrics.outputs, { topology }, counts.outputs);
  yield gathered(metrics.outputBytes, { topology }, counts.bytes);
  yield gathered(metrics.commits, { topology }, counts.commits);
  yield gathered(metrics.restarts, { topology }, counts.restarts);
  yield* lagSamples(topology, tasks, nowMs);
  yield* storeSamples(topology, tasks);
  // Other sources, such as the rounds of heartbeats, have no place in the binlog.
  if (topology === EXTRACTOR) for (const external of externals) yield* externalSamples(external);
}

function* lagSamples(topology: string, tasks: readonly TaskSnapshot[], nowMs: number): Generator<Gathered> {
  for (const { topic, partition, lagRecords, timestampMs } of tasks.flatMap(task => task.inputs)) {
    const labels = { topology, topic, partition: String(partition) };
    yield gathered(metrics.lagRecords, labels, Number(lagRecords));
    const ageMs = timestampMs === null ? null : Math.max(0, nowMs - timestampMs);
    if (lagRecords === 0n) yield gathered(metrics.lagSeconds, labels, 0);
    else if (ageMs !== null) yield gathered(metrics.lagSeconds, labels, ageMs / 1000);
  }
}

function* storeSamples(topology: string, tasks: readonly TaskSnapshot[]): Generator<Gathered> {
  const keys = new Map<string, number>();
  for (const [store, count] of tasks.flatMap(task => Object.entries(task.stores)))
    keys.set(store, (keys.get(store) ?? 0) + count);
  for (const [store, count] of keys) yield gathered(metrics.storeKeys, { topology, store }, count);
}

function* externalSamples(external: ExternalSnapshot): Generator<Gathered> {
  const { connected, standby, inFlightBytes, seq } = external;
  yield gathered(extractorMetrics.connected, {}, connected ? 1 : 0);
  yield gathered(extractorMetrics.standby, {}, standby ? 1 : 0);
  yield gathered(extractorMetrics.inFlightBytes, {}, inFlightBytes);
  if (seq === null) return;
  const { epoch, fileNumber, position } = placeOf(Buffer.from(seq, 'hex'));
  yield gathered(extractorMetrics.epoch, {}, epoch);
  yield gathered(extractorMetrics.file, {}, fileNumber);
  yield gathered(extractorMetrics.position, {}, position);
}
