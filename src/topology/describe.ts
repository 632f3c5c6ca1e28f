import { buildTopology } from './build.ts';
import type { TopologyDefinition } from './definition.ts';
import type { Graph, Stage, TaskGroup } from './graph.ts';

/** A stage as `describe` shows it. */
export interface StageDescription {
  readonly kind: string;
  readonly name: string;
  /** The stage before; null for sources. */
  readonly after: string | null;
  /** Which branch of it; null when it is not a branch stage. */
  readonly branch: string | null;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Whether the sink may also write to topics that are not known before the start. */
  readonly dynamic: boolean;
  readonly stores: readonly string[];
  readonly branches: readonly string[];
}

/** A topology as `describe` shows it: stable, so that two versions can be compared as text. */
export interface TopologyDescription {
  readonly name: string;
  readonly version: number;
  readonly guarantee: string;
  readonly deadLetter: string | null;
  readonly controls: readonly { readonly name: string; readonly topic: string }[];
  readonly watches: readonly { readonly name: string; readonly path: string }[];
  readonly groups: readonly { readonly tasks: number; readonly stages: readonly StageDescription[] }[];
}

/** The graph of a topology as plain values. Throws as `buildTopology`. */
export function describeTopology<C>(definition: TopologyDefinition<C>, config: C): TopologyDescription {
  return describeGraph(buildTopology(definition, config));
}

/** The graph of a topology as text: one line a stage (`text`), the value of {@link describeTopology} (`json`), or a Mermaid flowchart. */
export function describe<C>(
  definition: TopologyDefinition<C>,
  config: C,
  format: 'text' | 'json' | 'mermaid' = 'text',
): string {
  const description = describeTopology(definition, config);
  switch (format) {
    case 'text':
      return textOf(description);
    case 'json':
      return `${JSON.stringify(description, null, 2)}\n`;
    case 'mermaid':
      return mermaidOf(description);
  }
}

function describeGraph(graph: Graph): TopologyDescription {
  return {
    name: graph.name,
    version: graph.version,
    guarantee: graph.guarantee,
    deadLetter: graph.deadTopic,
    controls: graph.controls.map(control => ({ name: control.name, topic: control.topic.name })),
    watches: graph.watches.map(watch => ({ name: watch.name, path: watch.path })),
    groups: graph.groups.map(group => describeGroup(graph, group)),
  };
}

function describeGroup(graph: Graph, group: TaskGroup): TopologyDescription['groups'][number] {
  const stages = group.stages.flatMap(index => graph.stages[index] ?? []);
  return { tasks: group.partitions, stages: stages.map(stage => describeStage(graph, stage)) };
}

function describeStage(graph: Graph, stage: Stage): StageDescription {
  const reads =
    stage.kind === 'source'
      ? stage.topics.map(topic => topic.name)
      : stage.kind === 'external'
        ? ['(external)']
        : [];
  return {
    kind: stage.kind,
    name: stage.name,
    after: 'input' in stage ? (graph.stages[stage.input.stage]?.name ?? null) : null,
    branch: 'input' in stage ? stage.input.branch : null,
    reads,
    writes: stage.kind === 'sink' ? stage.topics.map(topic => topic.name).sort() : [],
    dynamic: stage.kind === 'sink' && stage.choose !== null && stage.topics.length === 0,
    stores: stage.kind === 'process' ? Object.values(stage.stores).map(store => store.name) : [],
    branches: stage.kind === 'branch' ? stage.branches.map(([label]) => label) : [],
  };
}

function textOf(description: TopologyDescription): string {
  const lines = [
    `topology ${description.name} v${description.version}  guarantee=${description.guarantee}${
      description.deadLetter === null ? '' : `  dead-letter=${description.deadLetter}`
    }`,
  ];
  for (const control of description.controls) lines.push(`  control  ${control.name}  <- ${control.topic}`);
  for (const watch of description.watches) lines.push(`  watch  ${watch.name}  <- ${watch.path}`);
  description.groups.forEach((group, ordinal) => {
    lines.push(`  task group ${ordinal}  tasks=${group.tasks}`);
    const kindWidth = Math.max(...group.stages.map(stage => stage.kind.length));
    const nameWidth = Math.max(...group.stages.map(stage => stage.name.length));
    let previous: string | null = null;
    for (const stage of group.stages) {
      const input = stage.branch === null ? stage.after : `${stage.after}.${stage.branch}`;
      const after = input === null || input === previous ? '' : `  (after ${input})`;
      const line = `    ${stage.kind.padEnd(kindWidth)}  ${stage.name.padEnd(nameWidth)}  ${detailOf(stage)}${after}`;
      lines.push(line.trimEnd());
      previous = stage.name;
    }
  });
  return `${lines.join('\n')}\n`;
}

function detailOf(stage: StageDescription): string {
  if (stage.reads.length > 0) return `<- ${namesOf(stage.reads)}`;
  if (stage.kind === 'sink') return `-> ${stage.dynamic ? '(chosen by value)' : namesOf(stage.writes)}`;
  if (stage.branches.length > 0) return `-> ${stage.branches.join(' | ')}`;
  if (stage.stores.length > 0) return `stores=${stage.stores.join(',')}`;
  return '';
}

function namesOf(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `{${names.join(', ')}}`;
}

function mermaidOf(description: TopologyDescription): string {
  const lines = ['flowchart LR'];
  const ids = new Map<string, string>();
  const idOf = (kind: 'stage' | 'topic', name: string): string => {
    const key = `${kind} ${name}`;
    const id = ids.get(key) ?? `${kind === 'stage' ? 's' : 't'}${ids.size}`;
    ids.set(key, id);
    return id;
  };
  const edges: string[] = [];
  const topics = new Set<string>();
  description.groups.forEach((group, ordinal) => {
    lines.push(
      `  subgraph g${ordinal}["task group ${ordinal}, ${group.tasks} task${group.tasks === 1 ? '' : 's'}"]`,
    );
    for (const stage of group.stages) {
      lines.push(`    ${idOf('stage', stage.name)}["${stage.kind}: ${escaped(stage.name)}"]`);
      if (stage.after !== null) {
        const label = stage.branch === null ? '' : `|"${escaped(stage.branch)}"|`;
        edges.push(`  ${idOf('stage', stage.after)} -->${label} ${idOf('stage', stage.name)}`);
      }
      for (const name of stage.reads) edges.push(`  ${idOf('topic', name)} --> ${idOf('stage', stage.name)}`);
      const writes = stage.dynamic ? ['(chosen by value)'] : stage.writes;
      for (const name of writes) edges.push(`  ${idOf('stage', stage.name)} --> ${idOf('topic', name)}`);
      for (const name of [...stage.reads, ...writes]) topics.add(name);
    }
    lines.push('  end');
  });
  for (const name of topics) lines.push(`  ${idOf('topic', name)}[("${escaped(name)}")]`);
  return `${[...lines, ...edges].join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('"', '#quot;');
}
