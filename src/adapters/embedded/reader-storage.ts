import { Buffer } from 'node:buffer';
import type { Clock } from '../../ports/clock.ts';
import type { CommittedOffset, TopicDescription, TopicPartition } from '../../ports/log.ts';
import type { LogStorage, StoredPartition } from '../local-log/storage.ts';
import { BatchStore, type StoreKey } from './batch-store.ts';
import { EmbeddedPartition } from './embedded-partition.ts';
import type { Environment } from './environment.ts';
import { type Head, offsetKey, offsetKeyOf, offsetRange, offsetValueOf } from './keys.ts';
import { readerOnly } from './owner.ts';
import type { ReadCache } from './read-cache.ts';
import { readTopic, readTopics } from './topic-rows.ts';

/** A watched log is looked at every millisecond while it changes, and less often the longer it does not. */
const SHORTEST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 5;

class ReadPartition extends EmbeddedPartition {
  readonly #batches: BatchStore;

  constructor(key: StoreKey, store: BatchStore, readCache: ReadCache) {
    super(key, store, readCache);
    this.#batches = store;
  }

  /** Asked anew each time: the owner is another process. */
  get head(): Head {
    return this.#batches.head(this);
  }
}

interface ReadTopic {
  readonly id: number;
  readonly partitions: readonly ReadPartition[];
}

/** The storage of a process that reads while another one owns the log. It keeps no snapshot: every turn of the event loop sees the newest commit. */
export class ReaderStorage implements LogStorage {
  readonly #environment: Environment;
  readonly #store: BatchStore;
  readonly #readCache: ReadCache;
  readonly #clock: Clock;
  readonly #topics = new Map<string, ReadTopic>();
  readonly #release: () => Promise<void>;

  constructor(environment: Environment, clock: Clock, readCache: ReadCache, release: () => Promise<void>) {
    this.#environment = environment;
    this.#store = new BatchStore(environment.log);
    this.#readCache = readCache;
    this.#clock = clock;
    this.#release = release;
  }

  assertWritable(): void {
    throw readerOnly(this.#environment);
  }

  async ensureTopics(): Promise<void> {
    this.assertWritable();
  }

  async write(): Promise<void> {
    this.assertWritable();
  }

  topics(): readonly TopicDescription[] {
    return readTopics(this.#environment)
      .map(({ spec }) => ({
        ...spec,
        extents: (this.topic(spec.name)?.partitions ?? []).map(({ head }) => ({
          earliest: head.earliest,
          latest: head.next,
          bytes: head.bytes,
        })),
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  topic(name: string): ReadTopic | null {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const row = readTopic(this.#environment, name);
    if (row === null) return null;
    const partitions = Array.from(
      { length: row.spec.partitions },
      (_, partition) =>
        new ReadPartition({ topic: name, topicId: row.id, partition }, this.#store, this.#readCache),
    );
    const topic = { id: row.id, partitions };
    this.#topics.set(name, topic);
    return topic;
  }

  committed(group: string, { topic, partition }: TopicPartition): CommittedOffset | null {
    const found = this.topic(topic);
    if (found === null) return null;
    const value = this.#environment.log.get(offsetKey(group, { topicId: found.id, partition }));
    return value === undefined ? null : { topic, partition, ...offsetValueOf(value) };
  }

  groups(): readonly string[] {
    const { first, last } = offsetRange();
    const names = new Set<string>();
    for (const key of this.#environment.log.getKeys({ start: first, end: last })) {
      names.add(offsetKeyOf(Buffer.from(key)).group);
    }
    return [...names].sort();
  }

  watch(partitions: readonly StoredPartition[], wake: () => void): () => void {
    const stop = new AbortController();
    void this.#look(partitions, wake, stop.signal);
    return () => stop.abort();
  }

  async close(): Promise<void> {
    await this.#release();
  }

  async #look(partitions: readonly StoredPartition[], wake: () => void, stop: AbortSignal): Promise<void> {
    const seen = partitions.map(partition => partition.latest);
    let pause = SHORTEST_LOOK_MS;
    while (!stop.aborted) {
      await this.#clock.sleep(pause, stop);
      if (stop.aborted) return;
      if (partitions.some((partition, at) => partition.latest !== seen[at])) {
        wake();
        return;
      }
      pause = Math.min(LONGEST_LOOK_MS, pause + 0.1);
    }
  }
}
