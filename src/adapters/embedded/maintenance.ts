import type { Clock } from '../../ports/clock.ts';
import type { TopicSpec } from '../../ports/log.ts';
import type { Change } from './commit-queue.ts';
import { compactionSteps } from './compaction.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { type OwnerStorage, touchChange } from './owner-storage.ts';
import { retentionStep } from './retention.ts';
import type { SpaceGuard } from './space-guard.ts';

export interface MaintenanceOptions {
  /** Null runs only when asked. */
  readonly intervalMs: number | null;
  readonly tombstoneMs: number;
}

/** Retention and compaction of all topics, in steps that take turns with commits. */
export class Maintenance {
  readonly #storage: OwnerStorage;
  readonly #space: SpaceGuard;
  readonly #clock: Clock;
  readonly #options: MaintenanceOptions;
  readonly #stop = new AbortController();
  readonly #timer: Promise<void>;
  #running: Promise<void> | null = null;

  constructor(storage: OwnerStorage, space: SpaceGuard, clock: Clock, options: MaintenanceOptions) {
    this.#storage = storage;
    this.#space = space;
    this.#clock = clock;
    this.#options = options;
    this.#timer = options.intervalMs === null ? Promise.resolve() : this.#repeat(options.intervalMs);
  }

  /** Runs once; a call during a run waits for that one. */
  run(): Promise<void> {
    this.#running ??= this.#runOnce().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Ends the timer and waits for a run in progress, which stops after its step. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled([this.#timer, this.#running]);
  }

  async #repeat(intervalMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#clock.sleep(intervalMs, this.#stop.signal);
      // What stands in the way is found again in the next run, and by the commits and reads it concerns.
      if (!this.#stop.signal.aborted) await this.run().catch(() => {});
    }
  }

  async #runOnce(): Promise<void> {
    const { queue, environment } = this.#storage;
    // A reader that was killed keeps pages from being used again until it is noticed.
    environment.root.readerCheck();
    let changed = false;
    for (const { spec, partitions } of [...this.#storage.ownedTopics()]) {
      for (const partition of partitions) {
        const steps = spec.cleanup === 'compact' ? this.#compact(partition) : this.#retain(partition, spec);
        for (const step of steps) {
          if (this.#stop.signal.aborted) return;
          changed ||= step !== null;
          if (step !== null) await queue.submit(step);
          else await new Promise(resolve => setImmediate(resolve));
        }
      }
    }
    if (!changed) return;
    // LMDB uses pages again from the second commit after the one that freed them.
    await queue.submit(touchChange(environment));
    this.#space.forget();
  }

  #compact(partition: OwnedPartition): Iterable<Change | null> {
    const { store, environment } = this.#storage;
    return compactionSteps(partition, this.#clock.now() - this.#options.tombstoneMs, store, environment.log);
  }

  *#retain(partition: OwnedPartition, spec: TopicSpec): Iterable<Change> {
    const { store, environment } = this.#storage;
    const now = this.#clock.now();
    for (;;) {
      const step = retentionStep(partition, spec, now, store, environment.log);
      if (step === null) return;
      yield step;
    }
  }
}
