/**
 * Metrics: what a line measures of itself, for whoever collects it. What is counted anyhow is gathered when somebody reads; only distributions, and events that nobody counts, are
 * told as they happen. The metrics that exist are in src/telemetry/metrics. Adapter: telemetry (prom-client).
 */

/** What every metric says of itself. Names are `umbus_<component>_<noun>_<unit>`, counters end in `_total`. */
interface Described<L extends string> {
  readonly name: string;
  /** In the plural, such as `seconds`, `bytes`, `records`; '' for a flag that is 1 or 0. */
  readonly unit: string;
  /** Names of its labels. Each takes a bounded number of values. */
  readonly labels: readonly L[];
  /** One sentence. */
  readonly help: string;
}

/** Grows from the start of the process on, or from what a store remembers. */
export interface CounterSpec<L extends string = string> extends Described<L> {
  readonly kind: 'counter';
}

/** A value that goes up and down. */
export interface GaugeSpec<L extends string = string> extends Described<L> {
  readonly kind: 'gauge';
}

/** A distribution. `buckets` are upper bounds, increasing, in the unit. */
export interface HistogramSpec<L extends string = string> extends Described<L> {
  readonly kind: 'histogram';
  readonly buckets: readonly number[];
}

/** One metric. */
export type MetricSpec<L extends string = string> = CounterSpec<L> | GaugeSpec<L> | HistogramSpec<L>;

/** A value for each label. */
export type Labels<L extends string = string> = Readonly<Record<L, string>>;

/** A value that was read. A histogram gives several: `<name>_bucket` with the label `le`, `<name>_sum` and `<name>_count`. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** A value of a counter or a gauge that a source gives. */
export interface Gathered {
  readonly metric: CounterSpec | GaugeSpec;
  readonly labels: Labels;
  readonly value: number;
}

/** Gives what it measures now. Called synchronously at each reading; it is quick and does not throw. */
export type MetricSource = () => Iterable<Gathered>;

export interface Metrics {
  /** Counts an event. A metric is either counted or observed so, or gathered; never both. */
  add<L extends string>(metric: CounterSpec<L>, labels: Labels<L>, by?: number): void;
  /** Notes one value of a distribution. */
  observe<L extends string>(metric: HistogramSpec<L>, labels: Labels<L>, value: number): void;
  /** Asks a source at each reading, until disposed. What it does not give any more is gone. */
  gather(source: MetricSource): Disposable;
  /** All values as they are now. */
  read(): Promise<readonly Sample[]>;
  /** The same in the text format of Prometheus, with its content type. */
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A value of a metric with labels that fit it. */
export function gathered<L extends string>(
  metric: CounterSpec<L> | GaugeSpec<L>,
  labels: Labels<NoInfer<L>>,
  value: number,
): Gathered {
  return { metric, labels, value };
}
