import type { ExternalSource, OnError, Processor, Rec, Serde, StoreDefs, Topic } from './types.ts';

/**
 * A typed stream of records within a topology. Every stage has a name, unique within the topology. Stages up to a `mapAsync` are fused into one
 * function and run synchronously over a batch. The `record` that a function is given is valid during the call only: the runtime
 * reuses the object, so keep its fields, not the record.
 */
export interface Stream<K, V> {
  /** One value for each value; key, time and headers stay. */
  map<V2>(name: string, f: (value: V, record: Rec<K, V>) => V2): Stream<K, V2>;
  /** Any number of values for each value. */
  flatMap<V2>(name: string, f: (value: V, record: Rec<K, V>) => Iterable<V2>): Stream<K, V2>;
  /** Keeps what the guard accepts, narrowed; counts the rest as filtered. */
  filter<V2 extends V>(name: string, f: (value: V) => value is V2): Stream<K, V2>;
  filter(name: string, f: (value: V, record: Rec<K, V>) => boolean): Stream<K, V>;
  /** A new key. The partition does not change before the next `to` or `repartition`. */
  key<K2>(name: string, f: (value: V, key: K) => K2): Stream<K2, V>;
  /** Each record goes to the first branch whose predicate holds, narrowed by it; one that fits none is counted as filtered. A branch may be left unused. */
  branch<B extends Readonly<Record<string, (value: V) => boolean>>>(
    name: string,
    branches: B,
  ): Branches<K, V, B>;
  /** A stage with state: `make` is called once for each task. */
  process<K2, V2, S extends StoreDefs>(
    name: string,
    stores: S,
    make: (partition: number) => Processor<K, V, K2, V2, S>,
  ): Stream<K2, V2>;
  /**
   * Calls that wait. At most `inFlight` run at once; a batch is committed when all of its calls are done. `signal`: the task is torn down, and nothing of the batch counts. `leaving`: partitions are to
   * move to another member; a call that may take long gives a value soon then that says where to go on, since a member that does not give back in time loses all that it did of the batch.
   */
  mapAsync<V2>(
    name: string,
    f: (value: V, signal: AbortSignal, leaving: AbortSignal) => Promise<V2>,
    options: AsyncOptions,
  ): Stream<K, V2>;
  /** Writes to a topic, by key, and goes on from there, in tasks of that topic's partitions. */
  repartition(name: string, topic: Topic<K, V>): Stream<K, V>;
  /** Ends in a topic, fixed or chosen for each record. Where key or value of the topic differ, `key` and `value` of the options make them. */
  to(name: string, topic: Destination<K, V, K, V>, options?: SinkOptions<K, V>): void;
  to<V2>(
    name: string,
    topic: Destination<K, V, K, V2>,
    options: SinkOptions<K, V> & { readonly value: (value: V, key: K) => V2 },
  ): void;
  to<K2, V2>(
    name: string,
    topic: Destination<K, V, K2, V2>,
    options: SinkOptions<K, V> & {
      readonly key: (value: V, key: K) => K2;
      readonly value: (value: V, key: K) => V2;
    },
  ): void;
}

/** The streams of a branch, by label. */
export type Branches<K, V, B extends Readonly<Record<string, (value: V) => boolean>>> = {
  // biome-ignore lint/suspicious/noExplicitAny: `any` in the parameter lets every guard match; the result does not carry it.
  readonly [N in keyof B]: Stream<K, B[N] extends (value: any) => value is infer G ? Extract<G, V> : V>;
};

/** A topic as a sink needs it: only its encoders count, so a topic with nullable keys takes a stream with keys. */
export type WritableTopic<K, V> = TopicShape & {
  readonly key: Pick<Serde<K>, 'encode'>;
  readonly value: Pick<Serde<V>, 'encode'>;
};

/** Where a sink writes. */
export type Destination<K, V, K2, V2> = WritableTopic<K2, V2> | ((value: V, key: K) => WritableTopic<K2, V2>);

/** Options of `to`. */
export interface SinkOptions<K, V> {
  /** Partition for each record; default: what the emit said, else the hash of the key bytes (murmur2, as Kafka's default), else, without a key, the input's partition. */
  readonly partition?: (value: V, key: K, partitions: number) => number;
  /** The topics that a chosen topic can be, so that they are shown by `describe` and made at start. Others are made when they are first written to. */
  readonly topics?: readonly TopicShape[];
  /** That the topology reads the topic itself is meant: a record may come back, and what makes it must end. Default: it is refused as a mistake. */
  readonly back?: boolean;
}

/** A topic without its types. */
export type TopicShape = Omit<Topic<never, never>, 'key' | 'value'>;

/**
 * How results of `mapAsync` go on. `partition`: in input order. `key`: calls of one key run one after the other, results go on as they come.
 * `none`: as they come. What is written to topics is in input order in every case.
 */
export interface AsyncOptions {
  /** At least 1. */
  readonly inFlight: number;
  readonly order: 'partition' | 'key' | 'none';
}

/** Options of `source`. */
export interface SourceOptions {
  /** Overrides the topology's `onError.decode`. */
  readonly onError?: OnError;
}

/** What a control handler can do to its task. */
export interface ControlContext {
  readonly task: string;
  readonly partition: number;
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Stops reading an input topic, or all of them, until `resume`; survives a restart. */
  pause(topic?: Pick<TopicShape, 'name'>): void;
  resume(topic?: Pick<TopicShape, 'name'>): void;
}

/** A value of the configuration that can change while the topology runs. Swapped between batches, never inside one. */
export interface ConfigCell<T> {
  /** Throws UMBUS_TOPOLOGY_INVALID when read inside `build`, before there is a value. */
  readonly value: T;
}

/** What `build` is given. */
export interface Builder {
  /** Reads topics. Several topics, and topics whose streams share a store, need equal partition counts: one task has partition p of all. */
  source<K, V>(
    name: string,
    topics: Topic<K, V> | readonly Topic<K, V>[],
    options?: SourceOptions,
  ): Stream<K, V>;
  /** Reads a source outside the log. Stages after it cannot have stores: the tail of what they wrote is their only state. */
  external<V, K2, V2, M = unknown>(name: string, source: ExternalSource<V, K2, V2, M>): Stream<null, V>;
  /** Watches a config path. `initial` is the value while the path has none; without it a missing path stops the start. */
  watch<T>(name: string, path: string, serde: Serde<T>, options?: { readonly initial: T }): ConfigCell<T>;
  /** Every task sees every record of this topic, between two batches, from the topic's end at its first start on. */
  control<V>(name: string, topic: Topic<string, V>, f: (value: V, context: ControlContext) => void): void;
}
