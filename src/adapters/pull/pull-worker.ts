import { randomUUID } from 'node:crypto';
import type { PullJob, ShardTask, SplitTask } from '../../change/pull-job.ts';
import { failureOf, type PullAnswer, type PullFailure, type PullHold } from '../../change/pull-signal.ts';
import type { RawRun } from '../../change/raw-run.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicSpec, Writer } from '../../ports/log.ts';
import type { PullSource } from '../../ports/pull-source.ts';
import type { SourceLoad } from '../../ports/source-load.ts';
import { parseCondition } from '../../sharding/condition.ts';
import { splitStep } from '../../sharding/split-plan.ts';
import { askUntilAnswered } from './answer-board.ts';
import { abortCopy, beginCopy, type CopyTools, copyShard, endCopyIfWhole } from './copies.ts';
import { type BackOff, LoadWatch } from './load-watch.ts';
import { Pacer } from './pacer.ts';
import type { PullCells, PullControl } from './pull-cells.ts';
import { jobOf, PullRecords } from './pull-records.ts';
import { assertCutBy, pullShard, type ShardOutcome, type ShardTools, UNCUT } from './pull-shard.ts';
import { Turns } from './turns.ts';

/** What pulls are made with. */
export interface PullWorkerOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly source: PullSource;
  readonly cells: PullCells;
  /** `<ds>_pull`. */
  readonly answers: TopicSpec;
  /** Where pages of a table go. */
  readonly target: (schema: string, table: string) => { readonly topic: string; readonly partition: number };
  readonly encode: (run: RawRun) => Uint8Array;
  /** Unique among all processes of the line. */
  readonly member: string;
  /** When it aborts, what is under way is given back, to be taken by others or later. */
  readonly stopping: AbortSignal;
  readonly pageBytes?: number;
  /** Most shards that this process reads at a time, of all pulls. */
  readonly concurrency: number;
  /** How busy the source is that rows are read from. */
  readonly load: SourceLoad;
  readonly backOff: BackOff;
  /** How independent pulls write. */
  readonly copies: Pick<CopyTools, 'copier' | 'masks' | 'topicOf'>;
}

/** What a step of a pull leaves to be done. */
export interface PullStep {
  readonly shards: readonly ShardTask[];
  /** The next step of splitting, or the same one again. */
  readonly split: SplitTask | null;
}

const NOTHING: PullStep = { shards: [], split: null };
/** The same once more, when it may go on. */
const AGAIN: PullStep = { shards: [], split: null };
/** Shards that are cut in one step, and in the first one, for which the first rows wait. */
const SHARDS_A_STEP = 8;
const FIRST_SHARDS = 1;
const DEFAULT_PAGE_BYTES = 512 * 1024;
const RETRY_MS = 1000;
const PAUSED_MS = 1000;
/** Windows of a shard that closed one after the other without a row, before the pull is given up. */
const MOST_IDLE_WINDOWS = 20;
/** How often it is tried to begin to read a table without a key while nothing of it changes. */
const MOST_QUIET_TRIES = 500;

/** Splits tables and pulls shards for one process. Whatever fails is told in the pull's record, and stops no other. */
export class PullWorker implements AsyncDisposable {
  readonly #options: PullWorkerOptions;
  readonly #records: PullRecords;
  readonly #writers: Writer[] = [];
  /** In containers a process that begins again has the name of the one before it, whose windows are not its own. */
  readonly #life = randomUUID().slice(0, 8);
  #made = 0;
  readonly #watch: LoadWatch;
  readonly #pacer: Pacer;
  readonly #turns: Turns;

  constructor(options: PullWorkerOptions) {
    this.#options = options;
    this.#records = new PullRecords(options);
    this.#watch = new LoadWatch(options.load, options.backOff, options.clock);
    this.#pacer = new Pacer(options.cells, options.clock, this.#watch);
    this.#turns = new Turns(options.concurrency);
  }

  /** Makes a step of splitting; the first one begins the pull. Never rejects, but for the signal. */
  async split(task: SplitTask, signal: AbortSignal): Promise<PullStep> {
    return await this.#guarded(task, { shards: [], split: task }, signal, () => this.#split(task, signal));
  }

  /** Pulls a shard to its end; gives it back when this process stops. Never rejects, but for the signal. */
  async pull(task: ShardTask, signal: AbortSignal): Promise<PullStep> {
    const back = { shards: [task], split: null };
    return await this.#guarded(task, back, signal, ({ concurrency }) =>
      this.#turns.take(task.pull, concurrency ?? Number.POSITIVE_INFINITY, () => this.#pull(task, signal)),
    );
  }

  /** Tries again what may pass, gives back what others may do, what is paused and what does not have its turn (null), and ends the pull for all else. */
  async #guarded(
    job: PullJob,
    back: PullStep,
    signal: AbortSignal,
    work: (control: PullControl) => Promise<PullStep | null>,
  ): Promise<PullStep> {
    const { clock, cells, stopping } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      if (stopping.aborted) return back;
      try {
        const control = await cells.control(job.pull);
        if (control.state === 'cancel') return await this.#fail(job, CANCELLED);
        const step = control.state === 'pause' ? null : await work(control);
        if (step === null) {
          // Others wait behind it.
          await clock.sleep(PAUSED_MS, AbortSignal.any([signal, stopping]));
          return back;
        }
        if (step !== AGAIN) return step;
      } catch (error) {
        if (stopping.aborted) return back;
        signal.throwIfAborted();
        if (!(isUmbusError(error) && error.retryable)) return await this.#fail(job, failureOf(error));
        await clock.sleep(RETRY_MS, AbortSignal.any([signal, stopping]));
      }
    }
  }

  async #split(task: SplitTask, signal: AbortSignal): Promise<PullStep> {
    const { source, cells, clock } = this.#options;
    const { after, shard } = task;
    const job = jobOf(task);
    const condition = job.condition === null ? null : parseCondition(job.condition);
    const table = await source.table(job.schema, job.table, job.splitBy, job.columns);
    const { cutBy } = table;
    assertCutBy(table, task.cutBy);
    const { keyed } = table;
    if (after === null) {
      if (condition !== null) await table.check(condition);
      if (condition !== null && !keyed && job.mode !== 'independent') throw partOfKeyless(job);
      const { rowsEstimate } = table;
      await cells.change(job, { status: 'splitting', startedMs: clock.now(), rowsEstimate });
      if (job.mode === 'independent') {
        await this.#copying(job, signal, (tools, writer, until) => beginCopy(job, tools, writer, until));
      }
      const hold = holdOf(job, keyed);
      const begun =
        job.mode === 'independent'
          ? null
          : await this.#begin(job, { whole: condition === null, ...(hold !== null && { hold }) }, signal);
      if (begun?.kind === 'aborted') return await this.#end(job, begun.failure);
    }
    const most = after === null ? FIRST_SHARDS : SHARDS_A_STEP;
    const step = await splitStep(after, most, key => table.boundary(key, job.shardRows));
    const shards = step.shards.map(
      (range, i): ShardTask => ({
        ...job,
        condition,
        ...range,
        cutBy,
        keyed,
        kind: 'shard',
        shard: shard + i,
      }),
    );
    const next = shard + shards.length;
    if (step.next !== null) return { shards, split: { ...task, after: step.next.after, cutBy, shard: next } };
    const { pull, schema, table: name } = job;
    if (job.mode !== 'independent') {
      await source.signal({ kind: 'split', pull, schema, table: name, shards: next });
    }
    await cells.change(job, { status: 'pulling', shards: next });
    return { shards, split: null };
  }

  async #begin(
    job: PullJob,
    how: { readonly whole: boolean; readonly hold?: PullHold },
    signal: AbortSignal,
  ): Promise<PullAnswer> {
    const { pull, schema, table } = job;
    const board = await this.#records.board();
    using answers = board.listen(
      answer => answer.pull === pull && (answer.kind === 'begun' || answer.kind === 'aborted'),
    );
    const { source, clock, stopping } = this.#options;
    const ask = () => source.signal({ kind: 'begin', pull, schema, table, ...how });
    const answer = await askUntilAnswered(answers, ask, clock, AbortSignal.any([signal, stopping]));
    if (answer.kind === 'begun') await this.#options.cells.change(job, { batchId: answer.batchId });
    return answer;
  }

  /** Does something of an independent pull. */
  async #copying<T>(
    job: PullJob,
    signal: AbortSignal,
    work: (tools: CopyTools, writer: Writer, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { log, clock, source, cells, copies, pageBytes = DEFAULT_PAGE_BYTES } = this.#options;
    const board = await this.#records.board();
    const writer = await this.#takeWriter();
    const newToken = (): string => this.#token(job.pull, 'c');
    const pace: CopyTools['pace'] = (rows, until) => this.#pacer.pace(job.pull, rows, until);
    const tools: CopyTools = { log, clock, source, cells, board, ...copies, newToken, pageBytes, pace };
    let done: T;
    try {
      done = await work(tools, writer, AbortSignal.any([signal, this.#options.stopping]));
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
    this.#writers.push(writer);
    return done;
  }

  /** Calls a window as nothing else was ever called. The source's column has 64 characters. */
  #token(pull: string, what: string): string {
    return `${pull}.${what}.${this.#options.member}.${this.#life}.${++this.#made}`.slice(-64);
  }

  /** Copies a shard of an independent pull; null when it is paused. */
  async #copy(task: ShardTask, signal: AbortSignal): Promise<PullStep | null> {
    if (!(await this.#pacer.ready(task.pull, signal))) return null;
    return await this.#copying(task, signal, async (tools, writer, until) => {
      if (!(await copyShard(task, tools, writer, until))) return null;
      await endCopyIfWhole(jobOf(task), tools, writer, until);
      return NOTHING;
    });
  }

  async #pull(task: ShardTask, signal: AbortSignal): Promise<PullStep | null> {
    if (task.mode === 'independent') return await this.#copy(task, signal);
    const { source, clock, encode, target, pageBytes = DEFAULT_PAGE_BYTES } = this.#options;
    const board = await this.#records.board();
    const writer = await this.#takeWriter();
    const tools: ShardTools = {
      source,
      board,
      clock,
      target: target(task.schema, task.table),
      writer,
      encode,
      newToken: () => this.#token(task.pull, String(task.shard)),
      pageBytes,
      pace: (rows, until) => this.#pacer.pace(task.pull, rows, until, task.cutBy !== UNCUT),
      passing: answer => this.#watch.passing(answer),
    };
    let outcome: ShardOutcome;
    try {
      outcome = await this.#windows(task, tools, AbortSignal.any([signal, this.#options.stopping]));
    } catch (error) {
      // It may have failed, and then takes nothing more.
      await writer[Symbol.asyncDispose]();
      throw error;
    }
    this.#writers.push(writer);
    if (outcome.kind === 'again') return AGAIN;
    return outcome.kind === 'aborted' ? await this.#end(task, outcome.failure) : NOTHING;
  }

  /** Reads a shard in as many windows as it takes; `again` when people want something else of the pull. */
  async #windows(task: ShardTask, tools: ShardTools, signal: AbortSignal): Promise<ShardOutcome> {
    const most = task.keyed ? MOST_IDLE_WINDOWS : MOST_QUIET_TRIES;
    for (let idle = 0; idle <= most; ) {
      if (!(await this.#pacer.ready(task.pull, signal))) return { kind: 'again', progress: false };
      const outcome = await pullShard(task, tools, signal);
      if (outcome.kind !== 'again') return outcome;
      idle = outcome.progress ? 0 : idle + 1;
    }
    throw restless(task, most);
  }

  /** Ends a pull because of what failed here. */
  async #fail(job: PullJob, failure: PullFailure): Promise<PullStep> {
    const { source } = this.#options;
    const { pull, schema, table } = job;
    try {
      if (job.mode === 'independent') {
        const { closed: signal } = this.#records;
        await this.#copying(job, signal, (tools, writer, until) => abortCopy(job, tools, writer, until));
      } else await source.signal({ kind: 'cancel', pull, schema, table });
    } catch (error) {
      // The source is what fails: the record says so, and the next pull of the table ends this one.
      if (!isUmbusError(error)) throw error;
    }
    return await this.#end(job, failure);
  }

  async #end(job: PullJob, failure: PullFailure): Promise<PullStep> {
    await this.#records.failed(jobOf(job), failure);
    return NOTHING;
  }

  async #takeWriter(): Promise<Writer> {
    const { log, member } = this.#options;
    return this.#writers.pop() ?? (await log.openWriter(`umbus.puller.${member}.${++this.#made}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#records[Symbol.asyncDispose]();
    for (const writer of this.#writers) await writer[Symbol.asyncDispose]();
    await this.#options.source[Symbol.asyncDispose]();
    await this.#options.load[Symbol.asyncDispose]();
  }
}

const CANCELLED: PullFailure = { code: 'UMBUS_PULL_CANCELLED', message: 'The pull was cancelled.' };

/** Which messages of a table have to wait for its pull. */
function holdOf({ mode }: PullJob, keyed: boolean): PullHold | null {
  if (!keyed) return 'rows';
  return mode === 'blocking' ? 'begin' : null;
}

/** Readers find out what is gone of a table without a key by taking all rows anew, which a part of them does not allow. */
function partOfKeyless({ schema, table }: PullJob): UmbusError {
  const place = `${schema}.${table}`;
  return new UmbusError(
    'UMBUS_PULL_TABLE',
    `The table ${place} has no key, so only all of its rows can be pulled, without a condition.`,
    { details: { table: place } },
  );
}

function restless({ schema, table, shard, keyed }: ShardTask, times: number): UmbusError {
  return new UmbusError(
    'UMBUS_PULL_CHANGED',
    keyed
      ? `Shard ${shard} of ${schema}.${table} could not be read between two watermarks ${times} times.`
      : `The table ${schema}.${table} has no key, and ${times} times it changed in the moment in which its rows began to be read.`,
    { details: { table: `${schema}.${table}`, shard } },
  );
}
