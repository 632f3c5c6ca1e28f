import type { PullJob } from '../../change/pull-job.ts';
import type { PullAnswer, PullFailure } from '../../change/pull-signal.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicSpec } from '../../ports/log.ts';
import { AnswerBoard, type AnswerQueue } from './answer-board.ts';
import type { PullCells } from './pull-cells.ts';

/** Between tries to reach coordination, in milliseconds. */
const RETRY_MS = 1000;

/** Where pulls are answered, and where it is noted. */
export interface PullRecordsOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly cells: PullCells;
  /** `<ds>_pull`. */
  readonly answers: TopicSpec;
}

/** Notes in the pulls' records what the appender answers. */
export class PullRecords implements AsyncDisposable {
  readonly #options: PullRecordsOptions;
  readonly #closed = new AbortController();
  #board: Promise<AnswerBoard> | null = null;
  #following: Promise<void> = Promise.resolve();

  constructor(options: PullRecordsOptions) {
    this.#options = options;
  }

  /** Aborts when this is disposed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The answers; they are followed from the first call on. Errors: UMBUS_LOG_*. */
  board(): Promise<AnswerBoard> {
    this.#board ??= this.#open();
    return this.#board;
  }

  /** Notes that a pull has failed, unless it is over already. Errors: UMBUS_COORDINATION_*. */
  async failed(job: PullJob, failure: PullFailure): Promise<void> {
    const { cells, clock } = this.#options;
    const before = await cells.record(job.pull);
    if (before?.status === 'abort' || before?.status === 'ending') return;
    await cells.change(job, { status: 'abort', failure, endedMs: clock.now() });
  }

  async #open(): Promise<AnswerBoard> {
    const { log, clock, answers } = this.#options;
    await log.ensureTopics([answers]);
    const board = await AnswerBoard.open(log, answers.name, clock);
    const queue = board.listen(({ kind }) => kind === 'page' || kind === 'ended' || kind === 'aborted');
    this.#following = this.#follow(queue).catch(() => {}); // closed
    return board;
  }

  async #follow(answers: AnswerQueue): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closed;
    for (;;) {
      const answer = await answers.next(signal);
      while (!signal.aborted) {
        try {
          await this.#note(answer);
          break;
        } catch (error) {
          // Coordination is away; the last answer of a pull is told once.
          if (!(isUmbusError(error) && error.retryable)) break;
          await clock.sleep(RETRY_MS, signal);
        }
      }
    }
  }

  async #note(answer: PullAnswer): Promise<void> {
    const { cells, clock } = this.#options;
    const record = await cells.record(answer.pull);
    if (record === null) return;
    const atMs = clock.now();
    if (answer.kind === 'page') cells.note(record, { rows: answer.rows, done: answer.done, atMs });
    else if (answer.kind === 'aborted') await this.failed(jobOf(record.job), answer.failure);
    else if (answer.kind === 'ended' && record.status !== 'ending') {
      const { rows, shards, batchId } = answer;
      const ended = { status: 'ending', shards, rows, batchId, endedMs: atMs } as const;
      cells.note(await cells.change(record.job, ended), { rows, done: shards, atMs });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new UmbusError('UMBUS_LOG_CLOSED', 'The pulls of this process have ended.'));
    const board = await this.#board?.catch(() => null);
    await this.#following;
    await board?.[Symbol.asyncDispose]();
  }
}

/** The job that a task is part of. */
export function jobOf(task: PullJob): PullJob {
  const { pull, schema, table, condition, splitBy, columns, shardRows, mode, to, askedMs } = task;
  return { pull, schema, table, condition, splitBy, columns, shardRows, mode, to, askedMs };
}
