import type { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter } from './bytes.ts';

/** One request of the Kafka protocol in one version, and how its answer is read. */
export interface ApiCall<Answer> {
  readonly key: number;
  readonly version: number;
  readonly name: string;
  /** The body. Of a flexible version it begins with the empty tag buffer that ends its request header. */
  readonly body: Buffer;
  readonly answer: (payload: Buffer) => Answer;
  /** How long the broker may take beyond the usual, because it waits on purpose. */
  readonly waitMs: number;
}

/** Where in the protocol a call is, for {@link apiCall}. */
interface ApiCallShape {
  readonly key: number;
  readonly version: number;
  readonly name: string;
  /** Whether the version has compact types and tag buffers (KIP-482). */
  readonly flexible?: boolean;
  readonly waitMs?: number;
}

/** Makes a call. `read` is given the answer after its throttle time, which all answers but Produce's begin with. */
export function apiCall<Answer>(
  shape: ApiCallShape,
  write: (writer: ByteWriter) => void,
  read: (reader: ByteReader) => Answer,
): ApiCall<Answer> {
  const writer = new ByteWriter();
  if (shape.flexible === true) writer.noTags();
  write(writer);
  if (shape.flexible === true) writer.noTags();
  return {
    key: shape.key,
    version: shape.version,
    name: shape.name,
    body: writer.done(),
    waitMs: shape.waitMs ?? 0,
    answer(payload) {
      const reader = new ByteReader(payload);
      if (shape.flexible === true) reader.tags();
      if (shape.key !== PRODUCE) reader.int32();
      return read(reader);
    },
  };
}

/** Key of Produce, whose answer ends with its throttle time. */
export const PRODUCE = 0;
/** Key of Fetch; kafkajs gives it a connection of its own. */
export const FETCH = 1;

/** An error code and the partition it is about; 0 is success. */
export interface PartitionError {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
}

/** Groups by topic, in order of first appearance, as requests want it. */
export function byTopic<T extends { readonly topic: string }>(
  items: readonly T[],
): readonly (readonly [string, readonly T[]])[] {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const known = topics.get(item.topic);
    if (known === undefined) topics.set(item.topic, [item]);
    else known.push(item);
  }
  return [...topics];
}
