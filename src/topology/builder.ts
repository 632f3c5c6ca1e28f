import { UmbusError } from '../core/errors.ts';
import type {
  Control,
  Erased,
  ErasedStoreDef,
  ErasedTopic,
  Input,
  SinkStage,
  Stage,
  Watch,
} from './graph.ts';
import type { AsyncOptions, Builder, SinkOptions, SourceOptions, Stream } from './stream.ts';
import type { ExternalSource, OnError, Serde } from './types.ts';

/** What `build` has wired so far, in order of declaration. */
export interface Wiring {
  readonly topology: string;
  readonly stages: Stage[];
  readonly controls: Control[];
  readonly watches: Watch[];
  readonly names: Set<string>;
}

/** Throws UMBUS_TOPOLOGY_INVALID with the topology's name before the problem. */
export function invalid(topology: string, problem: string): never {
  throw new UmbusError('UMBUS_TOPOLOGY_INVALID', `Topology '${topology}': ${problem}.`, {
    details: { topology },
  });
}

/**
 * A builder that appends to `wiring`. A missing or repeated name throws UMBUS_TOPOLOGY_INVALID at once, so that the stack
 * shows the line of the stage.
 */
export function builderOver(wiring: Wiring, decodePolicy: OnError): Builder {
  return {
    source: (name: string, topics: ErasedTopic | readonly ErasedTopic[], options?: SourceOptions) =>
      add(wiring, {
        kind: 'source',
        name: claim(wiring, name),
        topics: 'name' in topics ? [topics] : [...topics],
        onError: options?.onError ?? decodePolicy,
        repartition: false,
      }),
    external: (name: string, source: ExternalSource<Erased, Erased, Erased, Erased>) =>
      add(wiring, { kind: 'external', name: claim(wiring, name), source }),
    watch: (name, path, serde, options) =>
      addWatch(wiring, claim(wiring, name), path, serde, options ?? null),
    control: (name: string, topic: ErasedTopic, f: Control['f']) => {
      wiring.controls.push({ name: claim(wiring, name), topic, f });
    },
  };
}

function claim(wiring: Wiring, name: string): string {
  if (typeof name !== 'string' || name.trim() === '') invalid(wiring.topology, 'a stage has no name');
  if (wiring.names.has(name)) invalid(wiring.topology, `two stages are named '${name}'`);
  wiring.names.add(name);
  return name;
}

function add(wiring: Wiring, stage: Stage): Stream<Erased, Erased> {
  wiring.stages.push(Object.freeze(stage));
  return streamFrom(wiring, { stage: wiring.stages.length - 1, branch: null });
}

function addWatch<T>(
  wiring: Wiring,
  name: string,
  path: string,
  serde: Serde<T>,
  initial: { readonly initial: T } | null,
): { readonly value: T } {
  let current: { readonly value: T } | null = null;
  wiring.watches.push({
    name,
    path,
    serde,
    initial: initial === null ? null : { value: initial.initial },
    set: (value: T) => {
      current = { value };
    },
  });
  return {
    get value(): T {
      if (current === null) invalid(wiring.topology, `the config cell '${name}' was read before the start`);
      return current.value;
    },
  };
}

function streamFrom(wiring: Wiring, input: Input): Stream<Erased, Erased> {
  const simple =
    (kind: 'map' | 'flatMap' | 'filter' | 'key') =>
    (name: string, f: Erased): Stream<Erased, Erased> =>
      add(wiring, { kind, name: claim(wiring, name), input, f });
  return {
    map: simple('map'),
    flatMap: simple('flatMap'),
    filter: simple('filter'),
    key: simple('key'),
    branch: (name: string, branches: Readonly<Record<string, (value: Erased) => boolean>>) => {
      add(wiring, { kind: 'branch', name: claim(wiring, name), input, branches: Object.entries(branches) });
      const stage = wiring.stages.length - 1;
      const labels = Object.keys(branches);
      const streams: Erased = Object.fromEntries(
        labels.map(label => [label, streamFrom(wiring, { stage, branch: label })]),
      );
      return streams;
    },
    process: (name: string, stores: Readonly<Record<string, ErasedStoreDef>>, make: Erased) =>
      add(wiring, {
        kind: 'process',
        name: claim(wiring, name),
        input,
        stores: Object.freeze({ ...stores }),
        make,
      }),
    mapAsync: (name: string, f: Erased, options: AsyncOptions) => {
      if (!Number.isInteger(options.inFlight) || options.inFlight < 1) {
        invalid(wiring.topology, `the stage '${name}' needs an inFlight of at least 1`);
      }
      return add(wiring, {
        kind: 'mapAsync',
        name: claim(wiring, name),
        input,
        f,
        options: Object.freeze({ ...options }),
      });
    },
    repartition: (name: string, topic: ErasedTopic) => {
      add(wiring, sinkStage(claim(wiring, name), input, topic, {}, true));
      return add(wiring, {
        kind: 'source',
        name: claim(wiring, `${name}-read`),
        topics: [topic],
        onError: 'fail',
        repartition: true,
      });
    },
    to: (
      name: string,
      destination: ErasedTopic | ((value: Erased, key: Erased) => ErasedTopic),
      options?: Projections,
    ) => {
      add(wiring, sinkStage(claim(wiring, name), input, destination, options ?? {}, false));
    },
  };
}

interface Projections extends SinkOptions<Erased, Erased> {
  readonly key?: (value: Erased, key: Erased) => Erased;
  readonly value?: (value: Erased, key: Erased) => Erased;
}

function sinkStage(
  name: string,
  input: Input,
  destination: ErasedTopic | ((value: Erased, key: Erased) => ErasedTopic),
  options: Projections,
  repartition: boolean,
): SinkStage {
  const chosen = typeof destination === 'function';
  return {
    kind: 'sink',
    name,
    input,
    topic: chosen ? null : destination,
    choose: chosen ? destination : null,
    topics: Object.freeze(chosen ? [...(options.topics ?? [])] : [destination]),
    key: options.key ?? null,
    value: options.value ?? null,
    partition: options.partition ?? null,
    back: options.back ?? false,
    repartition,
  };
}
