import { hostname } from 'node:os';
import { PullCells } from '../../adapters/pull/pull-cells.ts';
import type { Line, MetricsSettings } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Coordination } from '../../ports/coordination.ts';
import type { Log } from '../../ports/log.ts';
import type { Gathered, Metrics } from '../../ports/metrics.ts';
import type { TopologySnapshot } from '../../runtime/snapshot.ts';
import type { RunningTopology } from '../../runtime/start.ts';
import { tablesStore } from '../../stages/append.ts';
import { allMetrics, LINE_LABEL } from '../../telemetry/metrics/catalogue.ts';
import { type EventLog, errorFields } from '../event-log.ts';
import { packageVersion } from '../version.ts';
import { BeatMeter } from './beat-meter.ts';
import { liveness, readiness } from './health.ts';
import { writeMetrics } from './metrics-writer.ts';
import { watchOutside } from './outside-watch.ts';
import { tableSampler } from './table-samples.ts';
import { topologySamples } from './topology-samples.ts';

/** Metrics of a process that runs topologies. */
export interface RunTelemetry extends AsyncDisposable {
  readonly metrics: Metrics;
  /** Measures a topology from now on. */
  add(topology: RunningTopology): void;
  /** What the topologies run on is open. */
  ready(): void;
  /** Asks the log, the source and the coordination of a line how far all is, until disposed. */
  watch(line: Line, log: Log, coordination: Coordination): AsyncDisposable;
}

/** What {@link openTelemetry} needs. */
export interface TelemetryOptions {
  readonly settings: MetricsSettings;
  readonly instance: string;
  readonly clock: Clock;
  readonly events: EventLog;
}

/**
 * Begins to measure this process, and serves and writes what it measures. Null where the settings name no destination: then nothing is measured and no library loaded.
 * Errors: UMBUS_METRICS_LISTEN.
 */
export async function openTelemetry(options: TelemetryOptions): Promise<RunTelemetry | null> {
  const { settings, instance } = options;
  if (settings.prometheus === null && settings.influxdb === null) return null;
  const { createMetrics, measureProcess } = await import('../../adapters/telemetry/index.ts');
  await using opened = new AsyncDisposableStack();
  const metrics = createMetrics(allMetrics, { [LINE_LABEL]: instance });
  metrics.gather(opened.use(measureProcess(packageVersion())).source);
  const telemetry = new Telemetry(options, metrics);
  opened.use(await served(options, metrics, telemetry));
  opened.use(await written(options, metrics));
  const kept = opened.move();
  return {
    metrics,
    add: topology => telemetry.add(topology),
    ready: () => telemetry.ready(),
    watch: (line, log, coordination) => telemetry.watch(line, log, coordination),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The server of what a process measures; null where the settings name none. */
async function served(
  { settings, events }: TelemetryOptions,
  metrics: Metrics,
  telemetry: Telemetry,
): Promise<AsyncDisposable | null> {
  if (settings.prometheus === null) return null;
  const { startMetricsServer } = await import('../../adapters/telemetry/index.ts');
  const live = () => liveness(telemetry.snapshots());
  const ready = () => readiness(!telemetry.isOpen, telemetry.snapshots());
  const server = await startMetricsServer({ ...settings.prometheus, metrics, live, ready });
  events('info', 'Metrics are served.', { at: `${server.url}/metrics` });
  return server;
}

/** Writes what a process measures to InfluxDB until it is disposed; null where the settings name none. */
async function written(options: TelemetryOptions, metrics: Metrics): Promise<AsyncDisposable | null> {
  const { clock, events, settings } = options;
  if (settings.influxdb === null) return null;
  const { createInfluxdb } = await import('../../adapters/telemetry/index.ts');
  const { everyMs } = settings.influxdb;
  const series = createInfluxdb(settings.influxdb);
  const closing = new AbortController();
  const writing = writeMetrics({ metrics, series, clock, everyMs, host: hostname(), events }, closing.signal);
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await writing;
    },
  };
}

class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #metrics: Metrics;
  readonly #topologies: RunningTopology[] = [];
  readonly #sampleTables: ReturnType<typeof tableSampler>;
  isOpen = false;

  constructor(options: TelemetryOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
    this.#sampleTables = tableSampler(options.settings.maxTables);
    metrics.gather(() => this.#topologyValues());
  }

  snapshots(): readonly TopologySnapshot[] {
    return this.#topologies.map(topology => topology.snapshot());
  }

  add(topology: RunningTopology): void {
    this.#topologies.push(topology);
  }

  ready(): void {
    this.isOpen = true;
  }

  watch(line: Line, log: Log, coordination: Coordination): AsyncDisposable {
    const closing = new AbortController();
    const { clock, events, settings } = this.#options;
    const watch = watchOutside(
      {
        line,
        log,
        clock,
        everyMs: settings.everyMs,
        pulls: new PullCells(coordination, line.ds),
        maxTables: settings.maxTables,
        extracts: () => this.#holds('mysql-extractor'),
        beats: () => this.#holds('heartbeat'),
        meter:
          line.heartbeat === null
            ? null
            : () => new BeatMeter(log, line, clock, this.#metrics, settings.maxTables),
        failed: error =>
          events('warn', 'The line cannot be asked for all of its metrics.', errorFields(error)),
      },
      closing.signal,
    );
    const gathering = this.#metrics.gather(() => watch.values());
    return {
      async [Symbol.asyncDispose]() {
        gathering[Symbol.dispose]();
        closing.abort();
        await watch.done;
      },
    };
  }

  /** Whether a topology runs here whose source no other process has. */
  #holds(name: string): boolean {
    return this.snapshots().some(
      ({ topology, externals }) => topology === name && externals.some(({ standby }) => !standby),
    );
  }

  *#topologyValues(): Generator<Gathered> {
    const nowMs = this.#options.clock.now();
    for (const topology of this.#topologies) yield* topologySamples(topology.snapshot(), nowMs);
    const appender = this.#topologies.find(({ name }) => name === 'appender');
    if (appender !== undefined) yield* this.#sampleTables(appender.entries(tablesStore));
  }
}
