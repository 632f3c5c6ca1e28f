import type { CounterSpec, GaugeSpec, HistogramSpec } from '../../ports/metrics.ts';
import type { Panel, Query } from './board.ts';

type Labels = Readonly<Record<string, string>>;

/** How fast a counter grows. */
export function rate(metric: CounterSpec, by: readonly string[], legend: string, where?: Labels): Query {
  return { show: 'rate', metric, by, legend, ...(where === undefined ? {} : { where }) };
}

/** A gauge over the series that share `by`. */
export function level(
  show: 'sum' | 'max' | 'min',
  metric: GaugeSpec | CounterSpec,
  by: readonly string[],
  legend: string,
  where?: Labels,
): Query {
  return { show, metric, by, legend, ...(where === undefined ? {} : { where }) };
}

/** A histogram. */
export function spread(metric: HistogramSpec, by: readonly string[], legend: string): Query {
  return { show: 'distribution', metric, by, legend };
}

/** A chart over time. */
export function chart(
  title: string,
  unit: Panel['unit'],
  width: Panel['width'],
  ...queries: readonly Query[]
): Panel {
  return { kind: 'timeseries', title, unit, width, queries };
}

/** One number, coloured when `alert` says so. */
export function stat(title: string, unit: Panel['unit'], query: Query, alert?: Panel['alert']): Panel {
  return {
    kind: 'stat',
    title,
    unit,
    width: 4,
    queries: [query],
    ...(alert === undefined ? {} : { alert }),
  };
}
