import { UmbusError } from '../core/errors.ts';
import { dropped, type Flow, type StageHost, type Step } from './flow.ts';
import type { Erased, ErasedProcessor, ErasedTopic, Graph, SinkStage, Stage, TaskGroup } from './graph.ts';
import { partitionOf } from './partitioner.ts';
import { bytesOrNull } from './serdes.ts';
import type { Emit, EmitOptions, ProcessorContext } from './types.ts';

/** A processor of a task, with its context and emit, for punctuation. */
export interface OpenProcessor {
  readonly stage: string;
  readonly processor: ErasedProcessor;
  readonly context: ProcessorContext<Readonly<Record<string, Erased>>>;
  readonly emit: Emit<Erased, Erased>;
}

/** The stages of a task group, fused for one task. */
export interface FusedStages {
  /** First step by topic name; for an external source by ''. */
  readonly heads: ReadonlyMap<string, { readonly stage: Stage; readonly step: Step }>;
  readonly processors: readonly OpenProcessor[];
}

/** Makes the context of a `process` stage: the runtime opens its stores. */
export type OpenContext = (stage: Extract<Stage, { kind: 'process' }>) => OpenProcessor['context'];

/** Fuses the synchronous stages of a group into one function for each source. `flow` is the task's one record. */
export function fuse(
  graph: Graph,
  group: TaskGroup,
  host: StageHost,
  flow: Flow,
  openContext: OpenContext,
): FusedStages {
  const processors: OpenProcessor[] = [];
  const heads = new Map<string, { stage: Stage; step: Step }>();
  const after = (index: number, branch: string | null): Step =>
    fanOut(
      group.stages.flatMap(child => {
        const stage = graph.stages[child];
        return stage !== undefined &&
          'input' in stage &&
          stage.input.stage === index &&
          stage.input.branch === branch
          ? [stepOf(child, stage)]
          : [];
      }),
    );
  const stepOf = (index: number, stage: Stage): Step => {
    switch (stage.kind) {
      case 'source':
      case 'external':
        return after(index, null);
      case 'map':
        return mapStep(stage, host, after(index, null));
      case 'flatMap':
        return flatMapStep(stage, host, after(index, null));
      case 'filter':
        return filterStep(stage, host, after(index, null));
      case 'key':
        return keyStep(stage, host, after(index, null));
      case 'branch':
        return branchStep(
          stage,
          host,
          stage.branches.map(([label]) => after(index, label)),
        );
      case 'process': {
        const open = openProcessor(stage, host, flow, openContext(stage), after(index, null));
        processors.push(open);
        return processStep(open, host);
      }
      case 'mapAsync': {
        const next = after(index, null);
        return record => host.defer(index, record, next);
      }
      case 'sink':
        return sinkStep(stage, host);
    }
  };
  for (const index of group.stages) {
    const stage = graph.stages[index];
    if (stage?.kind === 'source') {
      const step = stepOf(index, stage);
      for (const topic of stage.topics) heads.set(topic.name, { stage, step });
    } else if (stage?.kind === 'external') heads.set('', { stage, step: stepOf(index, stage) });
  }
  return { heads, processors };
}

function fanOut(steps: readonly Step[]): Step {
  const [first, second] = steps;
  if (first === undefined) return () => {};
  if (second === undefined) return first;
  return flow => {
    for (const step of steps) step(flow);
  };
}

function mapStep(stage: Extract<Stage, { kind: 'map' }>, host: StageHost, next: Step): Step {
  const { f, name } = stage;
  return flow => {
    const value = flow.value;
    let result: Erased;
    try {
      result = f(value, flow);
    } catch (error) {
      result = host.failed(name, 'process', error, () => f(value, flow));
      if (result === dropped) return;
    }
    flow.value = result;
    next(flow);
    flow.value = value;
  };
}

function flatMapStep(stage: Extract<Stage, { kind: 'flatMap' }>, host: StageHost, next: Step): Step {
  const { name } = stage;
  // A generator throws while it is walked, so its values are taken before the first goes on: a failing call emits nothing.
  const all = (value: Erased, flow: Flow): readonly Erased[] => {
    const results = stage.f(value, flow);
    return Array.isArray(results) ? results : [...results];
  };
  return flow => {
    const value = flow.value;
    let results: Erased;
    try {
      results = all(value, flow);
    } catch (error) {
      results = host.failed(name, 'process', error, () => all(value, flow));
      if (results === dropped) return;
    }
    for (const result of results) {
      flow.value = result;
      next(flow);
    }
    flow.value = value;
  };
}

function filterStep(stage: Extract<Stage, { kind: 'filter' }>, host: StageHost, next: Step): Step {
  const { f, name } = stage;
  return flow => {
    let keep: Erased;
    try {
      keep = f(flow.value, flow);
    } catch (error) {
      keep = host.failed(name, 'process', error, () => f(flow.value, flow));
      if (keep === dropped) return;
    }
    if (keep) next(flow);
    else host.filtered();
  };
}

function keyStep(stage: Extract<Stage, { kind: 'key' }>, host: StageHost, next: Step): Step {
  const { f, name } = stage;
  return flow => {
    const key = flow.key;
    let result: Erased;
    try {
      result = f(flow.value, key);
    } catch (error) {
      result = host.failed(name, 'process', error, () => f(flow.value, key));
      if (result === dropped) return;
    }
    flow.key = result;
    next(flow);
    flow.key = key;
  };
}

function branchStep(
  stage: Extract<Stage, { kind: 'branch' }>,
  host: StageHost,
  nexts: readonly Step[],
): Step {
  const { name } = stage;
  const choose = (value: Erased): number => stage.branches.findIndex(([, accepts]) => accepts(value));
  return flow => {
    let chosen: Erased;
    try {
      chosen = choose(flow.value);
    } catch (error) {
      chosen = host.failed(name, 'process', error, () => choose(flow.value));
      if (chosen === dropped) return;
    }
    const next = nexts[chosen];
    if (next === undefined) host.filtered();
    else next(flow);
  };
}

function openProcessor(
  stage: Extract<Stage, { kind: 'process' }>,
  host: StageHost,
  flow: Flow,
  context: OpenProcessor['context'],
  next: Step,
): OpenProcessor {
  const emit = (key: Erased, value: Erased, options?: EmitOptions): void => {
    const { key: oldKey, value: oldValue, timestampMs, headers, partition, ownSeq } = flow;
    flow.key = key;
    flow.value = value;
    if (options !== undefined) {
      if (options.timestampMs !== undefined) flow.timestampMs = options.timestampMs;
      if (options.headers !== undefined) flow.headers = options.headers;
      if (options.partition !== undefined) flow.partition = options.partition;
      if (options.seq !== undefined) flow.ownSeq = options.seq;
    }
    next(flow);
    flow.key = oldKey;
    flow.value = oldValue;
    flow.timestampMs = timestampMs;
    flow.headers = headers;
    flow.partition = partition;
    flow.ownSeq = ownSeq;
  };
  return { stage: stage.name, processor: stage.make(host.partition), context, emit };
}

function processStep(open: OpenProcessor, host: StageHost): Step {
  const { processor, context, emit, stage } = open;
  return flow => {
    const outputsBefore = host.begin();
    try {
      processor.on(flow, context, emit);
    } catch (error) {
      host.undo(stage, outputsBefore);
      host.failed(stage, 'process', error, () => {
        try {
          processor.on(flow, context, emit);
        } catch (again) {
          host.undo(stage, outputsBefore);
          throw again;
        }
      });
    }
  };
}

function sinkStep(stage: SinkStage, host: StageHost): Step {
  const { topic, choose, key, value, name } = stage;
  const write = (flow: Flow): void => {
    const destination: ErasedTopic | null | undefined =
      choose === null ? topic : choose(flow.value, flow.key);
    if (destination === undefined || destination === null)
      throw new UmbusError('UMBUS_TOPOLOGY_PROCESS', 'The sink chose no topic.');
    const keyBytes = destination.key.encode(key === null ? flow.key : key(flow.value, flow.key));
    const valueBytes = destination.value.encode(value === null ? flow.value : value(flow.value, flow.key));
    const bytes = bytesOrNull(keyBytes);
    host.output(
      destination,
      partitionFor(stage, host, flow, destination, bytes),
      bytes,
      bytesOrNull(valueBytes),
      flow,
    );
  };
  return flow => {
    try {
      write(flow);
    } catch (error) {
      host.failed(name, 'produce', error, () => write(flow));
    }
  };
}

function partitionFor(
  stage: SinkStage,
  host: StageHost,
  flow: Flow,
  topic: ErasedTopic,
  key: Uint8Array | null,
): number {
  if (flow.partition < 0 && stage.partition === null) {
    return key === null ? host.partition % topic.partitions : partitionOf(key, topic.partitions);
  }
  const asked =
    flow.partition < 0 && stage.partition !== null
      ? stage.partition(flow.value, flow.key, topic.partitions)
      : flow.partition;
  if (Number.isInteger(asked) && asked >= 0 && asked < topic.partitions) return asked;
  throw new UmbusError(
    'UMBUS_TOPOLOGY_PROCESS',
    `The sink asks for partition ${asked} of '${topic.name}', which has ${topic.partitions}.`,
  );
}
