import type { Counts } from './counts.ts';
import type { TopologyState } from './state.ts';

/** Where a task stands in one input partition. */
export interface InputSnapshot {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to process. */
  readonly position: bigint;
  /** Records between position and the end of the partition when it was last read. */
  readonly lagRecords: bigint;
  /** Time of the record processed last, in milliseconds since 1970 UTC; null before the first since the task came here. */
  readonly timestampMs: number | null;
}

/** A task as it is now. */
export interface TaskSnapshot {
  readonly task: string;
  readonly partition: number;
  readonly group: string;
  readonly inputs: readonly InputSnapshot[];
  /** Input topics that a control record paused. */
  readonly paused: readonly string[];
  /** Number of keys by store. */
  readonly stores: Readonly<Record<string, number>>;
}

/** An external source as it is now. */
export interface ExternalSnapshot {
  readonly stage: string;
  readonly connected: boolean;
  /** Whether another process reads the source, and this one waits to take its place. */
  readonly standby: boolean;
  /** Bytes of outputs that are not durable yet. */
  readonly inFlightBytes: number;
  /** Seq of the last durable record, as hex; null before the first. */
  readonly seq: string | null;
}

/** A running topology as it is now. Plain values, safe to keep. */
export interface TopologySnapshot {
  readonly topology: string;
  readonly instance: string;
  readonly state: TopologyState;
  readonly counts: Readonly<Counts>;
  readonly tasks: readonly TaskSnapshot[];
  readonly externals: readonly ExternalSnapshot[];
}
