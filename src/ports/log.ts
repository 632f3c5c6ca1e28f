/**
 * The log: named topics of ordered, durable records, consumer groups, and one barrier, the commit, that makes
 * outputs and consumed offsets durable together. Adapters: memory, embedded (LMDB), Kafka. Every adapter passes
 * test/conformance/log.ts.
 */

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  /** From 0. */
  readonly partition: number;
}

/** Wanted shape of a topic. */
export interface TopicSpec {
  readonly name: string;
  /** At least 1. */
  readonly partitions: number;
  /** `delete` drops whole batches by age and size; `compact` keeps the newest record of each key. */
  readonly cleanup: 'delete' | 'compact';
  /** Null keeps for ever. */
  readonly retentionMs: number | null;
  /** Per partition; null keeps all. */
  readonly retentionBytes: number | null;
}

/** Header values are bytes; names are unique within a record. */
export type Headers = Readonly<Record<string, Uint8Array>>;

/** A record to be written. A null value is a tombstone. The adapter copies the bytes before `append` or `commit` returns its promise. */
export interface OutgoingRecord extends TopicPartition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number;
  readonly headers: Headers;
}

/** A record as read. Its bytes stay valid and unchanged for as long as the reader holds them. */
export interface LogRecord {
  readonly offset: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers: Headers;
}

/** Consecutive records of one partition. Offsets may have gaps (compaction, control records); `nextOffset` is where to read on. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[];
  readonly nextOffset: bigint;
  /** Offset after the last readable record of the partition when the batch was read. */
  readonly endOffset: bigint;
}

/** What a group has committed for a partition. `metadata` is at most 4,000 characters. */
export interface CommittedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: bigint;
  readonly metadata: string;
}

/** Outputs and offsets that become durable together (embedded, memory, Kafka transactions) or outputs first (Kafka without). */
export interface Commit {
  readonly outputs: readonly OutgoingRecord[];
  readonly offsets: readonly CommittedOffset[];
}

/** What a group tells its member. No callback throws. */
export interface AssignmentListener {
  /** These partitions are ours from now on; reading starts at the committed offset, or at 0, unless `seek` says otherwise. */
  assigned(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** These are about to go; awaited (with the adapter's deadline) so that work in flight can be committed. */
  revoking(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** These are gone already; nothing about them can be committed any more. */
  lost(partitions: readonly TopicPartition[]): void;
  /** The next poll will tell of {@link revoking} or {@link lost}. Called at any time, so that who works long between two polls can end soon, and give back in time. */
  moving?(): void;
}

export interface JoinOptions {
  readonly group: string;
  /**
   * Topics to share. All have the same number of partitions; a member that owns partition p of one owns p of all.
   */
  readonly topics: readonly string[];
  readonly listener: AssignmentListener;
  /** Name of this member for logs and status. */
  readonly member: string;
}

/** Membership of a consumer group. Callers use it from one place at a time, except that one `commit` may be in flight while the next batch is polled. */
export interface Membership extends AsyncDisposable {
  /**
   * Next records of the owned partitions that are not paused, at most about `maxBytes` (one record always comes), at most one
   * batch a partition. Resolves as soon as there is something, or with [] after `maxWaitMs` or when `signal` aborts. Assignment callbacks run inside this call.
   * A member that was expelled is told by `lost`, and joins again, in its next poll.
   * Errors: UMBUS_LOG_OFFSET_GONE (also where nothing was committed yet and the front is gone), UMBUS_LOG_CORRUPT, UMBUS_LOG_CLOSED.
   */
  poll(
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<readonly RecordBatch[]>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  seek(partition: TopicPartition, offset: bigint): void;
  /**
   * Makes outputs and offsets durable. Commits are applied in call order. After one has failed, all later ones of this membership
   * fail too: the caller leaves and joins anew.
   * Errors: UMBUS_LOG_FENCED (a partition of `offsets` is not owned any more), UMBUS_LOG_FULL, UMBUS_LOG_IO, UMBUS_LOG_LOCKED (another process has
   * taken the log over), UMBUS_LOG_RECORD_SIZE (also for metadata), UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_LOG_CLOSED.
   */
  commit(commit: Commit): Promise<void>;
  /** Leaves the group: partitions pass to the others at once. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A fenced producer: opening one with the same id makes every older one fail with UMBUS_LOG_FENCED. When it is open, nothing of the older ones is on its way any more. */
export interface Writer extends AsyncDisposable {
  /**
   * Appends in call order, durable when the promise resolves, all or nothing where the log has transactions. After one has failed, all later ones of this
   * writer fail too, so that no record is left out in the middle: open a new one. Errors as {@link Membership.commit}.
   */
  append(records: readonly OutgoingRecord[]): Promise<void>;
}

/** What exists. */
export interface TopicDescription extends TopicSpec {
  /** Per partition: first and next offset, and stored bytes (null where the log cannot tell). */
  readonly extents: readonly {
    readonly earliest: bigint;
    readonly latest: bigint;
    readonly bytes: number | null;
  }[];
}

export interface Log extends AsyncDisposable {
  /** Creates what is missing; retention and cleanup follow the newest call. Errors: UMBUS_LOG_TOPIC_MISMATCH when partitions differ. */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** All topics, by name. */
  topics(): Promise<readonly TopicDescription[]>;
  /** `earliest`: first kept offset; `latest`: the next to be written; a time: first record at or after it, else latest. */
  offset(
    partition: TopicPartition,
    at: 'earliest' | 'latest' | { readonly timestampMs: number },
  ): Promise<bigint>;
  /** Committed offsets of a group, null where it has none. */
  committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]>;
  /** Names of groups that have committed something. */
  groups(): Promise<readonly string[]>;
  /**
   * Reads without a group, from `offset` on. Waits up to `maxWaitMs` for a first record, then resolves with an empty batch.
   * Errors: UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_LOG_OFFSET_GONE, UMBUS_LOG_CORRUPT, UMBUS_LOG_CLOSED.
   */
  read(
    from: TopicPartition & { readonly offset: bigint },
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<RecordBatch>;
  /** The last `count` records, oldest first. */
  tail(partition: TopicPartition, count: number): Promise<readonly LogRecord[]>;
  /** Errors: UMBUS_LOG_LOCKED. */
  openWriter(id: string): Promise<Writer>;
  /** Errors: UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_LOG_TOPIC_MISMATCH (partition counts differ), UMBUS_LOG_LOCKED. */
  join(options: JoinOptions): Promise<Membership>;
}
