import type { Line } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicDescription } from '../../ports/log.ts';
import { type Gathered, gathered } from '../../ports/metrics.ts';
import { logMetrics, sourceMetrics } from '../../telemetry/metrics/line-metrics.ts';
import { deadTopicOf } from '../parked/dead-records.ts';
import { HeldTables } from '../pull/held-tables.ts';
import { askSource } from '../status/ask-source.ts';
import type { SourceStatus } from '../status/line-status.ts';
import { extractorStatus, topicsOf } from '../status/read-log.ts';
import type { BeatMeter } from './beat-meter.ts';
import { type PullReader, pullSamples, pullsSeen } from './pull-samples.ts';

/** What is asked of the world outside now and then, so that reading the metrics asks nobody. */
export interface OutsideWatch {
  /** What the last round found; nothing before it. */
  values(): Iterable<Gathered>;
}

/** What a watch asks, and how often. */
export interface WatchOptions {
  readonly line: Line;
  readonly log: Log;
  readonly clock: Clock;
  readonly everyMs: number;
  /** Where what is known of full pulls is read. */
  readonly pulls: PullReader;
  /** Tables with values of their own. */
  readonly maxTables: number;
  /** Whether this process reads the source: of several processes one asks it, and tells of the pulls. */
  readonly extracts: () => boolean;
  /** Makes what measures heartbeats from now on; null for a line that does not beat. */
  readonly meter: (() => BeatMeter) | null;
  /** Whether this process beats: of several one measures. */
  readonly beats: () => boolean;
  /** Told of a round in which something could not be asked. */
  readonly failed: (error: unknown) => void;
}

/** Asks the log and the source of a line in rounds, until `signal` aborts; `done` resolves then and never rejects. */
export function watchOutside(
  options: WatchOptions,
  signal: AbortSignal,
): OutsideWatch & { readonly done: Promise<void> } {
  let values: readonly Gathered[] = [];
  const run = async (): Promise<void> => {
    let meter: BeatMeter | null = null;
    const held = new HeldTables(options.log, options.line.ds);
    while (!signal.aborted) {
      try {
        // Made when this process begins to beat: what another has measured before is not measured again.
        meter = options.beats() ? (meter ?? options.meter?.() ?? null) : null;
        values = await valuesOf(options, meter, held, signal);
      } catch (error) {
        // Old values would look like a line that stands still.
        values = [];
        if (!signal.aborted) options.failed(error);
      }
      await options.clock.sleep(options.everyMs, signal);
    }
  };
  return { values: () => values, done: run() };
}

async function valuesOf(
  options: WatchOptions,
  meter: BeatMeter | null,
  held: HeldTables,
  signal: AbortSignal,
): Promise<readonly Gathered[]> {
  const { line, log, clock, extracts } = options;
  const topics = await log.topics();
  const values = [...(await logValues(line, topics))];
  const asks = extracts();
  if (!asks && meter === null) return values;
  const extractor = await extractorStatus(log, topics, line.ds);
  if (asks) {
    values.push(...sourceValues(await askSource(line, extractor, clock, signal)));
    await held.follow(topics, signal);
    values.push(...(await pullValues(options, held)));
  }
  if (meter === null) return values;
  const place =
    extractor === null
      ? null
      : { ...extractor, writtenMs: Date.parse(extractor.eventAt ?? extractor.capturedAt) };
  return [...values, ...(await meter.round(topics, place, signal))];
}

/** Nothing while coordination is away, which is told; the log and the source are there all the same. */
async function pullValues(
  { pulls, clock, maxTables, failed }: WatchOptions,
  held: HeldTables,
): Promise<readonly Gathered[]> {
  const heldBytes = new Map(held.tables.map(({ table, bytes }) => [table, bytes]));
  try {
    return [...pullSamples(await pullsSeen(pulls), clock.now(), maxTables, heldBytes)];
  } catch (error) {
    failed(error);
    return [];
  }
}

async function logValues(line: Line, all: readonly TopicDescription[]): Promise<readonly Gathered[]> {
  const topics = topicsOf(line, all);
  const values: Gathered[] = [];
  let usedBytes: number | null = 0;
  for (const { name: topic, extents } of topics) {
    const records = extents.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0n);
    values.push(gathered(logMetrics.topicRecords, { topic }, Number(records)));
    if (topic === deadTopicOf(line.ds)) values.push(gathered(logMetrics.deadRecords, {}, Number(records)));
    const bytes = sumOrNull(extents.map(extent => extent.bytes));
    if (bytes !== null) values.push(gathered(logMetrics.topicBytes, { topic }, bytes));
    usedBytes = usedBytes === null || bytes === null ? null : usedBytes + bytes;
  }
  if (usedBytes !== null) values.push(gathered(logMetrics.usedBytes, {}, usedBytes));
  if (line.log.kind === 'embedded') {
    const { diskFreeBytes } = await import('../../adapters/telemetry/disk-space.ts');
    const free = await diskFreeBytes(line.log.dir);
    values.push(gathered(logMetrics.limitBytes, {}, line.log.maxBytes));
    if (free !== null) values.push(gathered(logMetrics.diskFreeBytes, {}, free));
  }
  return values;
}

function sourceValues(status: SourceStatus): readonly Gathered[] {
  if (!status.reachable) return [gathered(sourceMetrics.reachable, {}, 0)];
  const { file, position, lagBytes, lagSeconds, binlogBytes, positionGone } = status;
  const number = /\.(\d+)$/.exec(file)?.[1];
  return [
    gathered(sourceMetrics.reachable, {}, 1),
    ...(number === undefined ? [] : [gathered(sourceMetrics.file, {}, Number(number))]),
    gathered(sourceMetrics.position, {}, position),
    gathered(sourceMetrics.binlogBytes, {}, binlogBytes),
    ...(lagBytes === null ? [] : [gathered(sourceMetrics.lagBytes, {}, lagBytes)]),
    ...(lagSeconds === null ? [] : [gathered(sourceMetrics.lagSeconds, {}, lagSeconds)]),
    gathered(sourceMetrics.positionGone, {}, positionGone ? 1 : 0),
  ];
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === values.length ? known.reduce((sum, value) => sum + value, 0) : null;
}
