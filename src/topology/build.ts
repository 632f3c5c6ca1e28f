import { builderOver, invalid, type Wiring } from './builder.ts';
import type { ErrorPolicies, TopologyDefinition } from './definition.ts';
import { configOf } from './definition.ts';
import { durationMs } from './duration.ts';
import type { Graph, SinkStage, Stage } from './graph.ts';
import { taskGroupsOf } from './groups.ts';
import type { OnError } from './types.ts';

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Runs `build` and gives the checked, frozen graph. Does no IO. A graph is for one start: its config cells belong to it.
 * Throws UMBUS_CONFIG_INVALID for the config, UMBUS_TOPOLOGY_INVALID naming the stage for the wiring.
 */
export function buildTopology<C>(definition: TopologyDefinition<C>, config: unknown): Graph {
  const checked = configOf(definition, config);
  const wiring: Wiring = {
    topology: definition.name,
    stages: [],
    controls: [],
    watches: [],
    names: new Set(),
  };
  definition.build(builderOver(wiring, definition.onError.decode), checked);
  const deadTopic = definition.deadLetter(checked);
  checkSinks(definition.name, wiring.stages);
  checkPolicies(definition, wiring.stages, deadTopic);
  const everyMs = definition.commit.every === undefined ? 0 : durationMs(definition.commit.every);
  return Object.freeze({
    name: definition.name,
    version: definition.version,
    guarantee: definition.guarantee,
    onError: definition.onError,
    commit: Object.freeze({ maxBytes: definition.commit.maxBytes ?? DEFAULT_MAX_BYTES, everyMs }),
    deadTopic,
    stages: Object.freeze(wiring.stages),
    controls: Object.freeze(wiring.controls),
    watches: Object.freeze(wiring.watches),
    groups: Object.freeze(taskGroupsOf(definition.name, wiring.stages)),
  });
}

function checkSinks(topology: string, stages: readonly Stage[]): void {
  const sinks = stages.filter((stage): stage is SinkStage => stage.kind === 'sink');
  const read = new Map(
    stages.flatMap(stage =>
      stage.kind === 'source' && !stage.repartition
        ? stage.topics.map(t => [t.name, stage.name] as const)
        : [],
    ),
  );
  const shapes = new Map<string, { readonly partitions: number; readonly stage: string }>();
  for (const sink of sinks) {
    for (const topic of sink.topics) {
      const reader = read.get(topic.name);
      if (reader !== undefined && !sink.back) {
        invalid(
          topology,
          `the stage '${sink.name}' writes to '${topic.name}', which the stage '${reader}' reads: a cycle (repartition() names a topic that is written and read)`,
        );
      }
      const other = shapes.get(topic.name);
      if (other !== undefined && other.partitions !== topic.partitions) {
        invalid(
          topology,
          `the stages '${other.stage}' and '${sink.name}' give '${topic.name}' ${other.partitions} and ${topic.partitions} partitions`,
        );
      }
      shapes.set(topic.name, { partitions: topic.partitions, stage: sink.name });
    }
  }
}

/** Whether a policy ends in the dead-letter topic. */
export function parks(policy: OnError): boolean {
  return policy === 'dead-letter' || (typeof policy === 'object' && policy.policy === 'dead-letter');
}

function checkPolicies(
  definition: { readonly name: string; readonly onError: ErrorPolicies },
  stages: readonly Stage[],
  deadTopic: string | null,
): void {
  if (deadTopic !== null) return;
  const needs = `asks for 'dead-letter', but the topology names no deadLetter topic`;
  for (const [place, policy] of Object.entries(definition.onError)) {
    if (parks(policy)) invalid(definition.name, `onError.${place} ${needs}`);
  }
  for (const stage of stages) {
    if (stage.kind === 'source' && parks(stage.onError))
      invalid(definition.name, `the stage '${stage.name}' ${needs}`);
  }
}
