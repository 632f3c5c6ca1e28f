import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  CommittedOffset,
  JoinOptions,
  Log,
  LogRecord,
  Membership,
  RecordBatch,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Writer,
} from '../../ports/log.ts';
import { offsetGone } from './cursors.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import { LocalMembership } from './membership.ts';
import type { LogStorage, StoredPartition } from './storage.ts';
import { waitFor } from './waiting.ts';
import { LocalWriter } from './writer.ts';

/** How long a member may take to give partitions back, unless an adapter is told otherwise. */
export const REBALANCE_TIMEOUT_MS = 30_000;

/** A log whose groups live in this process, over any storage. */
export class LocalLog implements Log {
  readonly storage: LogStorage;
  readonly coordinator: GroupCoordinator;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #writers = new Map<string, LocalWriter>();
  readonly #memberships = new Set<LocalMembership>();
  #closed: Promise<void> | null = null;

  constructor(storage: LogStorage, clock: Clock, rebalanceTimeoutMs: number = REBALANCE_TIMEOUT_MS) {
    this.storage = storage;
    this.#clock = clock;
    this.coordinator = new GroupCoordinator(clock, rebalanceTimeoutMs);
  }

  /** Living memberships, for the memory log's faults. */
  get memberships(): Iterable<LocalMembership> {
    return this.#memberships;
  }

  /** Aborted when the log closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#assertOpen();
    this.storage.assertWritable();
    for (const spec of specs) assertSpec(spec, this.storage.topic(spec.name)?.partitions.length ?? null);
    await this.storage.ensureTopics(specs);
  }

  async topics(): Promise<readonly TopicDescription[]> {
    this.#assertOpen();
    return this.storage.topics();
  }

  async offset(
    partition: TopicPartition,
    at: 'earliest' | 'latest' | { readonly timestampMs: number },
  ): Promise<bigint> {
    this.#assertOpen();
    const stored = this.#partition(partition);
    if (at === 'earliest') return stored.earliest;
    if (at === 'latest') return stored.latest;
    return await stored.offsetAt(at.timestampMs);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    this.#assertOpen();
    return partitions.map(partition => this.storage.committed(group, this.#partition(partition)));
  }

  async groups(): Promise<readonly string[]> {
    this.#assertOpen();
    return this.storage.groups();
  }

  async read(
    from: TopicPartition & { readonly offset: bigint },
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<RecordBatch> {
    this.#assertOpen();
    const stored = this.#partition(from);
    const until = this.#clock.now() + options.maxWaitMs;
    let position = from.offset;
    for (;;) {
      this.#assertOpen();
      if (position < stored.earliest) throw offsetGone(stored, position);
      const endOffset = stored.latest;
      const slice =
        position < endOffset
          ? stored.read(position, options.maxBytes)
          : { records: [], nextOffset: position };
      const passed = slice.nextOffset > position;
      position = slice.nextOffset;
      if (passed && slice.records.length === 0) continue;
      const left = until - this.#clock.now();
      if (passed || left <= 0 || signal.aborted) {
        return { topic: from.topic, partition: from.partition, ...slice, endOffset };
      }
      await waitFor(this.#clock, left, signal, wake => this.#watch(stored, wake));
    }
  }

  async tail(partition: TopicPartition, count: number): Promise<readonly LogRecord[]> {
    this.#assertOpen();
    return this.#partition(partition).tail(count);
  }

  async openWriter(id: string): Promise<Writer> {
    this.#assertOpen();
    this.storage.assertWritable();
    const older = this.#writers.get(id) ?? null;
    const writer = new LocalWriter(id, this.storage, this.closing, older);
    this.#writers.set(id, writer);
    await writer.opened;
    return writer;
  }

  async join(options: JoinOptions): Promise<Membership> {
    this.#assertOpen();
    this.storage.assertWritable();
    const topics = options.topics.map(name => this.#partitions(name));
    const first = topics[0];
    if (first === undefined) {
      throw new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', `Group ${options.group} was joined without a topic.`);
    }
    for (const [at, partitions] of topics.entries()) {
      if (partitions.length === first.length) continue;
      throw new UmbusError(
        'UMBUS_LOG_TOPIC_MISMATCH',
        `Topics of group ${options.group} must have equally many partitions, but ${options.topics[0]} has ${first.length} and ${options.topics[at]} has ${partitions.length}.`,
      );
    }
    const living = this.coordinator.group(options.group)?.topics;
    if (living !== undefined && !sameNames(living, options.topics)) {
      throw new UmbusError(
        'UMBUS_LOG_TOPIC_MISMATCH',
        `Group ${options.group} shares ${living.join(', ')}; member ${options.member} asked for ${options.topics.join(', ')}.`,
      );
    }
    const membership = new LocalMembership(
      {
        storage: this.storage,
        coordinator: this.coordinator,
        clock: this.#clock,
        closed: this.closing,
        ended: ended => this.#memberships.delete(ended),
      },
      options,
      topics,
    );
    this.#memberships.add(membership);
    return membership;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#memberships].map(member => member[Symbol.asyncDispose]()));
    await this.storage.close();
  }

  #assertOpen(): void {
    if (this.closing.aborted) throw new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
  }

  #partitions(topic: string): readonly StoredPartition[] {
    const found = this.storage.topic(topic);
    if (found === null) throw unknownTopic(topic);
    return found.partitions;
  }

  #partition(wanted: TopicPartition): StoredPartition {
    const found = this.#partitions(wanted.topic)[wanted.partition];
    if (found === undefined) throw unknownTopic(wanted.topic, wanted.partition);
    return found;
  }

  #watch(partition: StoredPartition, wake: () => void): () => void {
    this.closing.addEventListener('abort', wake, { once: true });
    const unwatch = this.storage.watch([partition], wake);
    return () => {
      this.closing.removeEventListener('abort', wake);
      unwatch();
    };
  }
}

/** The error for a topic, or a partition of one, that does not exist. */
export function unknownTopic(topic: string, partition?: number): UmbusError {
  const message =
    partition === undefined ? `There is no topic ${topic}.` : `Topic ${topic} has no partition ${partition}.`;
  return new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', message, {
    details: { topic, partition: partition ?? null },
  });
}

function assertSpec(spec: TopicSpec, existing: number | null): void {
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1) {
    throw new UmbusError(
      'UMBUS_LOG_TOPIC_MISMATCH',
      `Topic ${spec.name} needs at least one partition, not ${spec.partitions}.`,
    );
  }
  if (existing !== null && existing !== spec.partitions) throw partitionMismatch(spec, existing);
}

/** The error for a topic that exists with another number of partitions. */
export function partitionMismatch(spec: TopicSpec, existing: number): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_TOPIC_MISMATCH',
    `Topic ${spec.name} has ${existing} partitions and cannot have ${spec.partitions}.`,
    { details: { topic: spec.name, existing, wanted: spec.partitions } },
  );
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every(name => other.includes(name));
}
