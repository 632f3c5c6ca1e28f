import { isUmbusError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Coordination } from '../ports/coordination.ts';
import type { Log } from '../ports/log.ts';
import type { Erased, Graph, TaskGroup } from '../topology/graph.ts';
import type { ConfigBoard } from './config-board.ts';
import type { Counts } from './counts.ts';
import type { TopologyEvents } from './events.ts';
import type { ExternalSnapshot, TaskSnapshot } from './snapshot.ts';

/** What a runner of a task group is given. */
export interface RunnerOptions {
  readonly graph: Graph;
  readonly group: TaskGroup;
  readonly groupName: string;
  readonly rootName: string;
  readonly member: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: TopologyEvents;
  readonly counts: Counts;
  readonly config: ConfigBoard;
  /** Null: nobody else runs the topology's external source. */
  readonly coordination: Coordination | null;
  /** Whether the runner is at work; false while it waits to begin again. */
  readonly working: (working: boolean) => void;
}

/** Runs the tasks of one group in this process. */
export interface Runner {
  /** Ends when `stop` was called and all is committed. Rejects with the error that stops the topology. Called once. */
  run(): Promise<void>;
  /** Asks `run` to end; may be called at any time, also twice. */
  stop(): void;
  tasks(): readonly TaskSnapshot[];
  external(): ExternalSnapshot | null;
  /** What the tasks hold in a store now, tasks after each other. */
  entries(store: string): Iterable<readonly [Erased, Erased]>;
}

/** Whether a group can begin again after this error. A fenced member only joins anew; its work is another's. */
export function passes(error: unknown): boolean {
  return isUmbusError(error) && (error.retryable || error.code === 'UMBUS_LOG_FENCED');
}
