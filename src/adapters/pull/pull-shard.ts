import { Buffer } from 'node:buffer';
import type { ShardTask } from '../../change/pull-job.ts';
import { PAGE_HEADER, type PageHead, pageRun } from '../../change/pull-page.ts';
import type { PullAnswer, PullFailure } from '../../change/pull-signal.ts';
import type { RawRun } from '../../change/raw-run.ts';
import { UmbusError } from '../../core/errors.ts';
import { recordMemory } from '../../core/memory-pool.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Writer } from '../../ports/log.ts';
import type { PulledPage, PullRows, PullSource, PullTable } from '../../ports/pull-source.ts';
import { cutText, type KeyLiterals, WHOLE_TABLE } from '../../sharding/key-range.ts';
import type { AnswerBoard } from './answer-board.ts';
import { PageFlight } from './page-flight.ts';
import { type WindowAnswer, WindowAnswers } from './window-answers.ts';

/** Between tries to hold off who changes a table. */
const LOCK_AGAIN_MS = 1000;

/** What a shard is read and written with. */
export interface ShardTools {
  readonly source: PullSource;
  readonly board: AnswerBoard;
  readonly clock: Clock;
  /** Where pages of the table go: `<ds>.<schema>` and the partition of the table. */
  readonly target: { readonly topic: string; readonly partition: number };
  readonly writer: Writer;
  readonly encode: (run: RawRun) => Uint8Array;
  readonly newToken: () => string;
  readonly pageBytes: number;
  /** How many pages may wait for their answers now. */
  readonly ahead: () => number;
  /** Told of rows before they are written, and waited for: where a pull is slowed down. False when it is paused. */
  readonly pace: (rows: number, signal: AbortSignal) => Promise<boolean>;
  /** Told that a watermark is on its way until its answer has come. */
  readonly passing: <T>(answer: Promise<T>) => Promise<T>;
}

/** `cutBy` of a table that is not cut: what is left of it is read from its start again. */
export const UNCUT = cutText(null);

/** What became of an attempt. */
export type ShardOutcome =
  | { readonly kind: 'whole' }
  /** The window counts no more, ended before the shard, or is left for a pause: another one goes on. `progress`: whether it published anything. */
  | { readonly kind: 'again'; readonly progress: boolean }
  | { readonly kind: 'aborted'; readonly failure: PullFailure };

/**
 * Reads a shard in one window, or waits for another puller that has taken it: opens it by a low watermark, is told where to go on, begins to read, writes the high watermark, and writes pages once that has come through the line. What is published,
 * and what not, the appender says. Errors: UMBUS_SOURCE_*, UMBUS_PULL_*, UMBUS_LOG_*; the signal's reason.
 */
export async function pullShard(
  task: ShardTask,
  tools: ShardTools,
  signal: AbortSignal,
): Promise<ShardOutcome> {
  const token = tools.newToken();
  using answers = new WindowAnswers(tools.board, { ...task, token });
  const outcome = await readWindow({ task, tools, token, answers }, signal);
  if (outcome.kind !== 'taken') return outcome;
  const end = await answers.ended(tools.clock, signal);
  return end === null ? { kind: 'again', progress: true } : outcomeOf(end, true);
}

/** A window that is taken by another puller. */
type WindowOutcome = ShardOutcome | { readonly kind: 'taken' };

async function readWindow(
  { task, tools, token, answers }: Pick<Writing, 'task' | 'tools' | 'token' | 'answers'>,
  signal: AbortSignal,
): Promise<WindowOutcome> {
  const { pull, schema, table, shard } = task;
  const mark = { pull, schema, table, shard, token, ...(task.upTo === null && ({ last: true } as const)) };
  const look = async (): Promise<PullTable> => {
    const now = await tools.source.table(schema, table, task.splitBy, task.columns);
    assertSame(now, task);
    return now;
  };
  // Its columns were asked for before its rows.
  const isStill = async (now: PullTable): Promise<boolean> => (await look()).page.map.equals(now.page.map);
  if (!task.keyed) {
    const now = await look();
    const told = (kind: 'low' | 'high') => tools.source.signal({ ...mark, kind });
    await using rows = await readInOneGo(now, { task, tools, token }, told, signal);
    if (rows === null || !(await isStill(now))) return { kind: 'again', progress: false };
    for (const kind of ['low', 'high'] as const) {
      const answer = await tools.passing(answers.next(signal));
      if (answer.kind !== kind) return outcomeOf(answer, false);
    }
    return await writePages(
      { task, tools, token, answers, now, rows, limit: Number.MAX_SAFE_INTEGER },
      signal,
    );
  }
  await tools.source.signal({ ...mark, kind: 'low' });
  const low = await tools.passing(answers.next(signal));
  if (low.kind !== 'low') return outcomeOf(low, false);
  await tools.source.reached(token, signal);
  const now = await look();
  const after = low.next === null ? task.after : literalsOf(low.next);
  const limit = task.cutBy === UNCUT ? Number.MAX_SAFE_INTEGER : 2 * task.shardRows;
  await using rows = await now.read({ after, upTo: task.upTo }, task.condition, limit);
  await tools.source.signal({ ...mark, kind: 'high' });
  if (!(await isStill(now))) return { kind: 'again', progress: false };
  const high = await tools.passing(answers.next(signal));
  if (high.kind !== 'high') return outcomeOf(high, false);
  return await writePages({ task, tools, token, answers, now, rows, limit }, signal);
}

/** Begins to read all rows of a table without a key between its watermarks, in whose time nothing of it may change; where that is asked for, others are held off meanwhile. Null when they could not be. */
async function readInOneGo(
  now: PullTable,
  { task, tools, token }: Pick<Writing, 'task' | 'tools' | 'token'>,
  mark: (kind: 'low' | 'high') => Promise<void>,
  signal: AbortSignal,
): Promise<PullRows | null> {
  const { source, clock } = tools;
  const read = async (): Promise<PullRows> => {
    await mark('low');
    // No answer is waited for.
    await source.reached(token, signal);
    const rows = await now.read(WHOLE_TABLE, null, Number.MAX_SAFE_INTEGER);
    try {
      await mark('high');
    } catch (error) {
      await rows[Symbol.asyncDispose]();
      throw error;
    }
    return rows;
  };
  if (task.mode !== 'blocking') return await read();
  const rows = await source.quiet(task.schema, task.table, read, signal);
  // Those who waited behind the lock go first.
  if (rows === null) await clock.sleep(LOCK_AGAIN_MS, signal);
  return rows;
}

/** Errors: UMBUS_PULL_CHANGED for a table that has a key now and had none before, or the other way round; those of {@link assertCutBy}. */
function assertSame(now: PullTable, { keyed, cutBy }: ShardTask): void {
  if (now.keyed !== keyed) throw changedKey(now);
  assertCutBy(now, cutBy);
}

/** Errors: UMBUS_PULL_CHANGED for bounds that are values of another key than the one that the table is cut by now: rows between them are others. */
export function assertCutBy(now: PullTable, before: string | null): void {
  if (before !== null && before !== now.cutBy) throw changedKey(now);
}

function changedKey({ schema, table }: PullTable): UmbusError {
  const place = `${schema}.${table}`;
  return new UmbusError(
    'UMBUS_PULL_CHANGED',
    `The key that ${place} is cut by, or a mask on it, changed while it was pulled.`,
    { details: { table: place } },
  );
}

interface Writing {
  readonly task: ShardTask;
  readonly tools: ShardTools;
  readonly token: string;
  readonly answers: WindowAnswers;
  readonly now: PullTable;
  readonly rows: Awaited<ReturnType<PullTable['read']>>;
  readonly limit: number;
}

/** Writes the pages of a window, so many ahead of the appender's answers that it need not wait for each, and no more, so that the changes of the table do not stand behind many. */
async function writePages(work: Writing, signal: AbortSignal): Promise<WindowOutcome> {
  const { tools, answers, rows, limit } = work;
  const flight = new PageFlight(signal);
  let count = 0;
  try {
    for (let number = 0; ; number++) {
      flight.signal.throwIfAborted();
      const page = await rows.page(tools.pageBytes);
      count += page?.rows ?? 0;
      // A result that the limit cut goes on in a window of its own, so that no window is open for long.
      if (page === null && count >= limit) return { kind: 'again', progress: true };
      if (page !== null && !(await tools.pace(page.rows, flight.signal)))
        return { kind: 'again', progress: number > 0 };
      flight.add(append(work, page, number));
      while (flight.size > tools.ahead() || page === null) {
        const answer = await answers.next(flight.signal);
        if (answer.kind !== 'page' || answer.whole) return outcomeOf(answer, number > 0);
        flight.answered();
      }
    }
  } finally {
    await flight.settled();
  }
}

/** Writes a page; null: the one without rows that ends the shard. */
async function append(
  { tools, token, now }: Writing,
  pulled: PulledPage | null,
  number: number,
): Promise<void> {
  const { target, writer, encode, clock } = tools;
  const { page, present } = now;
  const nowMs = clock.now();
  const head: PageHead = {
    token,
    page: number,
    rows: pulled?.rows ?? 0,
    next: pulled === null ? null : JSON.stringify(pulled.last),
    ...(present !== null && { partial: true }),
  };
  const value = encode(pageRun(page, pulled?.events ?? lastEvents(present), nowMs));
  await writer.append([
    {
      ...target,
      key: Buffer.from(token, 'utf8'),
      value,
      timestampMs: nowMs,
      headers: { [PAGE_HEADER]: Buffer.from(JSON.stringify(head), 'utf8') },
    },
  ]);
  recordMemory.giveBack(value);
}

/** A page without rows. */
function lastEvents(present: Uint8Array | null): Buffer {
  return present === null ? Buffer.alloc(0) : Buffer.from(present);
}

function outcomeOf(answer: PullAnswer, progress: boolean): ShardOutcome;
function outcomeOf(answer: WindowAnswer, progress: boolean): WindowOutcome;
function outcomeOf(answer: WindowAnswer, progress: boolean): WindowOutcome {
  switch (answer.kind) {
    case 'known':
    case 'page':
      return { kind: 'whole' };
    case 'aborted':
      return { kind: 'aborted', failure: answer.failure };
    case 'taken':
      return answer;
    default:
      return { kind: 'again', progress };
  }
}

/** What `next` of a page was made of; null for one of a table that is not cut, which is read from its start again. */
export function literalsOf(next: string): KeyLiterals | null {
  const literals = JSON.parse(next) as KeyLiterals; // as append wrote it
  return literals.length === 0 ? null : literals;
}
