import {
  isOver,
  type PullBurden,
  type PullControl,
  type PullCounts,
  type PullRecord,
} from '../../adapters/pull/pull-cells.ts';
import { tableText } from '../table-text.ts';

/** What is shown of a pull. */
export interface ShownPull {
  readonly record: PullRecord;
  readonly counts: PullCounts | null;
  readonly burden: PullBurden | null;
  /** What people want of it; null or absent: nothing, or it is not known. */
  readonly control?: PullControl | null;
  /** Who lacks to do it, as a clause; null or absent: nobody, or it is not known. */
  readonly lacks?: string | null;
}

/** How a pull stands, in a word: `waiting` for the line, `splitting`, `pulling`, `paused`, `cancelling`, `whole`, or `aborted`. */
export function stateText({ record, control = null }: Pick<ShownPull, 'record' | 'control'>): string {
  const { status } = record;
  if (status === 'ending') return 'whole';
  if (status === 'abort') return 'aborted';
  if (control?.state === 'pause') return 'paused';
  if (control?.state === 'cancel') return 'cancelling';
  return status === 'init' ? 'waiting' : status;
}

/** What was seen so long ago is not told any more. */
const SEEN_MS = 10_000;

/** How many rows a second pulls publish, of late. */
export class PullRates {
  readonly #samples = new Map<string, { readonly rows: number; readonly atMs: number }[]>();

  /** Rows a second of the last ten seconds, or since the pull began; 0 before it has. */
  of({ record, counts }: Pick<ShownPull, 'record' | 'counts'>): number {
    const { startedMs, endedMs, job } = record;
    if (startedMs === null) return 0;
    if (endedMs !== null) return rateOf(record.rows ?? counts?.rows ?? 0, endedMs - startedMs);
    if (counts === null) return 0;
    const samples = this.#samples.get(job.pull) ?? [{ rows: 0, atMs: startedMs }];
    if (counts.atMs > (samples.at(-1)?.atMs ?? 0)) samples.push({ rows: counts.rows, atMs: counts.atMs });
    while (samples.length > 2 && counts.atMs - (samples[1]?.atMs ?? 0) >= RATE_MS) samples.shift();
    this.#samples.set(job.pull, samples);
    const [first = { rows: 0, atMs: startedMs }] = samples;
    return rateOf(counts.rows - first.rows, counts.atMs - first.atMs);
  }
}

const RATE_MS = 10_000;

function rateOf(rows: number, ms: number): number {
  return Math.round(rows / Math.max(0.001, ms / 1000));
}

/** One line: `shop.orders  pulling  12 of 40 shards  1,200,000 rows  51,000 rows/s  about 55 s left  source: 7 threads`. `rate`: rows a second. */
export function progressText(pull: ShownPull, rate: number, nowMs: number): string {
  const { record, counts } = pull;
  const { job, status, shards, startedMs, failure } = record;
  const name = `${job.schema}.${job.table}`;
  if (status === 'abort') return `${name}  aborted: ${failure?.code ?? ''}: ${failure?.message ?? ''}`;
  if (status === 'init' || startedMs === null) {
    const state = stateText(pull);
    if (state === 'paused' || state === 'cancelling') return `${name}  ${state}`;
    return `${name}  waits for the line${pull.lacks == null ? '' : `: ${pull.lacks}`}`;
  }
  const rows = record.rows ?? counts?.rows ?? 0;
  const done = doneOf(record, counts);
  const parts = [
    `${name}  ${stateText(pull)}`,
    shards === null ? `${done} shards` : `${done} of ${shards} shards`,
    `${grouped(rows)} rows`,
    `${grouped(rate)} rows/s`,
  ];
  if (status === 'ending') return parts.join('  ');
  const left = record.rowsEstimate - rows;
  if (rate > 0 && left > 0) parts.push(`about ${timeText(left / rate)} left`);
  const burden = seenBurden(pull.burden, nowMs);
  if (burden !== null) parts.push(...loadTexts(burden));
  const waits = burden?.waits ?? (stateText(pull) === 'paused' ? null : pull.lacks);
  if (waits != null) parts.push(`waits: ${waits}`);
  return parts.join('  ');
}

/** How much of a pull is done, from 0 to 1, by the server's estimate of its rows; null where that says nothing. */
export function shareOf({ record, counts }: ShownPull): number | null {
  const rows = record.rows ?? counts?.rows ?? 0;
  return record.rowsEstimate > 0 ? Math.min(1, rows / record.rowsEstimate) : null;
}

/** What a pull is a burden to, unless that was seen too long ago to hold; then null. */
export function seenBurden(burden: PullBurden | null, nowMs: number): PullBurden | null {
  return burden !== null && nowMs - burden.atMs <= SEEN_MS ? burden : null;
}

function loadTexts({ threadsRunning, replicationLagMs, lineLagMs }: PullBurden): readonly string[] {
  const source = [
    ...(threadsRunning === null ? [] : [`${threadsRunning} threads`]),
    ...(replicationLagMs === null ? [] : [`${Math.round(replicationLagMs / 1000)} s behind`]),
  ];
  return [
    ...(source.length === 0 ? [] : [`source: ${source.join(', ')}`]),
    ...(lineLagMs < 1000 ? [] : [`line: ${Math.round(lineLagMs / 1000)} s late`]),
  ];
}

/** `55 s`, `12 min`, `3 h 5 min`. */
function timeText(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const COLUMNS = [
  { title: 'pull' },
  { title: 'table' },
  { title: 'status' },
  { title: 'batch', align: 'right' },
  { title: 'shards', align: 'right' },
  { title: 'rows', align: 'right' },
  { title: 'asked for' },
  { title: 'error, or why it waits' },
] as const;

/** The pulls that are kept, as a table. */
export function pullsText(pulls: readonly ShownPull[], nowMs: number): string {
  if (pulls.length === 0) return 'There was no pull yet.\n';
  const rows = pulls.map(({ record, counts, burden, control = null }) => [
    record.job.pull,
    `${record.job.schema}.${record.job.table}`,
    stateText({ record, control }),
    String(record.batchId),
    `${doneOf(record, counts)}/${record.shards ?? '?'}`,
    grouped(record.rows ?? counts?.rows ?? 0),
    new Date(record.job.askedMs).toISOString().slice(0, 19),
    record.failure?.code ?? (isOver(record) ? '' : (seenBurden(burden, nowMs)?.waits ?? boundText(control))),
  ]);
  return `${tableText(COLUMNS, rows)}\n`;
}

/** What a pull is held to. */
function boundText(control: PullControl | null): string {
  const { rowsPerSecond = null, concurrency = null } = control ?? {};
  const bounds = [
    ...(rowsPerSecond === null ? [] : [`${grouped(rowsPerSecond)} rows/s`]),
    ...(concurrency === null ? [] : [`${concurrency} shards at a time`]),
  ];
  return bounds.length === 0 ? '' : `at most ${bounds.join(', ')} of each process`;
}

function doneOf({ status, shards }: PullRecord, counts: PullCounts | null): number {
  return status === 'ending' && shards !== null ? shards : (counts?.done ?? 0);
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
