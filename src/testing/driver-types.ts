import type { MemoryLog } from '../adapters/memory/memory-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { TopologyEvents } from '../runtime/events.ts';
import type { MemoryCells } from '../runtime/memory-cells.ts';
import type { TopologySnapshot } from '../runtime/snapshot.ts';
import type { TopologyDefinition } from '../topology/definition.ts';
import type { StoreDef, Topic } from '../topology/types.ts';
import type { CrashPoint, Fault, FaultRates } from './faults.ts';
import type { Instance } from './instance.ts';
import type { Random } from './random.ts';
import type { TestInput, TestOutput } from './topic-view.ts';

/** Options of {@link createDriver}; what is left out takes the default. */
export interface DriverOptions {
  /** Fixes the interleaving; default 1. */
  readonly seed?: number;
  /** Instances of each topology that names no count of its own; default 1. */
  readonly instances?: number;
  /** Virtual time at the start, ms since 1970-01-01 UTC; default 2024-01-01. */
  readonly startMs?: number;
  /** `atomic` (default): outputs and offsets together. `outputs-first`: as Kafka without transactions. */
  readonly commitMode?: 'atomic' | 'outputs-first';
  /** Deployment name; default `test`. */
  readonly instance?: string;
  readonly events?: TopologyEvents;
}

/** A topology among several in one driver. Made by {@link simulated}, which checks the config's type. */
export interface DriverPart {
  readonly definition: TopologyDefinition<unknown>;
  readonly config: unknown;
  readonly instances?: number;
}

/** A topology with its config, for a driver of several. */
export function simulated<C>(definition: TopologyDefinition<C>, config: C, instances?: number): DriverPart {
  return { definition, config, ...(instances !== undefined && { instances }) };
}

/** Runs topologies in memory: the real runtime on a memory log, in virtual time, with a seeded scheduler. */
export interface Driver {
  readonly seed: number;
  readonly clock: Clock;
  readonly log: MemoryLog;
  /** Sets watched config paths. */
  readonly cells: MemoryCells;
  /** Chance from the driver's seed, for the test's own choices. */
  readonly random: Random;
  readonly instances: readonly Instance[];
  /** Faults so far, also those that a test asked for. */
  readonly faults: readonly Fault[];
  in<K, V>(topic: Topic<K, V>): TestInput<K, V>;
  out<K, V>(topic: Topic<K, V>): TestOutput<K, V>;
  /** A store as the committed offsets say, over all tasks. `topology` is needed when several are driven. */
  store<K, V>(def: StoreDef<K, V>, topology?: string): Promise<ReadonlyMap<K, V>>;
  /** Moves time on by a duration or by milliseconds; everything due meanwhile happens at its time. */
  advance(duration: string | number): Promise<void>;
  /**
   * Runs until nothing more happens without time passing. Waits before a new attempt do pass, up to 20 in a row that lead to nothing.
   * Rejects with the error of a topology that failed.
   */
  settle(): Promise<void>;
  /** One step of the scheduler; false when all wait. */
  step(): Promise<boolean>;
  /** Makes an instance die, now or at its next commit. It starts again by itself. */
  crash(instance: Instance, point?: CrashPoint): void;
  /** Takes the partitions of an instance that has work in hand, without telling it. */
  zombie(instance: Instance): void;
  /** Moves partitions among the instances of a topology. */
  rebalance(topology?: string): void;
  /** Starts one more instance of a topology. */
  join(topology?: string): Instance;
  /** Stops an instance in order; it does not start again. */
  leave(instance: Instance): Promise<void>;
  /** Faults by chance from now on; `{}` ends them. */
  chaos(rates: FaultRates): void;
  snapshots(): readonly TopologySnapshot[];
  /** Text of all topologies. */
  describe(): string;
  /** Stops all in order. */
  stop(): Promise<void>;
}
