import { isOver, type PullRecord } from '../../adapters/pull/pull-cells.ts';
import type { WatchedPull } from '../../telemetry/alarms/observation.ts';
import { type PullReader, type PullSeen, pullsSeen } from '../telemetry/pull-samples.ts';
import { seenBurden } from './pull-text.ts';

/** A pull that failed so long ago is no news any more, also where nobody pulled its table again. */
const FAILED_MS = 7 * 24 * 3_600_000;

/** The pulls that are not over, and of each table the newest one where it failed. Errors: UMBUS_COORDINATION_*. */
export async function watchedPulls(cells: PullReader, nowMs: number): Promise<readonly WatchedPull[]> {
  const all = await pullsSeen(cells);
  return [
    ...all.filter(({ record }) => !isOver(record)).map(pull => openPull(pull, nowMs)),
    ...failedLately(all, nowMs).flatMap(failedPull),
  ];
}

/** Of each table the newest pull, where that failed within a week, and nobody meant it to. `all`: oldest first. */
export function failedLately(all: readonly PullSeen[], nowMs: number): readonly PullRecord[] {
  const newest = new Map<string, PullRecord>();
  for (const { record } of all) {
    const { schema, table, to } = record.job;
    // One that was refused beside another says nothing of the table.
    if (record.failure?.code !== 'UMBUS_PULL_RUNNING')
      newest.set(JSON.stringify([schema, table, to]), record);
  }
  return [...newest.values()].filter(
    ({ status, failure, endedMs }) =>
      status === 'abort' &&
      failure?.code !== 'UMBUS_PULL_CANCELLED' &&
      endedMs !== null &&
      nowMs - endedMs < FAILED_MS,
  );
}

function openPull({ record, counts, control, burden }: PullSeen, nowMs: number): WatchedPull {
  const { job, startedMs, status } = record;
  const lately = seenBurden(burden, nowMs);
  // A slow one has its pages far apart, and an independent one tells of whole shards only: there it is enough that somebody is at work.
  const isSlow = control?.rowsPerSecond != null || job.mode === 'independent';
  return {
    kind: 'open',
    pull: job.pull,
    table: `${job.schema}.${job.table}`,
    status,
    progressMs: Math.max(job.askedMs, startedMs ?? 0, counts?.atMs ?? 0),
    meant: control?.state === 'pause' || lately?.waits != null || (isSlow && lately !== null),
  };
}

function failedPull({ job, failure, endedMs }: PullRecord): readonly WatchedPull[] {
  if (failure === null || endedMs === null) return [];
  const { pull, schema, table } = job;
  return [{ kind: 'failed', pull, table: `${schema}.${table}`, ...failure, endedMs }];
}
