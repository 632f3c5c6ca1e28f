import type { PullWorker } from '../src/adapters/pull/pull-worker.ts';
import type { PullJob } from '../src/change/pull-job.ts';
import type { Stream } from '../src/topology/stream.ts';
import type { StoreDef, Topic } from '../src/topology/types.ts';

/** What the gate asks. */
export type KnowsPaused = Pick<PullWorker, 'isPaused'>;

/** How often it is looked whether pulls go on, and how many tasks of those that do are written again then. */
const LOOK = '1s';
const RESUMED_AT_ONCE = 1000;

interface Passing<T> {
  readonly task: T;
  /** Whether it goes on at once; else it goes behind all others of its topic. */
  readonly now: boolean;
}

/** How tasks of pulls pass {@link pastGate}. */
export interface GateOptions<T> {
  /** Where tasks wait whose pull is paused. */
  readonly waiting: StoreDef<string, T>;
  /** What a task is called, the same whenever it comes. */
  readonly nameOf: (task: T) => string;
  /** Where the tasks come from, and go to when their pull goes on. */
  readonly topic: Topic<string, T>;
  readonly partition: (task: T, partitions: number) => number;
}

/**
 * Lets tasks pass whose pull is not paused. The others wait in a store, which costs nothing while they do, leaves the way to those behind them, and comes with the partition to whoever has it next; once their pull goes on, or is to
 * end, they are written to their topic again. Whoever works on a task asks anew whether it is paused: what the gate knows is a little old.
 */
export function pastGate<T extends PullJob>(
  tasks: Stream<string, T>,
  pulls: KnowsPaused,
  { waiting, nameOf, topic, partition }: GateOptions<T>,
): Stream<string, T> {
  const { go, again } = tasks
    .process<string, Passing<T>, { waiting: StoreDef<string, T> }>('gate', { waiting }, () => ({
      on: ({ value: task }, { stores }, emit) => {
        if (pulls.isPaused(task.pull)) stores.waiting.set(nameOf(task), task);
        else emit(task.pull, { task, now: true });
      },
      every: {
        [LOOK]: ({ stores }, emit) => {
          const resumed: (readonly [string, T])[] = [];
          for (const [name, task] of stores.waiting.entries()) {
            if (resumed.length < RESUMED_AT_ONCE && !pulls.isPaused(task.pull)) resumed.push([name, task]);
          }
          for (const [name, task] of resumed) {
            stores.waiting.delete(name);
            emit(task.pull, { task, now: false });
          }
        },
      },
    }))
    .branch('gate-way', { go: ({ now }) => now, again: () => true });
  again
    .map('resumed', ({ task }) => task)
    .to('resumed-again', topic, {
      back: true,
      partition: (task, _key, partitions) => partition(task, partitions),
    });
  return go.map('passed', ({ task }) => task);
}
