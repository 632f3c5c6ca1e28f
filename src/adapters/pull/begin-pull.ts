import type { PullJob } from '../../change/pull-job.ts';
import type { PullAnswer, PullHold } from '../../change/pull-signal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PullSource } from '../../ports/pull-source.ts';
import { type AnswerBoard, askUntilAnswered } from './answer-board.ts';
import type { PullCells } from './pull-cells.ts';

/** Pulls that are over and that an appender is told of which does not know so. */
const MOST_TOLD = 3;

/** What a pull begins with. */
export interface BeginTools {
  readonly source: PullSource;
  readonly cells: PullCells;
  readonly clock: Clock;
  readonly board: AnswerBoard;
}

/** How a pull is to begin. */
export interface BeginHow {
  readonly whole: boolean;
  readonly hold?: PullHold;
}

/**
 * Asks the appender to begin a pull, by a watermark, until it answers; notes the number of the batch. A pull of the same table that ended while the source took nothing is still open for the appender: it is told, and asked again.
 * Errors: UMBUS_SOURCE_*, UMBUS_COORDINATION_*; the signal's reason.
 */
export async function beginPull(
  job: PullJob,
  how: BeginHow,
  tools: BeginTools,
  until: AbortSignal,
): Promise<PullAnswer> {
  const answer = await asked(job, how, tools, until);
  if (answer.kind !== 'aborted' || answer.failure.code !== 'UMBUS_PULL_RUNNING') return answer;
  const { source, cells } = tools;
  const { schema, table } = job;
  const over = (await cells.records()).filter(
    ({ job: other, status }) => status === 'abort' && other.schema === schema && other.table === table,
  );
  if (over.length === 0) return answer;
  for (const { job: other } of over.slice(-MOST_TOLD)) {
    await source.signal({ kind: 'cancel', pull: other.pull, schema, table });
  }
  return await asked(job, how, tools, until);
}

async function asked(
  job: PullJob,
  how: BeginHow,
  { source, cells, clock, board }: BeginTools,
  until: AbortSignal,
): Promise<PullAnswer> {
  const { pull, schema, table } = job;
  using answers = board.listen(
    answer => answer.pull === pull && (answer.kind === 'begun' || answer.kind === 'aborted'),
  );
  const ask = () => source.signal({ kind: 'begin', pull, schema, table, ...how });
  const answer = await askUntilAnswered(answers, ask, clock, until);
  if (answer.kind === 'begun') await cells.change(job, { batchId: answer.batchId });
  return answer;
}
