import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver, constants as perf } from 'node:perf_hooks';
import { type Gathered, gathered, type MetricSource } from '../../ports/metrics.ts';
import { processMetrics } from '../../telemetry/metrics/process-metrics.ts';

/** Delays of the event loop are told of the last whole window, however many read them. */
const WINDOW_MS = 10_000;
const RESOLUTION_MS = 10;
const NS = 1e9;

const gcKinds = new Map<unknown, string>([
  [perf.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [perf.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [perf.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [perf.NODE_PERFORMANCE_GC_WEAKCB, 'weak-callback'],
]);

/** What this process measures of itself. Begins to measure at once, until disposed; keeps no process alive. */
export interface ProcessSource extends Disposable {
  readonly source: MetricSource;
}

/** Starts measuring this process. `version`: of umbus. */
export function measureProcess(version: string): ProcessSource {
  const startedSeconds = Date.now() / 1000 - process.uptime();
  const loop = measureLoop();
  const collections = measureCollections();
  const { info, started, memory, cpu } = processMetrics;
  const source: MetricSource = function* (): Generator<Gathered> {
    yield gathered(info, { version, node: process.versions.node }, 1);
    yield gathered(started, {}, startedSeconds);
    const { heapUsed, external } = process.memoryUsage();
    const anonymous = anonymousBytes();
    if (anonymous !== null) yield gathered(memory, { kind: 'anonymous' }, anonymous);
    yield gathered(memory, { kind: 'heap' }, heapUsed);
    yield gathered(memory, { kind: 'external' }, external);
    const { user, system } = process.cpuUsage();
    yield gathered(cpu, { mode: 'user' }, user / 1e6);
    yield gathered(cpu, { mode: 'system' }, system / 1e6);
    yield* loop.source();
    yield* collections.source();
  };
  return {
    source,
    [Symbol.dispose]() {
      loop[Symbol.dispose]();
      collections[Symbol.dispose]();
    },
  };
}

/** Resident memory of the process itself, without mapped files; null where the system does not tell (it is Linux's). */
function anonymousBytes(): number | null {
  try {
    const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    // Not Linux: the value is left out.
    return null;
  }
}

function measureLoop(): ProcessSource {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const { loopDelay } = processMetrics;
  // The monitor counts its own interval as delay.
  const seconds = (ns: number): number => Math.max(0, ns / NS - RESOLUTION_MS / 1000);
  const measured = (): readonly Gathered[] =>
    histogram.count === 0
      ? []
      : [
          gathered(loopDelay, { stat: 'p50' }, seconds(histogram.percentile(50))),
          gathered(loopDelay, { stat: 'p99' }, seconds(histogram.percentile(99))),
          gathered(loopDelay, { stat: 'max' }, seconds(histogram.max)),
        ];
  let last: readonly Gathered[] | null = null;
  const timer = setInterval(() => {
    last = measured();
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  return {
    source: () => last ?? measured(),
    [Symbol.dispose]() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

function measureCollections(): ProcessSource {
  const totals = new Map<string, { runs: number; seconds: number }>();
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      // `detail` is Node's own addition to the entries of the browser, whose types are in force.
      const { kind } = (entry as unknown as { readonly detail?: { readonly kind?: number } }).detail ?? {};
      const name = gcKinds.get(kind) ?? 'other';
      const total = totals.get(name) ?? { runs: 0, seconds: 0 };
      total.runs += 1;
      total.seconds += entry.duration / 1000;
      totals.set(name, total);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const { gcRuns, gcSeconds } = processMetrics;
  return {
    source: () =>
      [...totals].flatMap(([kind, { runs, seconds }]) => [
        gathered(gcRuns, { kind }, runs),
        gathered(gcSeconds, { kind }, seconds),
      ]),
    [Symbol.dispose]: () => observer.disconnect(),
  };
}
