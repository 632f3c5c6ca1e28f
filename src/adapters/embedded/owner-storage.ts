import { Buffer } from 'node:buffer';
import { isUmbusError } from '../../core/errors.ts';
import type { CommittedOffset, TopicDescription, TopicPartition, TopicSpec } from '../../ports/log.ts';
import { partitionMismatch, unknownTopic } from '../local-log/local-log.ts';
import type { LogStorage, StoredPartition, WriteRequest } from '../local-log/storage.ts';
import { type EncodedBatch, encodeOutputs } from './batch-builder.ts';
import { BatchStore } from './batch-store.ts';
import { putBatch, putHead } from './batch-writer.ts';
import type { Change, CommitQueue, Group } from './commit-queue.ts';
import type { Environment } from './environment.ts';
import { offsetKey, offsetKeyOf, offsetRange, offsetValue, offsetValueOf } from './keys.ts';
import { OwnedPartition } from './owned-partition.ts';
import type { LoadedBatch, PartitionCache, ReadCache } from './read-cache.ts';
import { readTopics, type TopicRow, topicKey, topicValue } from './topic-rows.ts';

/** A topic in the process that owns the log. */
export interface OwnedTopic {
  readonly id: number;
  spec: TopicSpec;
  readonly partitions: readonly OwnedPartition[];
}

interface OffsetWrite {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly committed: CommittedOffset;
}

/** What a commit adds besides the records, roughly: index, head and offset rows. */
const COMMIT_OVERHEAD_BYTES = 512;
const TOUCH_KEY = Buffer.from('touch');

/** The storage of the owner: everything about partitions and offsets that is small is in memory, records go to the store. */
export class OwnerStorage implements LogStorage {
  readonly store: BatchStore;
  readonly environment: Environment;
  readonly queue: CommitQueue;
  readonly #readCache: ReadCache;
  readonly #topics = new Map<string, OwnedTopic>();
  readonly #committed = new Map<string, Map<string, CommittedOffset>>();
  readonly #release: () => Promise<void>;
  #nextTopicId = 1;
  #ensuring: Promise<void> = Promise.resolve();

  /** `release`: gives the log up, when everything is written. */
  constructor(
    environment: Environment,
    queue: CommitQueue,
    readCache: ReadCache,
    release: () => Promise<void>,
  ) {
    this.environment = environment;
    this.queue = queue;
    this.store = new BatchStore(environment.log);
    this.#readCache = readCache;
    this.#release = release;
    const names = new Map<number, string>();
    for (const { id, spec } of readTopics(environment)) {
      this.#addTopic(id, spec);
      names.set(id, spec.name);
    }
    this.#loadCommitted(names);
  }

  assertWritable(): void {}

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    // One at a time: ids are given from what is published.
    const ensured = this.#ensuring.then(() => this.#ensure(specs));
    this.#ensuring = ensured.catch(() => {});
    return ensured;
  }

  topics(): readonly TopicDescription[] {
    return [...this.ownedTopics()]
      .map(({ spec, partitions }) => ({
        ...spec,
        extents: partitions.map(({ earliest, latest, bytes }) => ({ earliest, latest, bytes })),
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** All topics, in the order they were made. */
  ownedTopics(): Iterable<OwnedTopic> {
    return this.#topics.values();
  }

  topic(name: string): OwnedTopic | null {
    return this.#topics.get(name) ?? null;
  }

  committed(group: string, partition: TopicPartition): CommittedOffset | null {
    return this.#committed.get(group)?.get(`${partition.partition} ${partition.topic}`) ?? null;
  }

  groups(): readonly string[] {
    return [...this.#committed.keys()].sort();
  }

  async write(request: WriteRequest): Promise<void> {
    let change: Change;
    try {
      // Everything that can fail, fails before the change is queued.
      change = this.#changeOf(request);
    } catch (error) {
      if (isUmbusError(error)) request.failed(error);
      throw error;
    }
    return await this.queue.submit(change);
  }

  watch(partitions: readonly StoredPartition[], wake: () => void): () => void {
    const watched = partitions.filter(partition => partition instanceof OwnedPartition);
    for (const partition of watched) partition.watchers.add(wake);
    return () => {
      for (const partition of watched) partition.watchers.delete(wake);
    };
  }

  async close(): Promise<void> {
    await this.queue.drained();
    await this.#release();
  }

  #ensure(specs: readonly TopicSpec[]): Promise<void> {
    const made = new Map<string, TopicRow>();
    let nextId = this.#nextTopicId;
    for (const spec of specs) {
      const existing = this.#topics.get(spec.name) ?? made.get(spec.name);
      if (existing !== undefined && existing.spec.partitions !== spec.partitions) {
        return Promise.reject(partitionMismatch(spec, existing.spec.partitions));
      }
      made.set(spec.name, { id: existing?.id ?? nextId++, spec: shapeOf(spec) });
    }
    return this.queue.submit({
      bytes: specs.length * COMMIT_OVERHEAD_BYTES,
      guard: () => {},
      apply: () => {
        for (const [name, row] of made) this.environment.control.put(topicKey(name), topicValue(row), 1);
      },
      publish: () => {
        for (const { id, spec } of made.values()) {
          const existing = this.#topics.get(spec.name);
          if (existing === undefined) this.#addTopic(id, spec);
          else existing.spec = spec;
        }
      },
      failed: () => {},
    });
  }

  #changeOf(request: WriteRequest): Change {
    const batches = encodeOutputs(
      request.outputs,
      (topic, partition) => this.#partition(topic, partition),
      this.#readCache.memory,
    );
    const { origin } = request;
    const offsets = origin.kind === 'member' ? this.#offsetWrites(origin.group, request.offsets) : [];
    const placed: { readonly cache: PartitionCache; readonly batch: LoadedBatch }[] = [];
    let bytes = COMMIT_OVERHEAD_BYTES;
    for (const batch of batches) bytes += batch.bytes.length + COMMIT_OVERHEAD_BYTES;
    return {
      bytes,
      guard: request.guard,
      failed: request.failed,
      apply: group => {
        for (const batch of batches) {
          placed.push({ cache: batch.partition.cache, batch: this.#append(batch, group) });
        }
        for (const { key, value } of offsets) {
          group.finish(key.toString('latin1'), () => this.environment.log.put(key, value));
        }
      },
      publish: () => {
        for (const { partition } of batches) partition.publish();
        for (const { cache, batch } of placed) this.#readCache.addRecent(cache, batch);
        if (origin.kind === 'member')
          for (const { committed } of offsets) this.#remember(origin.group, committed);
      },
    };
  }

  #append(batch: EncodedBatch<OwnedPartition>, group: Group): LoadedBatch {
    const { partition, bytes, count, newestTimestampMs } = batch;
    const base = partition.pending.next;
    const last = base + BigInt(count - 1);
    putBatch(this.environment.log, partition, bytes, { base, last, count, newestTimestampMs });
    partition.pending = {
      ...partition.pending,
      next: last + 1n,
      bytes: partition.pending.bytes + bytes.length,
    };
    group.finish(partition, () => putHead(this.environment.log, partition));
    group.onFailure(partition, () => partition.rollBack());
    group.afterwards(partition, () => {
      for (const wake of [...partition.watchers]) wake();
    });
    return { base, last, bytes };
  }

  #offsetWrites(group: string, offsets: readonly CommittedOffset[]): OffsetWrite[] {
    return offsets.map(committed => ({
      key: offsetKey(group, this.#partition(committed.topic, committed.partition)),
      value: offsetValue(committed.offset, committed.metadata),
      committed: {
        topic: committed.topic,
        partition: committed.partition,
        offset: committed.offset,
        metadata: committed.metadata,
      },
    }));
  }

  #remember(group: string, committed: CommittedOffset): void {
    let offsets = this.#committed.get(group);
    if (offsets === undefined) {
      offsets = new Map();
      this.#committed.set(group, offsets);
    }
    offsets.set(`${committed.partition} ${committed.topic}`, committed);
  }

  #partition(topic: string, number: number): OwnedPartition {
    const found = this.#topics.get(topic);
    if (found === undefined) throw unknownTopic(topic);
    const partition = found.partitions[number];
    if (partition === undefined) throw unknownTopic(topic, number);
    return partition;
  }

  #addTopic(id: number, spec: TopicSpec): void {
    const partitions = Array.from(
      { length: spec.partitions },
      (_, partition) =>
        new OwnedPartition({ topic: spec.name, topicId: id, partition }, this.store, this.#readCache),
    );
    this.#topics.set(spec.name, { id, spec, partitions });
    this.#nextTopicId = Math.max(this.#nextTopicId, id + 1);
  }

  #loadCommitted(names: ReadonlyMap<number, string>): void {
    const { first, last } = offsetRange();
    for (const { key, value } of this.environment.log.getRange({ start: first, end: last })) {
      const { group, topicId, partition } = offsetKeyOf(Buffer.from(key));
      const topic = names.get(topicId);
      if (topic !== undefined)
        this.#remember(group, { topic, partition, ...offsetValueOf(Buffer.from(value)) });
    }
  }
}

function shapeOf({ name, partitions, cleanup, retentionMs, retentionBytes }: TopicSpec): TopicSpec {
  return { name, partitions, cleanup, retentionMs, retentionBytes };
}

/** A change that only moves the store's transaction number on. */
export function touchChange({ control }: Environment): Change {
  return {
    bytes: 0,
    guard: () => {},
    apply: () => control.put(TOUCH_KEY, Buffer.alloc(1), 1),
    publish: () => {},
    failed: () => {},
  };
}
