import type { PullCounts, PullRecord } from '../../adapters/pull/pull-cells.ts';
import { tableText } from '../table-text.ts';

/** Whether nothing more will become of a pull. */
export function isOver({ status }: PullRecord): boolean {
  return status === 'ending' || status === 'abort';
}

/** One line: `shop.orders  pulling  12 of 40 shards  1,200,000 rows  51,000 rows/s  about 55 s left`. */
export function progressText(record: PullRecord, counts: PullCounts | null, nowMs: number): string {
  const { job, status, shards, startedMs, endedMs, failure } = record;
  const name = `${job.schema}.${job.table}`;
  if (status === 'abort') return `${name}  aborted: ${failure?.code ?? ''}: ${failure?.message ?? ''}`;
  if (status === 'init' || startedMs === null) return `${name}  waits for the line`;
  const rows = record.rows ?? counts?.rows ?? 0;
  const seconds = Math.max(0.001, ((endedMs ?? counts?.atMs ?? nowMs) - startedMs) / 1000);
  const rate = Math.round(rows / seconds);
  const done = doneOf(record, counts);
  const parts = [
    `${name}  ${status === 'ending' ? 'whole' : status}`,
    shards === null ? `${done} shards` : `${done} of ${shards} shards`,
    `${grouped(rows)} rows`,
    `${grouped(rate)} rows/s`,
  ];
  const left = record.rowsEstimate - rows;
  if (status !== 'ending' && rate > 0 && left > 0) parts.push(`about ${Math.ceil(left / rate)} s left`);
  return parts.join('  ');
}

const COLUMNS = [
  { title: 'pull' },
  { title: 'table' },
  { title: 'status' },
  { title: 'batch', align: 'right' },
  { title: 'shards', align: 'right' },
  { title: 'rows', align: 'right' },
  { title: 'asked for' },
  { title: 'error' },
] as const;

/** The pulls that are kept, as a table. */
export function pullsText(
  pulls: readonly { readonly record: PullRecord; readonly counts: PullCounts | null }[],
): string {
  if (pulls.length === 0) return 'There was no pull yet.\n';
  const rows = pulls.map(({ record, counts }) => [
    record.job.pull,
    `${record.job.schema}.${record.job.table}`,
    record.status,
    String(record.batchId),
    `${doneOf(record, counts)}/${record.shards ?? '?'}`,
    grouped(record.rows ?? counts?.rows ?? 0),
    new Date(record.job.askedMs).toISOString().slice(0, 19),
    record.failure?.code ?? '',
  ]);
  return `${tableText(COLUMNS, rows)}\n`;
}

function doneOf({ status, shards }: PullRecord, counts: PullCounts | null): number {
  return status === 'ending' && shards !== null ? shards : (counts?.done ?? 0);
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
