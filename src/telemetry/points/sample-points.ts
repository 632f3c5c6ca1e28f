import type { MetricSpec, Sample } from '../../ports/metrics.ts';
import type { Point } from '../../ports/time-series.ts';
import { allMetrics } from '../metrics/catalogue.ts';

/** Field of the value of a counter or a gauge. */
export const VALUE_FIELD = 'value';
/** Fields of a histogram: sum and number of what was observed. */
export const SUM_FIELD = 'sum';
export const COUNT_FIELD = 'count';
/** Tag that tells the processes of a line apart. */
export const HOST_TAG = 'host';

const NANOS_PER_MS = 1_000_000n;

/**
 * Metrics as points: a measurement for each metric, its labels as tags, its value in {@link VALUE_FIELD}. A histogram has {@link SUM_FIELD} and {@link COUNT_FIELD}; its buckets are for
 * Prometheus. `atMs`: milliseconds since 1970-01-01 UTC.
 */
export function samplePoints(samples: readonly Sample[], host: string, atMs: number): readonly Point[] {
  const atNanos = BigInt(Math.round(atMs)) * NANOS_PER_MS;
  const points = new Map<string, Point & { readonly fields: Record<string, number> }>();
  for (const { name, labels, value } of samples) {
    const place = placeOf(name);
    if (place === null || !Number.isFinite(value)) continue;
    const id = JSON.stringify([place.measurement, labels]);
    const point = points.get(id) ?? {
      measurement: place.measurement,
      tags: { ...labels, [HOST_TAG]: host },
      fields: {},
      atNanos,
    };
    point.fields[place.field] = value;
    points.set(id, point);
  }
  return [...points.values()];
}

const kinds: ReadonlyMap<string, MetricSpec['kind']> = new Map(
  allMetrics.map(({ name, kind }) => [name, kind]),
);

/** Measurement and field of a value that was read; null for what is not written. */
function placeOf(name: string): { readonly measurement: string; readonly field: string } | null {
  const [, base = '', part = ''] = /^(.+)_(bucket|sum|count)$/.exec(name) ?? [];
  if (kinds.get(base) !== 'histogram') return { measurement: name, field: VALUE_FIELD };
  if (part === 'bucket') return null;
  return { measurement: base, field: part === 'sum' ? SUM_FIELD : COUNT_FIELD };
}
