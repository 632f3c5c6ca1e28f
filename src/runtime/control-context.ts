import type { Clock } from '../ports/clock.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { ControlContext } from '../topology/stream.ts';
import type { TaskState } from './task-state.ts';

/** Stops and starts the reading of input partitions. */
export interface InputGate {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
}

/** What a control handler can do to one task. What is paused is remembered in `state`, and so in the next commit. */
export function controlContext(
  task: string,
  partition: number,
  { inputs, paused }: TaskState,
  gate: InputGate,
  clock: Clock,
): ControlContext {
  const named = (topic: { readonly name: string } | undefined): readonly string[] =>
    topic === undefined ? [...inputs.keys()] : [topic.name].filter(name => inputs.has(name));
  const places = (names: readonly string[]): readonly TopicPartition[] =>
    names.map(topic => ({ topic, partition }));
  return {
    task,
    partition,
    now: () => clock.now(),
    pause: topic => {
      const names = named(topic);
      for (const name of names) paused.add(name);
      gate.pause(places(names));
    },
    resume: topic => {
      const names = named(topic);
      for (const name of names) paused.delete(name);
      gate.resume(places(names));
    },
  };
}
