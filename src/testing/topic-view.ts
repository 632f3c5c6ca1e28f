import { Buffer } from 'node:buffer';
import type { MemoryLog } from '../adapters/memory/memory-log.ts';
import { isUmbusError } from '../core/errors.ts';
import type { Headers, LogRecord, OutgoingRecord } from '../ports/log.ts';
import { LANE_HEADER, SEQ_HEADER } from '../runtime/outputs.ts';
import { specOf } from '../runtime/topic-spec.ts';
import { partitionOf } from '../topology/partitioner.ts';
import { bytesOrNull, noBytes } from '../topology/serdes.ts';
import type { Topic } from '../topology/types.ts';

/** A record of a topic, decoded. */
export interface TestRecord<K, V> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: K;
  readonly value: V;
  readonly timestampMs: number;
  readonly headers: Headers;
  /** Place in its lane; null for a record from outside. */
  readonly seq: Uint8Array | null;
  /** Its producer task; null for a record from outside. */
  readonly lane: string | null;
}

/** A record to send. What is left out takes the default: time now, no headers, the partition of the key. */
export interface TestMessage<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestampMs?: number;
  readonly headers?: Headers;
  readonly partition?: number;
}

/** A topic that a test writes to, as a producer from outside. */
export interface TestInput<K, V> {
  /** Appends one record and returns when it is in the log. */
  send(key: K, value: V, options?: Omit<TestMessage<K, V>, 'key' | 'value'>): Promise<void>;
  /** Appends records in order. */
  sendAll(messages: readonly TestMessage<K, V>[]): Promise<void>;
  /** Appends bytes as they are, to test what does not decode. */
  sendBytes(key: Uint8Array | null, value: Uint8Array | null, partition?: number): Promise<void>;
}

/** A topic that a test reads. */
export interface TestOutput<K, V> {
  /** All records, by partition and offset, duplicates included. Empty when the topic is not there. */
  all(): readonly TestRecord<K, V>[];
  /** What a reader sees that drops, within each partition and lane, records at or below the last seq: no duplicates. */
  distinct(): readonly TestRecord<K, V>[];
  /** Values of {@link TestOutput.distinct}. */
  values(): readonly V[];
}

/** Makes a {@link TestInput}. */
export function inputOf<K, V>(
  topic: Topic<K, V>,
  log: MemoryLog,
  nowMs: () => number,
  append: (records: readonly OutgoingRecord[]) => Promise<void>,
): TestInput<K, V> {
  const appendTo = async (records: readonly OutgoingRecord[]): Promise<void> => {
    await log.ensureTopics([specOf(topic)]);
    await append(records);
  };
  const recordOf = ({ key, value, timestampMs, headers, partition }: TestMessage<K, V>): OutgoingRecord => {
    const bytes = bytesOrNull(topic.key.encode(key));
    return {
      topic: topic.name,
      partition: partition ?? (bytes === null ? 0 : partitionOf(bytes, topic.partitions)),
      key: bytes,
      value: bytesOrNull(topic.value.encode(value)),
      timestampMs: timestampMs ?? nowMs(),
      headers: headers ?? {},
    };
  };
  return {
    send: (key, value, options = {}) => appendTo([recordOf({ ...options, key, value })]),
    sendAll: messages => appendTo(messages.map(recordOf)),
    sendBytes: (key, value, partition = 0) =>
      appendTo([{ topic: topic.name, partition, key, value, timestampMs: nowMs(), headers: {} }]),
  };
}

/** Makes a {@link TestOutput}. */
export function outputOf<K, V>(topic: Topic<K, V>, log: MemoryLog): TestOutput<K, V> {
  const all = (): TestRecord<K, V>[] =>
    Array.from({ length: topic.partitions }, (_, partition) =>
      recordsOf(log, topic.name, partition).map(record => decoded(topic, partition, record)),
    ).flat();
  const distinct = (): TestRecord<K, V>[] => withoutRepeats(all());
  return { all, distinct, values: () => distinct().map(record => record.value) };
}

/** Records of a partition; none when the topic is not there. */
export function recordsOf(log: MemoryLog, topic: string, partition: number): readonly LogRecord[] {
  try {
    return log.records({ topic, partition });
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC')) return [];
    throw error;
  }
}

function decoded<K, V>(topic: Topic<K, V>, partition: number, record: LogRecord): TestRecord<K, V> {
  const { offset, timestampMs, headers } = record;
  const lane = headers[LANE_HEADER];
  return {
    topic: topic.name,
    partition,
    offset,
    key: topic.key.decode(record.key ?? noBytes),
    value: topic.value.decode(record.value ?? noBytes),
    timestampMs,
    headers,
    seq: headers[SEQ_HEADER] ?? null,
    lane: lane === undefined ? null : Buffer.from(lane).toString('latin1'),
  };
}

function withoutRepeats<K, V>(records: readonly TestRecord<K, V>[]): TestRecord<K, V>[] {
  const last = new Map<string, Uint8Array>();
  return records.filter(({ partition, lane, seq }) => {
    if (lane === null || seq === null) return true;
    const id = `${partition} ${lane}`;
    const before = last.get(id);
    if (before !== undefined && Buffer.compare(seq, before) <= 0) return false;
    last.set(id, seq);
    return true;
  });
}

/** Text of a header, for assertions; null when the record has none. */
export function headerText(headers: Readonly<Record<string, Uint8Array>>, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : Buffer.from(value).toString('utf8');
}
