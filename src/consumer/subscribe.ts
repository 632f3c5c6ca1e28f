import { isUmbusError, UmbusError } from '../core/errors.ts';
import type {
  AssignmentListener,
  Headers,
  Log,
  LogRecord,
  Membership,
  RecordBatch,
  TopicPartition,
} from '../ports/log.ts';
import type { SchemaRegistry } from '../ports/schema-registry.ts';
import { schemaIdOf } from '../ums/avro-frame.ts';
import type { UmsMessage } from '../ums/types.ts';
import { type AvroReader, createAvroReader } from './avro.ts';
import { invalidUms } from './invalid.ts';
import { readUms } from './read.ts';

/** A message with the record it came in. */
export interface UmsRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** The record key as text; '' when there is none. `parseKey` takes it apart. */
  readonly key: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number;
  /** Of the record, such as `seq`, `lane` and of heartbeats `beat` (ums-schema/README.md). */
  readonly headers: Headers;
  readonly message: UmsMessage;
}

/** Where to begin in each partition: its first kept record, its end, a time, or an offset of one's own (the next to read). */
export type SubscribeFrom =
  | 'earliest'
  | 'latest'
  | { readonly timestampMs: number }
  | ((partition: TopicPartition) => bigint);

/** What to read, and how far. */
export interface SubscribeOptions {
  readonly log: Log;
  /** Result topics, such as `shop.store.result`. Unknown ones are an error. */
  readonly topics: readonly string[];
  /** Default `earliest`. Not used by a group that has committed. */
  readonly from?: SubscribeFrom;
  /** True (default): wait for more at the end. False: stop at what was the end when the subscription began. */
  readonly follow?: boolean;
  /**
   * Read as a member of this consumer group: partitions are shared with its other members, and progress is committed, after the loop
   * has asked for the record behind a batch. Needs the log's owner process on an embedded log. `follow` must be true.
   */
  readonly group?: string;
  /** Where the schemas of topics in Avro are. Needed to read them; a topic may hold JSON and Avro. */
  readonly registry?: Pick<SchemaRegistry, 'schema'>;
  /** Bound of one read, per partition. Default 1 MB. */
  readonly maxBytes?: number;
  /** Ends the loop, without an error, at the next wait. */
  readonly signal?: AbortSignal;
}

const WAIT_MS = 1_000;

/**
 * Messages of result topics as an async iterator, in order within each partition, so in order for each table. Without a group it keeps no
 * position: the caller stores the offsets that it has applied, and passes them in `from`. Leaving the loop frees what it holds.
 * Errors: UMBUS_UMS_INVALID with topic, partition and offset; UMBUS_REGISTRY_* for topics in Avro; UMBUS_LOG_UNKNOWN_TOPIC; UMBUS_LOG_OFFSET_GONE when retention overtook
 * the reader; UMBUS_LOG_LOCKED for a group in a process that does not own the log; UMBUS_USAGE for a group with `follow: false`.
 */
export async function* subscribe(options: SubscribeOptions): AsyncGenerator<UmsRecord, void, undefined> {
  if (options.group !== undefined && options.follow === false) {
    throw new UmbusError('UMBUS_USAGE', 'A subscription with a group has no end: leave out `follow: false`.');
  }
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  try {
    if (options.group === undefined) yield* readAlone(options, signal);
    else yield* readInGroup(options, options.group, signal);
  } finally {
    stop.abort();
  }
}

interface Lane {
  readonly place: TopicPartition;
  next: bigint;
  /** Null: no end. */
  readonly end: bigint | null;
}

interface Arrival {
  readonly lane: Lane;
  readonly batch: RecordBatch;
}

/** One read at a time is under way for each partition, so that a quiet one does not hold the others up. */
async function* readAlone(options: SubscribeOptions, signal: AbortSignal): AsyncGenerator<UmsRecord> {
  const { log, maxBytes = 1_048_576 } = options;
  const avro = avroReaderOf(options);
  const waiting = new Map<Lane, Promise<Arrival>>();
  const readOn = (lane: Lane): void => {
    if (lane.end !== null && lane.next >= lane.end) return;
    const read = log
      .read({ ...lane.place, offset: lane.next }, { maxBytes, maxWaitMs: WAIT_MS }, signal)
      .then(batch => ({ lane, batch }));
    // It is awaited in a race; one that loses and fails later, when the loop has been left, is nobody's concern.
    read.catch(() => undefined);
    waiting.set(lane, read);
  };
  for (const lane of await lanesOf(options)) readOn(lane);
  while (waiting.size > 0 && !signal.aborted) {
    const arrival = await unlessAborted(Promise.race(waiting.values()), signal);
    if (arrival === null) return;
    const { lane, batch } = arrival;
    for (const record of batch.records) {
      if (lane.end !== null && record.offset >= lane.end) break;
      yield toUms(lane.place, record) ?? (await avroToUms(lane.place, record, avro));
      if (signal.aborted) return;
    }
    lane.next = batch.nextOffset;
    waiting.delete(lane);
    readOn(lane);
  }
}

async function lanesOf(options: SubscribeOptions): Promise<Lane[]> {
  const { log, follow = true } = options;
  const lanes: Lane[] = [];
  for (const place of await partitionsOf(log, options.topics)) {
    const end = follow ? null : await log.offset(place, 'latest');
    lanes.push({ place, next: await startOf(log, place, options.from ?? 'earliest'), end });
  }
  return lanes;
}

async function partitionsOf(log: Log, topics: readonly string[]): Promise<TopicPartition[]> {
  const known = new Map((await log.topics()).map(topic => [topic.name, topic.partitions]));
  return topics.flatMap(topic => {
    const partitions = known.get(topic);
    if (partitions === undefined) {
      throw new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', `There is no topic ${topic} in this log.`, {
        details: { topic },
      });
    }
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  });
}

async function startOf(log: Log, place: TopicPartition, from: SubscribeFrom): Promise<bigint> {
  return typeof from === 'function' ? from(place) : log.offset(place, from);
}

/**
 * A batch is committed when the loop asks for what comes after it: by then its body has run for every record of it. A crash before
 * that brings the batch again. A member that was taken for dead joins anew and goes on from what is committed.
 */
async function* readInGroup(
  options: SubscribeOptions,
  group: string,
  signal: AbortSignal,
): AsyncGenerator<UmsRecord> {
  const { log, topics, maxBytes = 1_048_576, from = 'earliest' } = options;
  const avro = avroReaderOf(options);
  while (!signal.aborted) {
    const listener: AssignmentListener = {
      async assigned(partitions) {
        const committed = await log.committed(group, partitions);
        for (const [index, place] of partitions.entries()) {
          if (committed[index] == null) membership.seek(place, await startOf(log, place, from));
        }
      },
      // Batches are committed before the next poll, and only a poll gives partitions away: there is nothing to hand over.
      revoking() {},
      lost() {},
    };
    await using membership = await log.join({ group, topics, listener, member: 'subscribe' });
    let member = true;
    while (member && !signal.aborted) {
      for (const batch of await membership.poll({ maxBytes, maxWaitMs: WAIT_MS }, signal)) {
        for (const record of batch.records) {
          yield toUms(batch, record) ?? (await avroToUms(batch, record, avro));
        }
        member = await commitBatch(membership, batch);
        if (!member) break;
      }
    }
  }
}

/** False when the group has given the partition to another member. */
async function commitBatch(membership: Membership, batch: RecordBatch): Promise<boolean> {
  const { topic, partition, nextOffset } = batch;
  try {
    const offset = { topic, partition, offset: nextOffset, metadata: '' };
    await membership.commit({ outputs: [], offsets: [offset] });
    return true;
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_LOG_FENCED')) return false;
    throw error;
  }
}

function avroReaderOf({ registry }: SubscribeOptions): AvroReader | null {
  return registry === undefined ? null : createAvroReader(registry);
}

/** A record in JSON; null for one in Avro, which has to wait for its schema. */
function toUms(place: TopicPartition, record: LogRecord): UmsRecord | null {
  const { topic, partition } = place;
  const at = { topic, partition, offset: record.offset };
  if (record.value === null) throw invalidUms('the record has no value', at);
  if (schemaIdOf(record.value) !== null) return null;
  return { ...at, ...aboutOf(record), message: readUms(record.value, at) };
}

async function avroToUms(
  place: TopicPartition,
  record: LogRecord,
  avro: AvroReader | null,
): Promise<UmsRecord> {
  const { topic, partition } = place;
  const at = { topic, partition, offset: record.offset };
  if (avro === null || record.value === null) {
    throw invalidUms('it is in Avro, which takes the option `registry` to read', at);
  }
  const { key, value } = record;
  return { ...at, ...aboutOf(record), message: await avro.read({ key, value }, at) };
}

function aboutOf({
  key,
  timestampMs,
  headers,
}: LogRecord): Pick<UmsRecord, 'key' | 'timestampMs' | 'headers'> {
  return { key: key === null ? '' : new TextDecoder().decode(key), timestampMs, headers };
}

/** Null when the read fails because the caller has stopped. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  try {
    return await promise;
  } catch (error) {
    if (signal.aborted && (!isUmbusError(error) || error.code === 'UMBUS_LOG_CLOSED')) return null;
    throw error;
  }
}
