/**
 * What the memory and the embedded log have in common is the behaviour of `ports/log.ts`: groups, fencing, waiting. What differs
 * is where records lie. This is the seam between the two: {@link LocalLog} is written over a {@link LogStorage}.
 */
import type { UmbusError } from '../../core/errors.ts';
import type {
  CommittedOffset,
  LogRecord,
  OutgoingRecord,
  TopicDescription,
  TopicPartition,
  TopicSpec,
} from '../../ports/log.ts';

/** Records read from one partition. `nextOffset` is greater than the asked offset whenever something, or a gap, was passed. */
export interface Slice {
  readonly records: readonly LogRecord[];
  readonly nextOffset: bigint;
}

/** A partition as stored. One object per partition for the life of the storage; its extent changes. */
export interface StoredPartition extends TopicPartition {
  /** Below this, retention has removed records. */
  readonly earliest: bigint;
  /** Offset after the last durable record. */
  readonly latest: bigint;
  /**
   * Records from `offset` on, where `earliest <= offset < latest`: about `maxBytes` of keys and values, at least one record unless only
   * a gap is left. Errors: UMBUS_LOG_CORRUPT.
   */
  read(offset: bigint, maxBytes: number): Slice;
  /** The last `count` records, oldest first. Errors: UMBUS_LOG_CORRUPT. */
  tail(count: number): readonly LogRecord[];
  /** Offset of the first record at or after the time, else `latest`. Errors: UMBUS_LOG_CORRUPT. */
  offsetAt(timestampMs: number): Promise<bigint>;
}

/** Who asks for a write: a member of a group, or a fenced writer. */
export type WriteOrigin =
  | { readonly kind: 'member'; readonly group: string; readonly member: string }
  | { readonly kind: 'writer'; readonly id: string };

/** Outputs and offsets that become durable together. */
export interface WriteRequest {
  readonly origin: WriteOrigin;
  readonly outputs: readonly OutgoingRecord[];
  readonly offsets: readonly CommittedOffset[];
  /** Called right before the request is applied; throws when its origin was fenced or has failed since. */
  readonly guard: () => void;
  /** Called once, and at once, when the request is not applied: before the guard of any later request runs. */
  readonly failed: (error: UmbusError) => void;
}

/** Where topics, records and committed offsets lie. Reads are synchronous: they come from memory or a memory map. */
export interface LogStorage {
  /** Throws UMBUS_LOG_LOCKED where this storage may only read. */
  assertWritable(): void;
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  topics(): readonly TopicDescription[];
  /** Null when there is no such topic. */
  topic(name: string): { readonly partitions: readonly StoredPartition[] } | null;
  committed(group: string, partition: TopicPartition): CommittedOffset | null;
  groups(): readonly string[];
  /**
   * Applies requests in call order, each all or nothing, and resolves when durable. Copies the bytes before it returns.
   * Errors: those of `Membership.commit`.
   */
  write(request: WriteRequest): Promise<void>;
  /** Calls `wake` after records were appended to one of the partitions, until the returned function is called. May call it too often, never too rarely. */
  watch(partitions: readonly StoredPartition[], wake: () => void): () => void;
  /** Waits for writes in flight, then frees everything. */
  close(): Promise<void>;
}
