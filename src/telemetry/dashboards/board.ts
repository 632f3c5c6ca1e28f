import type { HistogramSpec, MetricSpec } from '../../ports/metrics.ts';

/** What a query shows of a metric. */
export type Query =
  /** How fast a counter grows a second, over all series that share the labels of `by`. */
  | (OfMetric & { readonly show: 'rate' })
  /** A gauge, or a counter as it stands: the sum, the largest or the smallest of the series that share the labels of `by`. */
  | (OfMetric & { readonly show: 'sum' | 'max' | 'min' })
  /** The mean of what a histogram observed. Prometheus: its 50th and 99th percentile. */
  | (Omit<OfMetric, 'metric'> & { readonly metric: HistogramSpec; readonly show: 'distribution' });

interface OfMetric {
  readonly metric: MetricSpec;
  /** Labels whose values are shown apart. */
  readonly by: readonly string[];
  /** Label values to keep; `$name` stands for a variable of the board. */
  readonly where?: Readonly<Record<string, string>>;
  /** Name in the legend; `{label}` stands for its value. */
  readonly legend: string;
}

/** A panel. What it means is taken from the help of its metrics. */
export interface Panel {
  readonly title: string;
  readonly kind: 'timeseries' | 'stat';
  /** Unit as Grafana calls it. */
  readonly unit: 'short' | 'bytes' | 'Bps' | 's' | 'rowsps' | 'recps' | 'mps' | 'ops' | 'percentunit';
  /** Of 24. */
  readonly width: 4 | 6 | 8 | 12 | 24;
  readonly queries: readonly Query[];
  /** Red from this value on, for values that should stay below. */
  readonly alert?: { readonly from: number } | { readonly below: number };
}

/** A choice at the head of a board: the values that a label of a metric has. */
export interface Variable {
  readonly name: string;
  readonly metric: MetricSpec;
  readonly label: string;
  /** Whether it is only offered for the chosen line. */
  readonly ofLine: boolean;
}

/** A dashboard, for any database that holds the metrics. */
export interface Board {
  /** File name, and end of the uid. */
  readonly name: string;
  readonly title: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

/** A database that Grafana asks, and how. */
export interface Dialect {
  /** Type of the data source in Grafana. */
  readonly type: 'influxdb' | 'prometheus';
  /** Uid of the data source. */
  readonly uid: string;
  /** Targets of a panel, as Grafana keeps them. Each query may need several. */
  targets(query: Query): readonly Readonly<Record<string, unknown>>[];
  /** What gives the values of a variable. */
  values(variable: Variable): Readonly<Record<string, unknown>>;
}
