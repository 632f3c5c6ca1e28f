import { isOver, PullCells } from '../../adapters/pull/pull-cells.ts';
import type { Line } from '../../config/line.ts';
import { isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { openLineCoordination } from '../open-services.ts';
import { absentWorkers } from '../pull/absent-workers.ts';
import { PullRates, seenBurden, stateText } from '../pull/pull-text.ts';
import { failedLately } from '../pull/watched-pulls.ts';
import { type PullReader, type PullSeen, pullsSeen } from '../telemetry/pull-samples.ts';
import type { OpenPullStatus, PullsStatus } from './line-status.ts';

/** What coordination knows of the pulls of a line that has run. Rejects only for faults of umbus itself: coordination that does not answer is told as such. */
export async function askPulls(line: Line, log: Log, clock: Clock): Promise<PullsStatus> {
  try {
    await using coordination = await openLineCoordination(line, log, clock);
    const status = await pullsStatus(new PullCells(coordination, line.ds), clock.now());
    return explained(status, await absentWorkers(coordination, line.ds));
  } catch (error) {
    if (!isUmbusError(error)) throw error;
    return { known: false, code: error.code, message: error.message };
  }
}

/** The pulls that are not over, and those that failed lately. Errors: UMBUS_COORDINATION_*. */
export async function pullsStatus(cells: PullReader, nowMs: number): Promise<PullsStatus> {
  const seen = await pullsSeen(cells);
  return {
    known: true,
    open: seen.filter(({ record }) => !isOver(record)).map(pull => openStatus(pull, nowMs)),
    failed: failedLately(seen, nowMs).map(({ job, failure, endedMs }) => ({
      pull: job.pull,
      table: `${job.schema}.${job.table}`,
      code: failure?.code ?? '',
      message: failure?.message ?? '',
      endedAt: new Date(endedMs ?? nowMs).toISOString(),
    })),
  };
}

/** Says why nothing comes of pulls that nothing else holds up. */
function explained(status: PullsStatus, why: string | null): PullsStatus {
  if (!status.known || why === null) return status;
  const open = status.open.map(pull => ({
    ...pull,
    waits: pull.status === 'paused' ? pull.waits : (pull.waits ?? why),
  }));
  return { ...status, open };
}

function openStatus({ record, counts, control, burden }: PullSeen, nowMs: number): OpenPullStatus {
  const { job, shards, rowsEstimate } = record;
  return {
    pull: job.pull,
    table: `${job.schema}.${job.table}`,
    status: stateText({ record, control }),
    mode: job.mode,
    askedAt: new Date(job.askedMs).toISOString(),
    shards,
    shardsDone: counts?.done ?? 0,
    rows: counts?.rows ?? 0,
    rowsEstimate,
    rowsPerSecond: new PullRates().of({ record, counts }),
    waits: seenBurden(burden, nowMs)?.waits ?? null,
  };
}
