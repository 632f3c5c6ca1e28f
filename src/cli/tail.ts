import { closest } from '../config/closest.ts';
import { UmbusError } from '../core/errors.ts';
import type { Log, LogRecord, TopicDescription, TopicPartition } from '../ports/log.ts';

/** Where reading begins: `recent` is the last few records of each partition. */
export type TailFrom = 'beginning' | 'end' | 'recent' | bigint;

/** What to read. */
export interface TailOptions {
  readonly topic: string;
  /** Null: all. */
  readonly partition: number | null;
  readonly from: TailFrom;
  /** Go on with what is appended later, until stopped. */
  readonly follow: boolean;
  /** Most records altogether; null: no limit. */
  readonly limit: number | null;
}

/** Records of each partition that `recent` starts with. */
export const RECENT_RECORDS = 10;

const READ_BYTES = 1024 * 1024;
/** How often a waiting read looks whether it was stopped in a log that cannot be interrupted. */
const FOLLOW_WAIT_MS = 1_000;

/** Takes one record; reading goes on when it resolves. */
export type TailSink = (place: TopicPartition, record: LogRecord) => Promise<void>;

/**
 * Reads a topic without a group, so that nothing is changed by it. Partitions come one after the other, then, when following, as records arrive. Errors: UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_USAGE, UMBUS_LOG_OFFSET_GONE.
 */
export async function tailTopic(
  log: Log,
  options: TailOptions,
  sink: TailSink,
  signal: AbortSignal,
): Promise<void> {
  const topic = await topicNamed(log, options.topic);
  const partitions = partitionsOf(topic, options);
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  const take: TailSink = async (place, record) => {
    if (left <= 0) return;
    left--;
    await sink(place, record);
    if (left <= 0) done.abort();
  };
  if (left <= 0) return;
  const positions = new Map<number, bigint>();
  for (const partition of partitions) {
    if (stop.aborted) return;
    const place = { topic: topic.name, partition };
    const end = topic.extents[partition]?.latest ?? 0n;
    const start = await startOf(log, place, options.from, topic);
    positions.set(partition, await readUntil(log, place, start, end, take, stop));
  }
  if (!options.follow) return;
  // One failing partition ends the others, so that the command does not hang on them.
  const following = partitions.map(async partition => {
    try {
      await readUntil(
        log,
        { topic: topic.name, partition },
        positions.get(partition) ?? 0n,
        null,
        take,
        stop,
      );
    } finally {
      done.abort();
    }
  });
  await Promise.all(following);
}

async function readUntil(
  log: Log,
  place: TopicPartition,
  start: bigint,
  end: bigint | null,
  take: TailSink,
  signal: AbortSignal,
): Promise<bigint> {
  let offset = start;
  while (!signal.aborted && (end === null || offset < end)) {
    const maxWaitMs = end === null ? FOLLOW_WAIT_MS : 0;
    const batch = await log.read({ ...place, offset }, { maxBytes: READ_BYTES, maxWaitMs }, signal);
    for (const record of batch.records) {
      if (signal.aborted) return offset;
      if (end !== null && record.offset >= end) return end;
      await take(place, record);
    }
    // Where a compacted tail has no more records, the log has nothing further to give.
    if (end !== null && batch.nextOffset === offset) return offset;
    offset = batch.nextOffset;
  }
  return offset;
}

async function startOf(
  log: Log,
  place: TopicPartition,
  from: TailFrom,
  topic: TopicDescription,
): Promise<bigint> {
  const extent = topic.extents[place.partition];
  if (extent === undefined) return 0n;
  if (from === 'beginning') return extent.earliest;
  if (from === 'end') return extent.latest;
  if (typeof from === 'bigint') return from;
  const [oldest] = await log.tail(place, RECENT_RECORDS);
  return oldest?.offset ?? extent.latest;
}

/** The topic of that name. Throws UMBUS_LOG_UNKNOWN_TOPIC with the name that was probably meant. */
export async function topicNamed(log: Log, name: string): Promise<TopicDescription> {
  const topics = await log.topics();
  const found = topics.find(topic => topic.name === name);
  if (found !== undefined) return found;
  const names = topics.map(topic => topic.name);
  const meant = closest(name, names);
  const suggestion =
    meant === null ? `The topics are ${names.join(', ') || 'none yet'}.` : `Did you mean ${meant}?`;
  throw new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', `There is no topic ${name}. ${suggestion}`, {
    details: { topic: name },
  });
}

function partitionsOf(topic: TopicDescription, options: TailOptions): readonly number[] {
  const all = topic.extents.map((_, index) => index);
  const { partition, from } = options;
  if (partition !== null && partition >= all.length) {
    throw new UmbusError(
      'UMBUS_USAGE',
      `The topic ${topic.name} has partitions 0 to ${all.length - 1}, not ${partition}.`,
    );
  }
  if (typeof from === 'bigint' && partition === null && all.length > 1) {
    throw new UmbusError(
      'UMBUS_USAGE',
      `The topic ${topic.name} has ${all.length} partitions: an offset needs --partition with it.`,
    );
  }
  return partition === null ? all : [partition];
}
