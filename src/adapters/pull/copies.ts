import { Buffer } from 'node:buffer';
import type { PullJob, ShardTask } from '../../change/pull-job.ts';
import type { PulledPlace } from '../../change/pull-signal.ts';
import { UmbusError } from '../../core/errors.ts';
import type { MaskRules } from '../../masking/mask-spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicSpec, Writer } from '../../ports/log.ts';
import type { PullSource, PullTable } from '../../ports/pull-source.ts';
import { WHOLE_TABLE } from '../../sharding/key-range.ts';
import type { CopiedMessage, RowCopier } from '../../stages/copy-rows.ts';
import type { UmsBatch } from '../../ums/types.ts';
import { type AnswerBoard, askUntilAnswered } from './answer-board.ts';
import { isOver, type PullCells, type PullRecord } from './pull-cells.ts';

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
  /** As in `ShardTools`. */
  readonly pace: (rows: number, signal: AbortSignal) => Promise<boolean>;
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
  await write(job, tools, writer, [tools.copier.notice(job, place, batch)]);
}

/**
 * Copies the rows of a shard to the topic of the pull, and notes that it is whole; false when the pull was paused. A shard that is copied again, because nobody knew that it was whole, has its rows there twice.
 * Errors: UMBUS_SOURCE_*, UMBUS_PULL_*, UMBUS_LOG_*; the signal's reason.
 */
export async function copyShard(
  task: ShardTask,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<boolean> {
  const { source, cells, copier, pace } = tools;
  const record = await cells.record(task.pull);
  if (record === null || isOver(record) || (await cells.isCopied(task.pull, task.shard))) return true;
  const place = await placeOf(task, tools, signal);
  const now = await source.table(task.schema, task.table, task.splitBy, task.columns);
  const range = task.keyed ? { after: task.after, upTo: task.upTo } : WHOLE_TABLE;
  await using rows = await now.read(range, task.condition, Number.MAX_SAFE_INTEGER);
  const masks = await tools.masks();
  let count = 0;
  for (;;) {
    signal.throwIfAborted();
    const page = await rows.page(tools.pageBytes);
    if (page === null) break;
    if (!(await pace(page.rows, signal))) return false;
    const copied = copier.rows(now.page, eventsOf(now, page.images), now.present !== null, place, masks);
    await write(task, tools, writer, copied.messages);
    count += copied.rows;
  }
  await cells.copied(task.pull, task.shard, count);
  return true;
}

/** Says where a copy ends, and notes its end, once all of its shards are whole. */
export async function endCopyIfWhole(
  job: PullJob,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<void> {
  const { cells, clock } = tools;
  const record = await cells.record(job.pull);
  if (record === null || isOver(record)) return;
  const { shards: done, rows } = await cells.copies(job.pull);
  cells.note(record, { rows, done, atMs: clock.now() });
  if (record.shards === null || done < record.shards) return;
  await tell(job, tools, writer, { state: 'end', whole: job.condition === null, rows }, signal);
  const ended: Partial<PullRecord> = { status: 'ending', rows, endedMs: clock.now() };
  await cells.change(record.job, ended);
  await cells.forgetCopies(job.pull);
}

/** Says in the topic of a copy that no more will come; nothing where it has none. */
export async function abortCopy(
  job: PullJob,
  tools: CopyTools,
  writer: Writer,
  signal: AbortSignal,
): Promise<void> {
  const { rows } = await tools.cells.copies(job.pull);
  if (!(await hasTopic(job, tools))) return;
  await tell(job, tools, writer, { state: 'abort', whole: job.condition === null, rows }, signal);
  await tools.cells.forgetCopies(job.pull);
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
  await write(job, tools, writer, [tools.copier.notice(job, place, { ...batch, pull: job.pull })]);
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
): Promise<void> {
  const timestampMs = clock.now();
  await writer.append(
    messages.map(({ key, value }) => ({
      topic: to ?? '',
      partition: 0,
      key,
      value,
      timestampMs,
      headers: {},
    })),
  );
}

function eventsOf({ present }: PullTable, images: Uint8Array): Buffer {
  return present === null ? Buffer.from(images) : Buffer.concat([present, images]);
}
