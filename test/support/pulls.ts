import assert from 'node:assert/strict';
import { isOver, PullCells, type PullRecord } from '../../src/adapters/pull/pull-cells.ts';
import { type PullJob, pullRequest } from '../../src/change/pull-job.ts';
import type { Coordination } from '../../src/ports/coordination.ts';
import { until } from './until.ts';

/** Asks for a full pull, as the command line does. */
export async function askPull(
  coordination: Coordination,
  ds: string,
  job: Pick<PullJob, 'pull' | 'schema' | 'table'> & Partial<PullJob>,
): Promise<PullCells> {
  const cells = new PullCells(coordination, ds);
  const whole: PullJob = {
    condition: null,
    splitBy: [],
    columns: [],
    mode: 'watermark',
    to: null,
    shardRows: 500,
    askedMs: Date.now(),
    ...job,
  };
  await cells.change(whole, {});
  await cells.request(whole.pull, pullRequest(whole));
  return cells;
}

/** Waits until a pull is over, and gives what is known of it. */
export async function pullOver(cells: PullCells, pull: string, deadlineMs = 60_000): Promise<PullRecord> {
  let record: PullRecord | null = null;
  await until(
    `pull ${pull} to be over`,
    async () => {
      record = await cells.record(pull);
      return record !== null && isOver(record);
    },
    deadlineMs,
  );
  return record ?? assert.fail(pull);
}
