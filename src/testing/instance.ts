import type { MemoryLog } from '../adapters/memory/memory-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConfigCells } from '../ports/config-cells.ts';
import type { OutgoingRecord } from '../ports/log.ts';
import type { TopologyEvents } from '../runtime/events.ts';
import { type RunningTopology, startTopology } from '../runtime/start.ts';
import type { TopologyDefinition } from '../topology/definition.ts';
import type { CrashPoint } from './faults.ts';
import { GatedLog } from './gated-log.ts';
import type { Scheduler } from './scheduler.ts';

/** A topology to simulate. */
export interface SimulatedTopology {
  readonly definition: TopologyDefinition<unknown>;
  readonly config: unknown;
  /** How many instances share its tasks. */
  readonly instances: number;
}

/** What instances share. */
export interface World {
  readonly log: MemoryLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly cells: ConfigCells;
  readonly random: () => number;
  /** Deployment name of all topologies. */
  readonly instance: string;
  readonly outputsFirst: boolean;
  /** Appends as a producer that nobody fences. */
  readonly append: (records: readonly OutgoingRecord[]) => Promise<void>;
  readonly events: TopologyEvents;
  /** How many of `count` outputs are written when a commit breaks in the middle. */
  readonly prefix: (count: number) => number;
  /** Called when a topology ends with an error. */
  readonly failed: (error: unknown) => void;
}

/** One simulated process that runs one topology. A crashed one is abandoned where it stands; `start` begins a new life. */
export class Instance {
  readonly name: string;
  readonly topology: SimulatedTopology;
  readonly #world: World;
  #life = 0;
  #log: GatedLog | null = null;
  #running: RunningTopology | null = null;
  /** Until when it waits to begin again; null when it does not. */
  backoffUntilMs: number | null = null;

  constructor(world: World, topology: SimulatedTopology, ordinal: number) {
    this.#world = world;
    this.topology = topology;
    this.name = `${topology.definition.name}#${ordinal}`;
  }

  /** Whether it is neither crashed nor stopped. */
  get alive(): boolean {
    return this.#running !== null;
  }

  /** The topology it runs; null while it is down. */
  get running(): RunningTopology | null {
    return this.#running;
  }

  /** Whether it has polled something that is not committed yet. */
  get hasWorkInHand(): boolean {
    return this.#log?.hasWorkInHand ?? false;
  }

  /** Names of its groups. */
  get groups(): readonly string[] {
    return this.#log?.groupNames ?? [];
  }

  start(): void {
    const { log, scheduler, clock, cells, random, instance, outputsFirst, prefix, append } = this.#world;
    this.#life += 1;
    const gated = new GatedLog(log, scheduler, { outputsFirst, prefix, append, crashed: () => this.crash() });
    this.#log = gated;
    const running = startTopology(this.topology.definition, this.topology.config, {
      log: gated,
      clock,
      cells,
      random,
      instance,
      member: `${this.name}.${this.#life}`,
      events: this.#eventsOf(gated),
    });
    this.#running = running;
    running.done.then(
      () => this.#ended(running),
      error => {
        if (gated.dead) return;
        this.#ended(running);
        this.#world.failed(error);
      },
    );
  }

  #ended(running: RunningTopology): void {
    if (this.#running === running) this.#running = null;
    this.backoffUntilMs = null;
  }

  #eventsOf(gated: GatedLog): TopologyEvents {
    const { events, clock } = this.#world;
    const waits = ({ delayMs }: { readonly delayMs: number }): void => {
      this.backoffUntilMs = clock.now() + delayMs;
    };
    const told: Record<string, (event: never) => void> = {};
    for (const [name, tell] of Object.entries(events) as [string, (event: never) => void][]) {
      // A dead instance may still run up to its next call of the log; what it says then is not heard.
      told[name] = event => {
        if (!gated.dead) tell(event);
      };
    }
    // The loop above keeps each callback under its own name and type.
    const heard = told as TopologyEvents;
    return {
      ...heard,
      restarted: event => {
        waits(event);
        heard.restarted?.(event);
      },
      reconnecting: event => {
        waits(event);
        heard.reconnecting?.(event);
      },
    };
  }

  /** Dies on the spot: nothing that it has begun goes on, and its partitions pass to the others. */
  crash(): void {
    this.#log?.kill();
    this.#running = null;
    this.backoffUntilMs = null;
  }

  /** Dies at the next commit. */
  crashAt(point: Exclude<CrashPoint, 'now'>): void {
    this.#log?.crashAt(point);
  }

  /** Loses its partitions without knowing. */
  becomeZombie(): void {
    this.#log?.becomeZombie();
  }

  /** Stops in order. Resolves when it has stopped, for which the scheduler must go on. */
  stop(): Promise<void> {
    return this.#running?.stop() ?? Promise.resolve();
  }
}
