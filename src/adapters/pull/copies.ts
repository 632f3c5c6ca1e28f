import type { Buffer } from 'node:buffer';
import type { PullJob, ShardTask } from '../../change/pull-job.ts';
import type { PulledPlace } from '../../change/pull-signal.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import { recordMemory } from '../../core/memory-pool.ts';
import type { MaskRules } from '../../masking/mask-spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicSpec, Writer } from '../../ports/log.ts';
import type { PullSource } from '../../ports/pull-source.ts';
import { WHOLE_TABLE } from '../../sharding/key-range.ts';
import type { CopiedMessage, RowCopier } from '../../stages/copy-rows.ts';
import type { UmsBatch } from '../../ums/types.ts';
import { type AnswerBoard, askUntilAnswered } from './answer-board.ts';
import { COPY_HEADER, copiedRows, copyHeader } from './copied-rows.ts';
import { isOver, type PullCells, type PullRecord } from './pull-cells.ts';
import { assertCutBy, literalsOf, UNCUT } from './pull-shard.ts';

/** How long a shard is left to another process that has taken it, and how often it is looked at meanwhile. */
const LEFT_MS = 30_000;
const LOOK_MS = 1000;

/** What copies are made with. */
export interface CopyTools {
  readonly log: Log;
  readonly clock: Clock;
  readonly source: PullSource;
  readonly cells: PullCells;
  readonly board: AnswerBoard;
  readonly copier: RowCopier;
  /** The masks in force. */
  readonly masks: () => Promise<MaskRules>;
  /** The topic of a copy, as it is made when it is not there. Errors: UMBUS_PULL_TOPIC. */
  readonly topicOf: (name: string) => TopicSpec;
  readonly newToken: () => string;
  readonly pageBytes: number;
  /** As in `ShardTools`; `leaves`: whether a shard can be left when it has waited long for others. */
  readonly pace: (rows: number, signal: AbortSignal, leaves: boolean) => Promise<boolean>;
}

/** Begins a copy: makes its topic when it is not there, and says there where it begins. Errors: UMBUS_PULL_TABLE, UMBUS_PULL_TOPIC, UMBUS_SOURCE_*, UMBUS_LOG_*. */
export async function beginCopy(
  job: PullJob,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<void> {
  if (!(await hasTopic(job, tools))) await tools.log.ensureTopics([tools.topicOf(job.to ?? '')]);
  const place = await placeOf(job, tools, signal);
  const batch = { state: 'begin', pull: job.pull, whole: job.condition === null } as const;
  await write(job, tools, writer, [tools.copier.notice(job, place, batch)], null);
}

/**
 * Copies the rows of a shard to the topic of the pull, from where the topic has them, and notes that it is whole; false when the pull was paused, or another process has taken the shard. Each page says in its own append how far
 * the shard is, and whoever takes the shard has its writer, so that no row comes twice. Rows that are in no order are begun anew, behind an `abort` and another `begin`. Errors: UMBUS_SOURCE_*, UMBUS_PULL_*,
 * UMBUS_LOG_*; the signal's reason.
 */
export async function copyShard(task: ShardTask, tools: CopyTools, signal: AbortSignal): Promise<boolean> {
  const { cells, log, clock } = tools;
  if (await isDone(task, tools)) return true;
  try {
    await using writer = await log.openWriter(`umbus.copy.${task.pull}.${task.shard}`);
    return await copyRows(task, tools, writer, signal);
  } catch (error) {
    if (!isUmbusError(error, 'UMBUS_LOG_FENCED')) throw error;
  }
  // Taken back at once, it would go from one to the other for ever.
  for (const until = clock.now() + LEFT_MS; clock.now() < until && !(await isDone(task, tools)); ) {
    signal.throwIfAborted();
    await clock.sleep(LOOK_MS, signal);
  }
  return await cells.copies.isCopied(task.pull, task.shard);
}

async function isDone({ pull, shard }: ShardTask, { cells }: CopyTools): Promise<boolean> {
  const record = await cells.record(pull);
  return record === null || isOver(record) || (await cells.copies.isCopied(pull, shard));
}

async function copyRows(
  task: ShardTask,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<boolean> {
  const { source, log, cells, copier, pace } = tools;
  const { pull, shard, cutBy } = task;
  let { next, rows: count } = await copiedRows(task, { log, cells: cells.copies }, signal);
  const ordered = cutBy !== UNCUT;
  if (!ordered && count > 0) {
    await tell(task, tools, writer, { state: 'abort', whole: task.condition === null, rows: count }, signal);
    await tell(task, tools, writer, { state: 'begin', whole: task.condition === null }, signal);
    count = 0;
  }
  const place = await placeOf(task, tools, signal);
  const now = await source.table(task.schema, task.table, task.splitBy, task.columns);
  assertCutBy(now, cutBy);
  const after = ordered && next !== null ? literalsOf(next) : task.after;
  const range = task.keyed ? { after, upTo: task.upTo } : WHOLE_TABLE;
  await using rows = await now.read(range, task.condition, Number.MAX_SAFE_INTEGER);
  const masks = await tools.masks();
  for (;;) {
    signal.throwIfAborted();
    const page = await rows.page(tools.pageBytes);
    if (page === null) break;
    if (!(await pace(page.rows, signal, ordered))) return false;
    const copied = copier.rows(now.page, page.events, now.present !== null, place, masks);
    recordMemory.giveBack(page.events);
    count += copied.rows;
    next = JSON.stringify(page.last);
    await write(task, tools, writer, copied.messages, copyHeader({ pull, shard, next, rows: count }));
    for (const { value } of copied.messages) recordMemory.giveBack(value);
  }
  await cells.copies.copied(pull, shard, count, task.upTo === null);
  return true;
}

/** Says where a copy ends, and notes its end, once all of its shards are whole. `shard`: the one that has become so. */
export async function endCopyIfWhole(
  job: PullJob,
  shard: number,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<void> {
  const { cells, clock } = tools;
  const record = await cells.record(job.pull);
  if (record === null || isOver(record)) return;
  const { shards: done, rows, of } = await cells.copies.copies(job.pull);
  cells.note(record, { rows, done, atMs: clock.now() });
  if (of === null || done < of || !(await cells.copies.ends(job.pull, shard))) return;
  await tell(job, tools, writer, { state: 'end', whole: job.condition === null, rows }, signal);
  const ended: Partial<PullRecord> = { status: 'ending', shards: of, rows, endedMs: clock.now() };
  await cells.change(record.job, ended);
  await cells.copies.forget(job.pull);
}

/** Says in the topic of a copy that no more will come; nothing where it has none. */
export async function abortCopy(
  job: PullJob,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<void> {
  const { rows } = await tools.cells.copies.copies(job.pull);
  if (!(await hasTopic(job, tools))) return;
  await tell(job, tools, writer, { state: 'abort', whole: job.condition === null, rows }, signal);
  await tools.cells.copies.forget(job.pull);
}

/** Errors: UMBUS_PULL_TOPIC for one that may not be written to. */
async function hasTopic({ to }: PullJob, { log, topicOf }: CopyTools): Promise<boolean> {
  const topic = topicOf(to ?? '');
  return (await log.topics()).some(({ name }) => name === topic.name);
}

async function tell(
  job: PullJob,
  tools: CopyTools,
  writer: Writer,
  batch: Omit<UmsBatch, 'pull'>,
  signal: AbortSignal,
): Promise<void> {
  const place = await placeOf(job, tools, signal);
  await write(job, tools, writer, [tools.copier.notice(job, place, { ...batch, pull: job.pull })], null);
}

/** A place in the stream before what is read next, and what messages of the table say there. Errors: UMBUS_PULL_TABLE when the line does not publish it. */
async function placeOf(
  { pull, schema, table }: PullJob,
  { board, source, newToken, clock }: CopyTools,
  signal: AbortSignal,
): Promise<PulledPlace> {
  const token = newToken();
  using answers = board.listen(answer => answer.pull === pull && 'token' in answer && answer.token === token);
  const ask = () => source.signal({ kind: 'place', pull, schema, table, token });
  const answer = await askUntilAnswered(answers, ask, clock, signal);
  if (answer.kind === 'placed' && answer.place !== null) {
    await source.reached(token, signal);
    return answer.place;
  }
  throw new UmbusError('UMBUS_PULL_TABLE', `The line does not publish the table ${schema}.${table}.`, {
    details: { table: `${schema}.${table}` },
  });
}

async function write(
  { to }: PullJob,
  { clock }: CopyTools,
  writer: Writer,
  messages: readonly CopiedMessage[],
  last: Buffer | null,
): Promise<void> {
  const timestampMs = clock.now();
  await writer.append(
    messages.map(({ key, value }, i) => ({
      topic: to ?? '',
      partition: 0,
      key,
      value,
      timestampMs,
      headers: last !== null && i === messages.length - 1 ? { [COPY_HEADER]: last } : {},
    })),
  );
}
