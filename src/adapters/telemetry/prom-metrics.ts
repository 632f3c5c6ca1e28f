import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { assert } from '../../core/assert.ts';
import type {
  CounterSpec,
  HistogramSpec,
  Labels,
  MetricSource,
  MetricSpec,
  Metrics,
  Sample,
} from '../../ports/metrics.ts';

type Instrument = Counter | Gauge | Histogram;

/**
 * Metrics in a registry of prom-client of their own. `specs`: all that may be told or gathered; `common`: labels of every value. A metric that was never told has no values,
 * so a process shows only what it measures.
 */
export function createMetrics(specs: readonly MetricSpec[], common: Labels): Metrics {
  return new PromMetrics(specs, common);
}

class PromMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #sources = new Set<MetricSource>();
  /** Names that sources gave at the last reading: what they do not give again is gone. */
  #gathered: ReadonlySet<string> = new Set();
  /** Names that have values. Others are left out: without labels the library would show them as 0. */
  readonly #told = new Set<string>();

  constructor(specs: readonly MetricSpec[], common: Labels) {
    this.#registry.setDefaultLabels(common);
    this.#instruments = new Map(specs.map(spec => [spec.name, this.#instrument(spec)]));
  }

  add<L extends string>(metric: CounterSpec<L>, labels: Labels<L>, by = 1): void {
    const counter = this.#instruments.get(metric.name);
    assert(counter instanceof Counter, `${metric.name} is no counter of these metrics.`);
    counter.inc(labels, by);
    this.#tell(metric.name);
  }

  observe<L extends string>(metric: HistogramSpec<L>, labels: Labels<L>, value: number): void {
    const histogram = this.#instruments.get(metric.name);
    assert(histogram instanceof Histogram, `${metric.name} is no histogram of these metrics.`);
    histogram.observe(labels, value);
    this.#tell(metric.name);
  }

  gather(source: MetricSource): Disposable {
    this.#sources.add(source);
    return { [Symbol.dispose]: () => void this.#sources.delete(source) };
  }

  async read(): Promise<readonly Sample[]> {
    this.#collect();
    const families = await this.#registry.getMetricsAsJSON();
    return families.flatMap(({ name, values }) =>
      values.map(value => ({
        // Values of a histogram have names of their own, which the library's types leave out.
        name: 'metricName' in value ? String(value.metricName) : name,
        labels: Object.fromEntries(
          Object.entries(value.labels).map(([label, text]) => [label, String(text)]),
        ),
        value: value.value,
      })),
    );
  }

  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#collect();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #instrument(spec: MetricSpec): Instrument {
    const { name, help } = spec;
    const about = { name, help, labelNames: [...spec.labels], registers: [] };
    if (spec.kind === 'counter') return new Counter(about);
    if (spec.kind === 'gauge') return new Gauge(about);
    return new Histogram({ ...about, buckets: [...spec.buckets] });
  }

  /** Shows a metric from its first value on. */
  #tell(name: string): void {
    if (this.#told.has(name)) return;
    const instrument = this.#instruments.get(name);
    assert(instrument !== undefined, `${name} is not among these metrics.`);
    this.#told.add(name);
    this.#registry.registerMetric(instrument);
  }

  /** Asks the sources. Nothing waits in here, so two readings at a time do not see each other's half. */
  #collect(): void {
    for (const name of this.#gathered) {
      this.#instruments.get(name)?.reset();
      this.#registry.removeSingleMetric(name);
      this.#told.delete(name);
    }
    const names = new Set<string>();
    for (const source of this.#sources) {
      for (const { metric, labels, value } of source()) {
        const instrument = this.#instruments.get(metric.name);
        if (!names.has(metric.name)) {
          assert(!this.#told.has(metric.name), `${metric.name} is both told and gathered.`);
          names.add(metric.name);
          // Without labels the library begins with a value of 0, to which nothing is added yet.
          this.#tell(metric.name);
        }
        if (instrument instanceof Counter) instrument.inc(labels, value);
        else if (instrument instanceof Gauge) instrument.set(labels, value);
        else assert(false, `${metric.name} cannot be gathered.`);
      }
    }
    this.#gathered = names;
  }
}
