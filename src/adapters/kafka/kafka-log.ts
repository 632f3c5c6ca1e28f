import { UmbusError } from '../../core/errors.ts';
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
import { EARLIEST, LATEST } from './admin-calls.ts';
import { Cluster } from './cluster.ts';
import { committedOffsets, committingGroups } from './committed.ts';
import type { Connections } from './connections.ts';
import { KafkaMembership } from './membership.ts';
import type { KafkaLogOptions } from './options.ts';
import { patiently } from './patience.ts';
import { listOffset, Reader } from './reading.ts';
import { Topics } from './topics.ts';
import { KafkaWriter } from './writer.ts';

/**
 * The log on a Kafka cluster. Reads committed records only, with transactions and without: appends of a {@link Writer} are transactions in both.
 * What passes by itself is tried again for about ten seconds; then the caller gets the error and tries in larger steps.
 */
export class KafkaLog implements Log {
  readonly #cluster: Cluster;
  readonly #options: KafkaLogOptions;
  readonly #topics: Topics;
  readonly #reader: Reader;
  readonly #closing = new AbortController();
  readonly #memberships = new Set<KafkaMembership>();
  readonly #writers = new Set<KafkaWriter>();
  #closed: Promise<void> | null = null;

  private constructor(cluster: Cluster, options: KafkaLogOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#topics = new Topics(cluster, options);
    this.#reader = new Reader(cluster);
  }

  /** Errors: UMBUS_KAFKA_*, at once when no broker answers. */
  static async open(connections: Connections, options: KafkaLogOptions): Promise<KafkaLog> {
    const cluster = new Cluster(connections, options.brokers, options.clock, options.onNotice ?? (() => {}));
    try {
      await cluster.refresh([]);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return new KafkaLog(cluster, options);
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    await this.#open(() => this.#topics.ensure(specs));
  }

  async topics(): Promise<readonly TopicDescription[]> {
    return await this.#open(() => this.#topics.describe());
  }

  async offset(
    partition: TopicPartition,
    at: 'earliest' | 'latest' | { readonly timestampMs: number },
  ): Promise<bigint> {
    const place = { topic: partition.topic, partition: partition.partition };
    return await this.#open(async () => {
      const ask = (time: bigint) => listOffset(this.#cluster, this.#cluster.links, place, time);
      if (typeof at !== 'object') return await ask(times[at]);
      // What a broker finds may be a marker, whose time is the end of its transaction.
      const near = await ask(BigInt(Math.ceil(at.timestampMs)));
      return await this.#reader.firstAt(place, near, at.timestampMs);
    });
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    return await this.#open(() => committedOffsets(this.#cluster, group, partitions));
  }

  async groups(): Promise<readonly string[]> {
    return await this.#open(() => committingGroups(this.#cluster));
  }

  async read(
    from: TopicPartition & { readonly offset: bigint },
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<RecordBatch> {
    return await this.#open(() => this.#reader.read(from, options, signal));
  }

  async tail(partition: TopicPartition, count: number): Promise<readonly LogRecord[]> {
    const at = { topic: partition.topic, partition: partition.partition };
    return await this.#open(() => this.#reader.tail(at, count));
  }

  async openWriter(id: string): Promise<Writer> {
    return await this.#open(async () => {
      const writer = await KafkaWriter.open(id, this.#cluster, this.#options, ended =>
        this.#writers.delete(ended),
      );
      this.#writers.add(writer);
      return writer;
    });
  }

  async join(options: JoinOptions): Promise<Membership> {
    return await this.#open(async () => {
      const partitions = await this.#samePartitions(options);
      const membership = new KafkaMembership(
        {
          cluster: this.#cluster,
          options: this.#options,
          partitions,
          closed: this.#closing.signal,
          ended: ended => this.#memberships.delete(ended),
        },
        options,
      );
      this.#memberships.add(membership);
      return membership;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#memberships].map(membership => membership[Symbol.asyncDispose]()));
    await Promise.all([...this.#writers].map(writer => writer[Symbol.asyncDispose]()));
    await this.#reader.close();
    await this.#cluster.close();
  }

  async #open<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
    return await work();
  }

  async #samePartitions({ group, topics }: JoinOptions): Promise<number> {
    const counts: number[] = [];
    for (const name of topics) {
      const topic = await patiently(this.#cluster.clock, () => this.#cluster.topic(name));
      counts.push(topic.partitions.length);
    }
    const [first] = counts;
    if (first === undefined)
      throw new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', `Group ${group} was joined without a topic.`);
    const other = counts.findIndex(count => count !== first);
    if (other < 0) return first;
    throw new UmbusError(
      'UMBUS_LOG_TOPIC_MISMATCH',
      `Topics of group ${group} must have equally many partitions, but ${topics[0]} has ${first} and ${topics[other]} has ${counts[other]}.`,
      { details: { group, topic: topics[other] ?? '' } },
    );
  }
}

const times = { earliest: EARLIEST, latest: LATEST } as const;
