import {
  isOver,
  type PullBurden,
  type PullControl,
  type PullCounts,
  type PullRecord,
} from '../../adapters/pull/pull-cells.ts';
import { type Gathered, gathered } from '../../ports/metrics.ts';
import { pullMetrics as metrics } from '../../telemetry/metrics/pull-metrics.ts';
import { seenBurden } from '../pull/pull-text.ts';
import { OTHER_TABLES } from './table-samples.ts';

/** A pull, and what is known of it besides; all null for one that is over. */
export interface PullSeen {
  readonly record: PullRecord;
  readonly counts: PullCounts | null;
  readonly control: PullControl | null;
  readonly burden: PullBurden | null;
}

const openStates = ['waiting', 'splitting', 'pulling', 'paused'] as const;
const endedStates = ['whole', 'cancelled', 'failed'] as const;

/** What the pulls of a line are, as values of metrics. Tables beyond `maxTables` are added up, the oldest pulls keep their names. `heldBytes`: what waits for pulls, by table. */
export function* pullSamples(
  pulls: readonly PullSeen[],
  nowMs: number,
  maxTables: number,
  heldBytes: ReadonlyMap<string, number> = new Map(),
): Generator<Gathered> {
  const open = pulls.filter(({ record }) => !isOver(record));
  const ended = pulls.filter(({ record }) => isOver(record));
  for (const state of openStates)
    yield gathered(metrics.open, { state }, open.filter(pull => openState(pull) === state).length);
  for (const state of endedStates)
    yield gathered(
      metrics.ended,
      { state },
      ended.filter(({ record }) => endedState(record) === state).length,
    );
  const throttled = open.filter(({ control }) => control !== null && control.rowsPerSecond !== null);
  yield gathered(metrics.throttled, {}, throttled.length);
  const held = open.filter(({ burden }) => (seenBurden(burden, nowMs)?.waits ?? null) !== null);
  yield gathered(metrics.held, {}, held.length);
  for (const [table, some] of byTable(open, maxTables)) yield* tableSamples(table, some, nowMs, heldBytes);
}

function openState({ record, control }: PullSeen): (typeof openStates)[number] {
  if (control?.state === 'pause') return 'paused';
  if (record.status === 'init') return 'waiting';
  return record.status === 'splitting' ? 'splitting' : 'pulling';
}

function endedState({ status, failure }: PullRecord): (typeof endedStates)[number] {
  if (status === 'ending') return 'whole';
  return failure?.code === 'UMBUS_PULL_CANCELLED' ? 'cancelled' : 'failed';
}

/** Two pulls of one table can be open for a moment: the second one is refused. */
function byTable(
  open: readonly PullSeen[],
  maxTables: number,
): ReadonlyMap<string, readonly [PullSeen, ...PullSeen[]]> {
  const tables = new Map<string, [PullSeen, ...PullSeen[]]>();
  for (const pull of open) {
    const { schema, table } = pull.record.job;
    const own = `${schema}.${table}`;
    const name = tables.has(own) || tables.size < maxTables ? own : OTHER_TABLES;
    const some = tables.get(name);
    if (some === undefined) tables.set(name, [pull]);
    else some.push(pull);
  }
  return tables;
}

function* tableSamples(
  table: string,
  some: readonly [PullSeen, ...PullSeen[]],
  nowMs: number,
  heldBytes: ReadonlyMap<string, number>,
): Generator<Gathered> {
  const sum = (of: (pull: PullSeen) => number): number => some.reduce((total, pull) => total + of(pull), 0);
  const longest = (of: (pull: PullSeen) => number): number => Math.max(0, ...some.map(of));
  const done = sum(({ counts }) => counts?.done ?? 0);
  // Until a table is cut to its end, as many are known as are whole.
  yield gathered(
    metrics.shards,
    { table, state: 'asked' },
    sum(({ record, counts }) => record.shards ?? counts?.done ?? 0),
  );
  yield gathered(metrics.shards, { table, state: 'done' }, done);
  yield gathered(
    metrics.rows,
    { table, state: 'published' },
    sum(({ counts }) => counts?.rows ?? 0),
  );
  yield gathered(
    metrics.rows,
    { table, state: 'estimated' },
    sum(({ record }) => record.rowsEstimate),
  );
  yield gathered(metrics.age, { table }, longest(({ record }) => nowMs - record.job.askedMs) / 1000);
  const since = ({ record, counts }: PullSeen): number => counts?.atMs ?? record.startedMs ?? nowMs;
  // Somebody wants a paused one to stand still.
  const idle = (pull: PullSeen): number => (openState(pull) === 'paused' ? 0 : nowMs - since(pull));
  yield gathered(metrics.idle, { table }, longest(idle) / 1000);
  const names = new Set(some.map(({ record: { job } }) => `${job.schema}.${job.table}`));
  const held = [...names].reduce((total, name) => total + (heldBytes.get(name) ?? 0), 0);
  yield gathered(metrics.heldBytes, { table }, held);
}

/** The parts of {@link PullCells} that are read. */
export interface PullReader {
  records(): Promise<readonly PullRecord[]>;
  counts(pull: string): Promise<PullCounts | null>;
  control(pull: string): Promise<PullControl>;
  burden(pull: string): Promise<PullBurden | null>;
}

/** Reads what is known of the pulls; of those that are over only that they are. Errors: UMBUS_COORDINATION_*. */
export async function pullsSeen(cells: PullReader): Promise<readonly PullSeen[]> {
  const seen: PullSeen[] = [];
  for (const record of await cells.records()) {
    const { pull } = record.job;
    if (isOver(record)) seen.push({ record, counts: null, control: null, burden: null });
    else
      seen.push({
        record,
        counts: await cells.counts(pull),
        control: await cells.control(pull),
        burden: await cells.burden(pull),
      });
  }
  return seen;
}
