import type { Clock } from '../ports/clock.ts';
import type { Graph, TaskGroup } from '../topology/graph.ts';
import type { Counts } from './counts.ts';
import type { TopologyEvents } from './events.ts';
import type { RunnerOptions } from './runner.ts';

/** What all tasks of a group share. */
export interface TaskEnvironment {
  readonly graph: Graph;
  readonly group: TaskGroup;
  /** Consumer group, which also names lanes. */
  readonly groupName: string;
  /** Prefix of changelog topics. */
  readonly rootName: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: TopologyEvents;
  readonly counts: Counts;
  /** Topics known to exist; grows. */
  readonly knownTopics: Set<string>;
  /** Aborts calls of `mapAsync` when the group is torn down. */
  readonly signal: AbortSignal;
  /** Asks calls of `mapAsync` that begin now to end soon, once partitions of the group are to move. */
  readonly leaving: () => AbortSignal;
}

/** The environment of a group's tasks; `known` are the topics made at start. */
export function taskEnvironmentOf(
  options: RunnerOptions,
  signal: AbortSignal,
  leaving: () => AbortSignal = () => signal,
): TaskEnvironment {
  const { graph, group, groupName, rootName, clock, random, events, counts } = options;
  return {
    graph,
    group,
    groupName,
    rootName,
    clock,
    random,
    events,
    counts,
    knownTopics: knownTopicsOf(graph),
    signal,
    leaving,
  };
}

/** Names of the topics that are made at start. */
function knownTopicsOf(graph: Graph): Set<string> {
  return new Set(
    graph.stages.flatMap(stage => (stage.kind === 'sink' ? stage.topics.map(topic => topic.name) : [])),
  );
}

/** `<topology>-<partition>`, as processors and dead letters name the task. */
export function taskName(environment: TaskEnvironment, partition: number): string {
  const { graph, group } = environment;
  return group.suffix === '' ? `${graph.name}-${partition}` : `${graph.name}.${group.suffix}-${partition}`;
}

/** Topic of a store's changelog: `<root group>-<store>-changelog`. */
export function changelogTopic(rootName: string, store: string): string {
  return `${rootName}-${store}-changelog`;
}
