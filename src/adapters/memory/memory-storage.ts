import { Buffer } from 'node:buffer';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Commit,
  CommittedOffset,
  LogRecord,
  OutgoingRecord,
  TopicDescription,
  TopicPartition,
  TopicSpec,
} from '../../ports/log.ts';
import { unknownTopic } from '../local-log/local-log.ts';
import type { LogStorage, StoredPartition, WriteOrigin, WriteRequest } from '../local-log/storage.ts';
import { MemoryPartition, sizeOf } from './memory-partition.ts';

/** Where in a commit the hook is called; `between` only in mode `outputs-first`. */
export type CommitStage = 'before' | 'between' | 'after';

/** What the hook is told: what is being committed, and for whom. An append of a writer has no offsets. */
export interface CommitAttempt extends Commit {
  readonly origin: WriteOrigin;
}

/** How commits behave and where they break. */
export interface MemoryFaults {
  /**
   * `atomic` (default): outputs and offsets together, as the embedded log and Kafka with transactions. `outputs-first`: outputs, then
   * offsets, as Kafka without transactions; a crash in between leaves outputs without offsets.
   */
  commitMode?: 'atomic' | 'outputs-first';
  /**
   * May throw to break the commit at that point: at `before` nothing is written; at `between` the first `outputsBeforeCrash` outputs are
   * written and the offsets are not; at `after` all is written, but the caller is told that it failed.
   */
  onCommit?: (stage: CommitStage, attempt: CommitAttempt) => void;
  /** How many of the outputs are written when `between` throws. Default: all of them. */
  outputsBeforeCrash?: (attempt: CommitAttempt) => number;
}

/** How long a tombstone outlives compaction, and no other time is taken from anywhere: the clock is given. */
const TOMBSTONE_MS = 24 * 3_600_000;

interface MemoryTopic {
  spec: TopicSpec;
  readonly partitions: readonly MemoryPartition[];
}

/** Topics, records and offsets in memory. A write is done before `write` returns its promise. */
export class MemoryStorage implements LogStorage {
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #committed = new Map<string, Map<string, CommittedOffset>>();
  readonly #faults: MemoryFaults;
  readonly #clock: Clock;

  constructor(faults: MemoryFaults, clock: Clock) {
    this.#faults = faults;
    this.#clock = clock;
  }

  assertWritable(): void {}

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) {
      const existing = this.#topics.get(spec.name);
      if (existing !== undefined) existing.spec = { ...spec };
      else {
        const partitions = Array.from(
          { length: spec.partitions },
          (_, partition) => new MemoryPartition(spec.name, partition),
        );
        this.#topics.set(spec.name, { spec: { ...spec }, partitions });
      }
    }
  }

  topics(): readonly TopicDescription[] {
    return [...this.#topics.values()]
      .map(({ spec, partitions }) => ({
        ...spec,
        extents: partitions.map(({ earliest, latest, bytes }) => ({ earliest, latest, bytes })),
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  topic(name: string): { readonly partitions: readonly MemoryPartition[] } | null {
    return this.#topics.get(name) ?? null;
  }

  /** The partition. Errors: UMBUS_LOG_UNKNOWN_TOPIC. */
  partition(wanted: TopicPartition): MemoryPartition {
    const topic = this.#topics.get(wanted.topic);
    if (topic === undefined) throw unknownTopic(wanted.topic);
    const partition = topic.partitions[wanted.partition];
    if (partition === undefined) throw unknownTopic(wanted.topic, wanted.partition);
    return partition;
  }

  committed(group: string, partition: TopicPartition): CommittedOffset | null {
    return this.#committed.get(group)?.get(`${partition.partition} ${partition.topic}`) ?? null;
  }

  groups(): readonly string[] {
    return [...this.#committed.keys()].sort();
  }

  async write(request: WriteRequest): Promise<void> {
    try {
      this.#apply(request);
    } catch (error) {
      request.failed(
        isUmbusError(error)
          ? error
          : new UmbusError('UMBUS_LOG_IO', `The commit was broken off: ${messageOf(error)}`, {
              cause: error,
            }),
      );
      throw error;
    }
  }

  watch(partitions: readonly StoredPartition[], wake: () => void): () => void {
    const watched = partitions.map(partition => this.partition(partition));
    for (const partition of watched) partition.watchers.add(wake);
    return () => {
      for (const partition of watched) partition.watchers.delete(wake);
    };
  }

  async close(): Promise<void> {}

  /** Appends a copy of a stored record, as a producer does whose acknowledgement was lost. */
  duplicate(partition: MemoryPartition, offset: bigint): void {
    const record = partition.records.find(each => each.offset === offset);
    if (record === undefined) {
      throw new UmbusError(
        'UMBUS_LOG_OFFSET_GONE',
        `There is no record at offset ${offset} of ${partition.topic}/${partition.partition} to deliver again.`,
      );
    }
    partition.push({ ...record, offset: partition.latest });
    for (const wake of [...partition.watchers]) wake();
  }

  /** Applies retention and compaction once. The newest record of a partition always stays. */
  maintain(): void {
    const now = this.#clock.now();
    for (const { spec, partitions } of this.#topics.values()) {
      for (const partition of partitions) {
        if (spec.cleanup === 'compact') compact(partition, now - TOMBSTONE_MS);
        else applyRetention(partition, spec, now);
      }
    }
  }

  #apply({ outputs, offsets, origin, guard }: WriteRequest): void {
    for (const output of outputs) this.partition(output);
    guard();
    const { commitMode, onCommit, outputsBeforeCrash } = this.#faults;
    const attempt = { outputs, offsets, origin };
    onCommit?.('before', attempt);
    if (commitMode === 'outputs-first') {
      const prefix = Math.min(outputsBeforeCrash?.(attempt) ?? outputs.length, outputs.length);
      this.#append(outputs.slice(0, prefix));
      onCommit?.('between', attempt);
      this.#append(outputs.slice(prefix));
    } else this.#append(outputs);
    if (origin.kind === 'member') this.#commit(origin.group, offsets);
    onCommit?.('after', attempt);
  }

  #append(outputs: readonly OutgoingRecord[]): void {
    const touched = new Set<MemoryPartition>();
    for (const output of outputs) {
      const partition = this.partition(output);
      partition.append(output);
      touched.add(partition);
    }
    for (const partition of touched) for (const wake of [...partition.watchers]) wake();
  }

  #commit(group: string, offsets: readonly CommittedOffset[]): void {
    if (offsets.length === 0) return;
    const committed = this.#committed.get(group) ?? new Map<string, CommittedOffset>();
    this.#committed.set(group, committed);
    for (const { topic, partition, offset, metadata } of offsets) {
      committed.set(`${partition} ${topic}`, { topic, partition, offset, metadata });
    }
  }
}

function compact(partition: MemoryPartition, tombstonesBefore: number): void {
  const newest = new Map<string, bigint>();
  for (const { key, offset } of partition.records) {
    if (key !== null) newest.set(Buffer.from(key).toString('latin1'), offset);
  }
  const last = partition.records.at(-1);
  partition.retain(record => {
    if (record === last || record.key === null) return true;
    if (newest.get(Buffer.from(record.key).toString('latin1')) !== record.offset) return false;
    return record.value !== null || record.timestampMs >= tombstonesBefore;
  });
}

function applyRetention(partition: MemoryPartition, spec: TopicSpec, now: number): void {
  let bytes = partition.bytes;
  let first: LogRecord | undefined;
  let keep = 0;
  const { records } = partition;
  for (; keep < records.length - 1; keep++) {
    first = records[keep];
    if (first === undefined) break;
    const tooOld = spec.retentionMs !== null && first.timestampMs < now - spec.retentionMs;
    const tooMuch = spec.retentionBytes !== null && bytes - sizeOf(first) >= spec.retentionBytes;
    if (!tooOld && !tooMuch) break;
    bytes -= sizeOf(first);
  }
  if (keep === 0) return;
  const earliest = records[keep]?.offset ?? partition.latest;
  partition.retain(record => record.offset >= earliest);
  partition.earliest = earliest;
}
