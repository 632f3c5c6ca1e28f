import { invalid } from './builder.ts';
import type { ErasedStoreDef, ErasedTopic, Stage, TaskGroup } from './graph.ts';

/**
 * Splits the stages into what runs in the same tasks, and checks each part: equal partition counts, one definition of each store,
 * no stores after an external source. Throws UMBUS_TOPOLOGY_INVALID naming the stages.
 */
export function taskGroupsOf(topology: string, stages: readonly Stage[]): readonly TaskGroup[] {
  const parent = stages.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root] ?? root;
    return root;
  };
  // The smaller index wins, so a group is known by its first stage.
  const join = (a: number, b: number): void => {
    const [low, high] = [rootOf(a), rootOf(b)].sort((x, y) => x - y);
    if (low !== undefined && high !== undefined) parent[high] = low;
  };
  const storeUsers = new Map<string, { readonly def: ErasedStoreDef; readonly stage: number }>();
  stages.forEach((stage, index) => {
    if ('input' in stage) join(index, stage.input.stage);
    if (stage.kind !== 'process') return;
    for (const def of Object.values(stage.stores)) {
      const first = storeUsers.get(def.name);
      if (first === undefined) storeUsers.set(def.name, { def, stage: index });
      else if (first.def !== def)
        invalid(
          topology,
          `the stage '${stage.name}' defines the store '${def.name}' anew; use the one definition`,
        );
      else join(index, first.stage);
    }
  });
  const members = new Map<number, number[]>();
  stages.forEach((_, index) => {
    const root = rootOf(index);
    const list = members.get(root);
    if (list === undefined) members.set(root, [index]);
    else list.push(index);
  });
  const groups = [...members.values()].map((indexes, ordinal) =>
    groupOf(topology, stages, indexes, ordinal === 0),
  );
  if (groups.length === 0) invalid(topology, 'it has no stages');
  checkReaders(topology, stages);
  return groups;
}

function groupOf(
  topology: string,
  stages: readonly Stage[],
  indexes: readonly number[],
  first: boolean,
): TaskGroup {
  const own = indexes.flatMap(index => stages[index] ?? []);
  const topics: ErasedTopic[] = [];
  const stores = new Map<string, ErasedStoreDef>();
  let head: Stage | null = null;
  let external: Stage | null = null;
  for (const stage of own) {
    if (stage.kind === 'source') {
      head ??= stage;
      if (stage.topics.length === 0) invalid(topology, `the stage '${stage.name}' reads no topic`);
      topics.push(...stage.topics);
      checkCoPartitioned(topology, topics, stage.name);
    } else if (stage.kind === 'external') {
      head ??= stage;
      external = stage;
    } else if (stage.kind === 'process') {
      for (const def of Object.values(stage.stores)) stores.set(def.name, def);
    }
  }
  if (head === null) invalid(topology, 'a stage has no source');
  if (external !== null) checkExternal(topology, external, own);
  return Object.freeze({
    suffix: first ? '' : head.name,
    stages: Object.freeze([...indexes]),
    kind: external === null ? ('log' as const) : ('external' as const),
    topics: Object.freeze(topics),
    partitions: topics[0]?.partitions ?? 1,
    stores: Object.freeze([...stores.values()]),
    hasAsync: own.some(stage => stage.kind === 'mapAsync'),
  });
}

function checkCoPartitioned(topology: string, topics: readonly ErasedTopic[], stage: string): void {
  const [one] = topics;
  const other = topics.find(candidate => candidate.partitions !== one?.partitions);
  if (one !== undefined && other !== undefined) {
    invalid(
      topology,
      `the stage '${stage}' needs topics with equal partition counts, but '${one.name}' has ${one.partitions} and '${other.name}' has ${other.partitions}`,
    );
  }
}

function checkExternal(topology: string, external: Stage, own: readonly Stage[]): void {
  const why = `follows the external source '${external.name}'`;
  for (const stage of own) {
    if (stage.kind === 'source')
      invalid(
        topology,
        `the stage '${stage.name}' shares a task with the external source '${external.name}'`,
      );
    if (stage.kind === 'external' && stage !== external)
      invalid(topology, `two external sources, '${external.name}' and '${stage.name}', share a task`);
    if (stage.kind === 'mapAsync')
      invalid(topology, `the stage '${stage.name}' is asynchronous and ${why}; write to a topic first`);
    if (stage.kind === 'process' && Object.keys(stage.stores).length > 0) {
      invalid(
        topology,
        `the stage '${stage.name}' has stores and ${why}, whose only state is the tail of what was written; write to a topic first`,
      );
    }
  }
}

function checkReaders(topology: string, stages: readonly Stage[]): void {
  const readers = new Map<string, string>();
  for (const stage of stages) {
    if (stage.kind !== 'source') continue;
    for (const topic of stage.topics) {
      const other = readers.get(topic.name);
      if (other !== undefined) {
        invalid(
          topology,
          `the stages '${other}' and '${stage.name}' both read '${topic.name}'; use one source and let both follow it`,
        );
      }
      readers.set(topic.name, stage.name);
    }
  }
}
