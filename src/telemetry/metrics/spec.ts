import type { CounterSpec, GaugeSpec, HistogramSpec } from '../../ports/metrics.ts';

/** A counter of the catalogue; see the port for what the parts mean. */
export function counter<const L extends string = never>(
  name: string,
  unit: string,
  help: string,
  labels: readonly L[] = [],
): CounterSpec<L> {
  return { kind: 'counter', name, unit, help, labels };
}

/** A gauge of the catalogue. */
export function gauge<const L extends string = never>(
  name: string,
  unit: string,
  help: string,
  labels: readonly L[] = [],
): GaugeSpec<L> {
  return { kind: 'gauge', name, unit, help, labels };
}

/** A histogram of the catalogue. */
export function histogram<const L extends string = never>(
  name: string,
  unit: string,
  help: string,
  buckets: readonly number[],
  labels: readonly L[] = [],
): HistogramSpec<L> {
  return { kind: 'histogram', name, unit, help, labels, buckets };
}
