import type { Headers } from '../ports/log.ts';

/** Turns values into bytes and back. Members are properties, not methods, so that types are checked contravariantly. `decode` throws what it likes; the source's error policy decides. */
export interface Serde<T> {
  readonly name: string;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
}

/** A topic with its types. */
export interface Topic<K, V> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** Default 1. */
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  readonly retentionMs: number | null;
  readonly retentionBytes: number | null;
}

/** A record inside a topology. Valid during the call that it is given to: the runtime reuses the object, so keep its fields, not the record. */
export interface Rec<K, V> {
  readonly key: K;
  readonly value: V;
  /** Topic that it was read from; '' for what comes from outside the log. */
  readonly topic: string;
  /** Its offset there; -1 for what comes from outside the log. */
  readonly offset: bigint;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number;
  /** Total order within the input lane; see change/seq.ts. For foreign topics: the offset as 8 bytes. */
  readonly seq: Uint8Array;
  readonly headers: Headers;
}

/** A state store as a processor sees it: in memory, backed by a changelog topic that is committed with outputs and offsets. */
export interface Store<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  entries(): Iterable<readonly [K, V]>;
}

export interface StoreDef<K, V> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

// biome-ignore lint/suspicious/noExplicitAny: a store of any key and value; the mapped type below restores both.
export type StoreDefs = Readonly<Record<string, StoreDef<any, any>>>;
export type OpenStores<S extends StoreDefs> = {
  readonly [N in keyof S]: S[N] extends StoreDef<infer K, infer V> ? Store<K, V> : never;
};

/** Options of one emitted record; what is left out follows the input record. */
export interface EmitOptions {
  readonly timestampMs?: number;
  readonly headers?: Headers;
  /** Partition of the sink's topic; default: the sink's partitioner over the key bytes. */
  readonly partition?: number;
  /** Only for what comes from an external source, which alone knows the order; elsewhere the runtime makes it from the input's. */
  readonly seq?: Uint8Array;
}

export type Emit<K, V> = (key: K, value: V, options?: EmitOptions) => void;

export interface ProcessorContext<S extends StoreDefs> {
  readonly stores: OpenStores<S>;
  /** `<topology>-<partition>`. */
  readonly task: string;
  readonly partition: number;
  /** Milliseconds since 1970-01-01 UTC; virtual in the test driver. */
  now(): number;
  /**
   * Parks bytes that cannot be processed in the topology's dead-letter topic, in the same commit, counted, with the code, the message and
   * the input's topic, partition and offset in the headers. `key` names what is parked, for example `shop.orders`.
   */
  park(key: string, value: Uint8Array, error: unknown): void;
}

/**
 * One stage with state. The runtime makes one per task. All calls are synchronous and happen one at a time; what is buffered
 * between calls is flushed in `every.commit`: nothing may stay buffered across a commit. An `on` that throws is given to the
 * topology's `onError.process` policy; it must then have emitted nothing.
 */
export interface Processor<K, V, K2, V2, S extends StoreDefs = Record<never, never>> {
  on(record: Rec<K, V>, context: ProcessorContext<S>, emit: Emit<K2, V2>): void;
  /** Punctuation: `commit`; a wall-clock interval such as `200ms`, `5s`, `1m`; or `stream:1m` on record time. */
  readonly every?: Readonly<Record<string, (context: ProcessorContext<S>, emit: Emit<K2, V2>) => void>>;
}

/**
 * A source outside the log, such as a database. One task reads it. It keeps no position of its own: whenever it is opened, at start, after a
 * cut connection or a crash, it is given the last record of the topic that its outputs go to (`resumeFrom`, partition 0), once all that was
 * emitted is durable, and goes on right after it.
 */
export interface ExternalSource<V, K2, V2, M = unknown> {
  readonly resumeFrom: Topic<K2, V2>;
  /** A compacted topic, partition 0, that what follows the source writes to, behind the records that it belongs to and with the same seq. */
  readonly keeps?: Topic<string, M>;
  /**
   * `tail`: the record of `resumeFrom` with the highest seq, null when it is empty. `kept`: the values of `keeps` as they were at the tail, by key. A retryable error is
   * tried again with backoff, any other stops the task.
   */
  readonly open: (
    tail: Rec<K2, V2> | null,
    signal: AbortSignal,
    kept: ReadonlyMap<string, M>,
  ) => Promise<ExternalConnection<V>>;
}

export interface ExternalConnection<V> extends AsyncDisposable {
  /** The next value; null when the connection has ended and should be opened anew. Called again only after the previous value was processed. */
  read(): Promise<V | null>;
  /** Whether `read` would give a value without waiting. When not, the runtime commits what it has. */
  readonly ready: boolean;
}

/** What to do with a record that cannot be decoded or processed. `fail` stops the task (nothing is lost: it starts again from its last commit), `skip` drops and counts it, `dead-letter` parks it, retries first when given. */
export type OnError =
  | 'fail'
  | 'skip'
  | 'dead-letter'
  | { readonly policy: 'dead-letter' | 'fail'; readonly retries: number };
