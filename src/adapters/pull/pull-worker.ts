import { randomUUID } from 'node:crypto';
import type { PullJob, ShardTask, SplitTask } from '../../change/pull-job.ts';
import { failureOf, type PullFailure } from '../../change/pull-signal.ts';
import type { RawRun } from '../../change/raw-run.ts';
import { isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicSpec } from '../../ports/log.ts';
import type { PullSource } from '../../ports/pull-source.ts';
import type { SourceLoad } from '../../ports/source-load.ts';
import { parseCondition } from '../../sharding/condition.ts';
import { splitStep } from '../../sharding/split-plan.ts';
import { beginPull } from './begin-pull.ts';
import { abortCopy, beginCopy, type CopyTools, copyShard, endCopyIfWhole } from './copies.ts';
import { type BackOff, LoadWatch } from './load-watch.ts';
import { Pacer } from './pacer.ts';
import { pagesAhead } from './page-flight.ts';
import { PausedPulls } from './paused-pulls.ts';
import { isOver, type PullCells, type PullControl } from './pull-cells.ts';
import { jobOf, PullRecords } from './pull-records.ts';
import { holdOf, partOfKeyless, restless } from './pull-refusals.ts';
import { assertCutBy, pullShard, type ShardOutcome, type ShardTools, UNCUT } from './pull-shard.ts';
import { Turns } from './turns.ts';
import { WriterPool } from './writer-pool.ts';

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
  /** How long a shard of a pull that people hold to a rate is read before others have their turn, in milliseconds; default a minute. */
  readonly turnMs?: number;
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
const DEFAULT_TURN_MS = 60_000;
const DEFAULT_PAGE_BYTES = 512 * 1024;
const RETRY_MS = 1000;
const PAUSED_MS = 1000;
/** Windows of a shard that closed one after the other without a row, before the pull is given up. */
const MOST_IDLE_WINDOWS = 20;
/** How often it is tried to begin to read a table without a key while nothing of it changes. */
const MOST_QUIET_TRIES = 500;
const NEVER = new AbortController().signal;

/** Splits tables and pulls shards for one process. Whatever fails is told in the pull's record, and stops no other. */
export class PullWorker implements AsyncDisposable {
  readonly #options: PullWorkerOptions;
  readonly #records: PullRecords;
  readonly #writers: WriterPool;
  /** In containers a process that begins again has the name of the one before it, whose windows are not its own. */
  readonly #life = randomUUID().slice(0, 8);
  #made = 0;
  readonly #watch: LoadWatch;
  readonly #pacer: Pacer;
  readonly #turns: Turns;
  readonly #paused: PausedPulls;

  constructor(options: PullWorkerOptions) {
    this.#options = options;
    const { log, member } = options;
    this.#writers = new WriterPool(() => log.openWriter(`umbus.puller.${member}.${++this.#made}`));
    this.#records = new PullRecords(options);
    this.#watch = new LoadWatch(options.load, options.backOff, options.clock);
    this.#pacer = new Pacer(options.cells, options.clock, this.#watch);
    this.#turns = new Turns(options.concurrency);
    this.#paused = new PausedPulls(options.cells, options.clock);
  }

  /** Whether a pull was paused a moment ago; false as long as that is not known. */
  isPaused(pull: string): boolean {
    return this.#paused.has(pull);
  }

  /** Makes a step of splitting; the first one begins the pull. Gives it back when this process stops, and when `leaving` aborts. Never rejects, but for the signal. */
  async split(task: SplitTask, signal: AbortSignal, leaving: AbortSignal = NEVER): Promise<PullStep> {
    const back = { shards: [], split: task };
    return await this.#guarded(task, back, { signal, leaving }, (_, until) => this.#split(task, until));
  }

  /** Pulls a shard to its end; gives it back when this process stops, and when `leaving` aborts. Never rejects, but for the signal. */
  async pull(task: ShardTask, signal: AbortSignal, leaving: AbortSignal = NEVER): Promise<PullStep> {
    const back = { shards: [task], split: null };
    return await this.#guarded(task, back, { signal, leaving }, ({ concurrency }, until) =>
      this.#turns.take(task.pull, concurrency ?? Number.POSITIVE_INFINITY, async () =>
        until.aborted ? null : await this.#pull(task, until),
      ),
    );
  }

  /** Tries again what may pass, gives back what others may do, what is paused and what does not have its turn (null), and ends the pull for all else. Nothing is left to do of one that is over. */
  async #guarded(
    job: PullJob,
    back: PullStep,
    { signal, leaving }: { readonly signal: AbortSignal; readonly leaving: AbortSignal },
    work: (control: PullControl, until: AbortSignal) => Promise<PullStep | null>,
  ): Promise<PullStep> {
    const { clock, cells, stopping } = this.#options;
    const ending = AbortSignal.any([stopping, leaving]);
    const until = AbortSignal.any([signal, ending]);
    let failure: PullFailure | null = null;
    for (;;) {
      signal.throwIfAborted();
      if (ending.aborted) return back;
      try {
        const record = await cells.record(job.pull);
        if (record !== null && isOver(record)) return NOTHING;
        const control = await cells.control(job.pull);
        if (control.state === 'cancel') failure ??= CANCELLED;
        if (failure !== null) return await this.#fail(job, failure, until);
        const step = control.state === 'pause' ? null : await work(control, until);
        if (step === null) {
          // Others wait behind it.
          await clock.sleep(PAUSED_MS, until);
          return back;
        }
        if (step !== AGAIN) return step;
      } catch (error) {
        if (ending.aborted) return back;
        signal.throwIfAborted();
        if (isUmbusError(error) && error.retryable) await clock.sleep(RETRY_MS, until);
        else if (failure === null) failure = failureOf(error);
        else throw error;
      }
    }
  }

  async #split(task: SplitTask, until: AbortSignal): Promise<PullStep> {
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
        const tools = await this.#copyTools(job);
        await this.#writers.use(writer => beginCopy(job, tools, writer, until));
      }
      const hold = holdOf(job, keyed);
      const begun =
        job.mode === 'independent'
          ? null
          : await beginPull(
              job,
              { whole: condition === null, ...(hold !== null && { hold }) },
              { source, cells, clock, board: await this.#records.board() },
              until,
            );
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
    await cells.change(job, { status: 'pulling', shards: next });
    return { shards, split: null };
  }

  /** What an independent pull is made with. */
  async #copyTools({ pull }: PullJob): Promise<CopyTools> {
    const { log, clock, source, cells, copies, pageBytes = DEFAULT_PAGE_BYTES } = this.#options;
    const board = await this.#records.board();
    const newToken = (): string => this.#token(pull, 'c');
    const pace: CopyTools['pace'] = (...wanted) => this.#pacer.pace(pull, ...wanted);
    return { log, clock, source, cells, board, ...copies, newToken, pageBytes, pace };
  }

  /** Calls a window as nothing else was ever called. The source's column has 64 characters. */
  #token(pull: string, what: string): string {
    return `${pull}.${what}.${this.#options.member}.${this.#life}.${++this.#made}`.slice(-64);
  }

  /** Copies a shard of an independent pull; null when it is paused. */
  async #copy(task: ShardTask, until: AbortSignal): Promise<PullStep | null> {
    if (!(await this.#pacer.ready(task.pull, until))) return null;
    const tools = await this.#copyTools(task);
    if (!(await copyShard(task, tools, until))) return null;
    await this.#writers.use(writer => endCopyIfWhole(jobOf(task), task.shard, tools, writer, until));
    return NOTHING;
  }

  async #pull(task: ShardTask, until: AbortSignal): Promise<PullStep | null> {
    if (task.mode === 'independent') return await this.#copy(task, until);
    const { source, clock, encode, target, pageBytes = DEFAULT_PAGE_BYTES } = this.#options;
    const { turnMs = DEFAULT_TURN_MS } = this.#options;
    const board = await this.#records.board();
    const untilMs = clock.now() + turnMs;
    // A slow one would stand before the shards of others for hours. One that is not cut would begin anew.
    const isOver = (): boolean =>
      task.cutBy !== UNCUT && this.#pacer.isThrottled(task.pull) && clock.now() >= untilMs;
    const tools: Omit<ShardTools, 'writer'> = {
      source,
      board,
      clock,
      target: target(task.schema, task.table),
      encode,
      newToken: () => this.#token(task.pull, String(task.shard)),
      pageBytes,
      ahead: () => pagesAhead(this.#turns.taken),
      pace: async (rows, signal) =>
        !isOver() && (await this.#pacer.pace(task.pull, rows, signal, task.cutBy !== UNCUT)),
      passing: answer => this.#watch.passing(answer),
    };
    const outcome = await this.#writers.use(writer =>
      this.#windows(task, { ...tools, writer }, isOver, until),
    );
    if (outcome === null) return null;
    if (outcome.kind === 'again') return AGAIN;
    return outcome.kind === 'aborted' ? await this.#end(task, outcome.failure) : NOTHING;
  }

  /** Reads a shard in as many windows as it takes; `again` when people want something else of the pull, and null when its turn is over. */
  async #windows(
    task: ShardTask,
    tools: ShardTools,
    isOver: () => boolean,
    signal: AbortSignal,
  ): Promise<ShardOutcome | null> {
    const most = task.keyed || task.mode === 'blocking' ? MOST_IDLE_WINDOWS : MOST_QUIET_TRIES;
    for (let idle = 0; idle <= most; ) {
      if (isOver()) return null;
      if (!(await this.#pacer.ready(task.pull, signal))) return { kind: 'again', progress: false };
      const outcome = await pullShard(task, tools, signal);
      if (outcome.kind !== 'again') return outcome;
      idle = outcome.progress ? 0 : idle + 1;
    }
    throw restless(task, most);
  }

  /** Ends a pull because of what failed here. Rejects with what may pass: the appender must hear of it. */
  async #fail(job: PullJob, failure: PullFailure, until: AbortSignal): Promise<PullStep> {
    const { source } = this.#options;
    const { pull, schema, table } = job;
    try {
      if (job.mode === 'independent') {
        const tools = await this.#copyTools(job);
        await this.#writers.use(writer => abortCopy(job, tools, writer, until));
      } else await source.signal({ kind: 'cancel', pull, schema, table });
    } catch (error) {
      // The source does not take it: the record says what failed, and the next pull of the table ends this one.
      if (until.aborted || !isUmbusError(error) || error.retryable) throw error;
    }
    return await this.#end(job, failure);
  }

  async #end(job: PullJob, failure: PullFailure): Promise<PullStep> {
    await this.#records.failed(jobOf(job), failure);
    return NOTHING;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#paused[Symbol.asyncDispose]();
    await this.#records[Symbol.asyncDispose]();
    await this.#writers[Symbol.asyncDispose]();
    await this.#options.source[Symbol.asyncDispose]();
    await this.#options.load[Symbol.asyncDispose]();
  }
}

const CANCELLED: PullFailure = { code: 'UMBUS_PULL_CANCELLED', message: 'The pull was cancelled.' };
