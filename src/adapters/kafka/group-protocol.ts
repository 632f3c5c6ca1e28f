/**
 * What members of a group tell each other through the coordinator, in the formats of Kafka's consumer protocol (ConsumerProtocolSubscription version 2,
 * ConsumerProtocolAssignment version 0), so that Kafka's own tools can show the group.
 */
import type { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter } from './bytes.ts';

const SUBSCRIPTION_VERSION = 2;
const ASSIGNMENT_VERSION = 0;
/** Length of absent NULLABLE_BYTES. */
const NO_BYTES = -1;

/** What a member wants and has. */
export interface Subscription {
  readonly topics: readonly string[];
  /** Partition numbers, the same of every topic. */
  readonly owned: readonly number[];
  /** The generation in which it came to own them; -1 for none. */
  readonly generation: number;
}

/** version i16, topics [string], user data bytes (null), owned [topic, [i32]], generation i32. */
export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  const writer = new ByteWriter().int16(SUBSCRIPTION_VERSION);
  writer.list(topics, topic => writer.text(topic)).int32(NO_BYTES);
  writePlaces(writer, topics, owned);
  return writer.int32(generation).done();
}

/** Reads version 1 and 2; version 0 names no owned partitions. Errors: UMBUS_KAFKA_UNREACHABLE for bytes that end too early. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  const topics = reader.list(() => reader.text());
  // User data of other programs.
  reader.bytes();
  if (version < 1) return { topics, owned: [], generation: -1 };
  const owned = readPlaces(reader);
  return { topics, owned, generation: version >= 2 ? reader.int32() : -1 };
}

/** version i16, [topic, [i32]], user data bytes (null). */
export function encodeAssignment(topics: readonly string[], numbers: readonly number[]): Buffer {
  const writer = new ByteWriter().int16(ASSIGNMENT_VERSION);
  writePlaces(writer, topics, numbers);
  return writer.int32(NO_BYTES).done();
}

/** The partition numbers. Empty bytes are an empty assignment. Errors: UMBUS_KAFKA_UNREACHABLE for bytes that end too early. */
export function decodeAssignment(bytes: Buffer): readonly number[] {
  if (bytes.length === 0) return [];
  const reader = new ByteReader(bytes);
  reader.int16();
  return readPlaces(reader);
}

function writePlaces(writer: ByteWriter, topics: readonly string[], numbers: readonly number[]): void {
  writer.list(topics, topic => writer.text(topic).list(numbers, number => writer.int32(number)));
}

function readPlaces(reader: ByteReader): number[] {
  const numbers = new Set<number>();
  reader.list(() => {
    reader.text();
    for (const number of reader.list(() => reader.int32())) numbers.add(number);
  });
  return [...numbers].sort((one, other) => one - other);
}
