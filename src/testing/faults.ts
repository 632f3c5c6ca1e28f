/**
 * Where a crash strikes. `now`: wherever the instance is. `before-commit`: a batch was processed, nothing of it is written. `between`: some of its
 * outputs are written, its offsets are not (only with `commitMode: 'outputs-first'`; else as `before-commit`). `after-commit`: all
 * is written, but the instance does not live to know.
 */
export type CrashPoint = 'now' | 'before-commit' | 'between' | 'after-commit';

/** All crash points. */
export const crashPoints: readonly CrashPoint[] = ['now', 'before-commit', 'between', 'after-commit'];

/** Faults by chance: the probability of each at every step of the scheduler. What is left out does not happen. */
export interface FaultRates {
  /** An instance dies at a random point; it is started again some steps later. */
  readonly crash?: number;
  /** An instance with work in hand loses its partitions without knowing. */
  readonly zombie?: number;
  /** Partitions move to other instances by the normal path, or an instance stops in order and starts again. */
  readonly rebalance?: number;
  /** A record that a topology has written is appended once more. */
  readonly duplicate?: number;
  /** Records are delivered again to their reader. */
  readonly redeliver?: number;
  /** So many faults, then no more: else topologies that never get enough steps between two faults would never come to rest. Default 100. */
  readonly limit?: number;
}

/** A fault that happened: at which step, and what. */
export interface Fault {
  readonly step: number;
  readonly what: string;
}
