import type { ErrorPolicies, Guarantee } from './definition.ts';
import type { AsyncOptions, ControlContext, TopicShape } from './stream.ts';
import type { ExternalSource, OnError, Processor, Rec, Serde, StoreDef, Topic } from './types.ts';

// biome-ignore lint/suspicious/noExplicitAny: the builder's signatures have checked keys and values; inside the graph their types are erased, and this is the one name for that.
export type Erased = any;

/** A topic whose types have been checked and erased. */
export type ErasedTopic = Topic<Erased, Erased>;
/** A store definition whose types have been checked and erased. */
export type ErasedStoreDef = StoreDef<Erased, Erased>;
/** A record whose types have been checked and erased. */
export type ErasedRecord = Rec<Erased, Erased>;
/** A processor whose types have been checked and erased. */
export type ErasedProcessor = Processor<
  Erased,
  Erased,
  Erased,
  Erased,
  Readonly<Record<string, ErasedStoreDef>>
>;

/** Where a stage's records come from: the output of an earlier stage; `branch` names the label of a branch stage. */
export interface Input {
  readonly stage: number;
  readonly branch: string | null;
}

/** A stage of the graph. `source` and `external` begin, `sink` ends; a sink with `repartition` goes on in the source of the same topic after it. */
export type Stage =
  | {
      readonly kind: 'source';
      readonly name: string;
      readonly topics: readonly ErasedTopic[];
      readonly onError: OnError;
      readonly repartition: boolean;
    }
  | {
      readonly kind: 'external';
      readonly name: string;
      readonly source: ExternalSource<Erased, Erased, Erased, Erased>;
    }
  | {
      readonly kind: 'map';
      readonly name: string;
      readonly input: Input;
      readonly f: (value: Erased, record: ErasedRecord) => Erased;
    }
  | {
      readonly kind: 'flatMap';
      readonly name: string;
      readonly input: Input;
      readonly f: (value: Erased, record: ErasedRecord) => Iterable<Erased>;
    }
  | {
      readonly kind: 'filter';
      readonly name: string;
      readonly input: Input;
      readonly f: (value: Erased, record: ErasedRecord) => boolean;
    }
  | {
      readonly kind: 'key';
      readonly name: string;
      readonly input: Input;
      readonly f: (value: Erased, key: Erased) => Erased;
    }
  | {
      readonly kind: 'branch';
      readonly name: string;
      readonly input: Input;
      readonly branches: readonly (readonly [label: string, f: (value: Erased) => boolean])[];
    }
  | {
      readonly kind: 'process';
      readonly name: string;
      readonly input: Input;
      readonly stores: Readonly<Record<string, ErasedStoreDef>>;
      readonly make: (partition: number) => ErasedProcessor;
    }
  | {
      readonly kind: 'mapAsync';
      readonly name: string;
      readonly input: Input;
      readonly f: (value: Erased, signal: AbortSignal, leaving: AbortSignal) => Promise<Erased>;
      readonly options: AsyncOptions;
    }
  | SinkStage;

/** A stage that writes. */
export interface SinkStage {
  readonly kind: 'sink';
  readonly name: string;
  readonly input: Input;
  /** Fixed, or null when `choose` picks one for each record. */
  readonly topic: ErasedTopic | null;
  readonly choose: ((value: Erased, key: Erased) => ErasedTopic) | null;
  /** All topics known before the start. */
  readonly topics: readonly TopicShape[];
  readonly key: ((value: Erased, key: Erased) => Erased) | null;
  readonly value: ((value: Erased, key: Erased) => Erased) | null;
  readonly partition: ((value: Erased, key: Erased, partitions: number) => number) | null;
  /** Whether it may write to a topic that the topology reads. */
  readonly back: boolean;
  readonly repartition: boolean;
}

/** A control topic and its handler. */
export interface Control {
  readonly name: string;
  readonly topic: ErasedTopic;
  readonly f: (value: Erased, context: ControlContext) => void;
}

/** A watched config path. `set` swaps what the cell's `value` gives. */
export interface Watch {
  readonly name: string;
  readonly path: string;
  readonly serde: Serde<Erased>;
  readonly initial: { readonly value: Erased } | null;
  readonly set: (value: Erased) => void;
}

/**
 * Stages that run in the same tasks: what is connected by streams, stores, or both. Has either sources, read by a consumer group of its own,
 * or one external source.
 */
export interface TaskGroup {
  /** '' for the first group of the topology, else the name of its first source. */
  readonly suffix: string;
  /** Indexes into `Graph.stages`, ascending. */
  readonly stages: readonly number[];
  readonly kind: 'log' | 'external';
  /** Topics read, in order of declaration. */
  readonly topics: readonly ErasedTopic[];
  /** Partitions of each of them, and the number of tasks. */
  readonly partitions: number;
  readonly stores: readonly ErasedStoreDef[];
  readonly hasAsync: boolean;
}

/** A built topology: what `build` wired, checked and frozen. */
export interface Graph {
  readonly name: string;
  readonly version: number;
  readonly guarantee: Guarantee;
  readonly onError: ErrorPolicies;
  readonly commit: { readonly maxBytes: number; readonly everyMs: number };
  readonly deadTopic: string | null;
  readonly stages: readonly Stage[];
  readonly controls: readonly Control[];
  readonly watches: readonly Watch[];
  readonly groups: readonly TaskGroup[];
}
