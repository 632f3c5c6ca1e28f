import type { Lease } from '../ports/coordination.ts';
import type { RunnerOptions } from './runner.ts';

/** A holder that dies is succeeded after so long; one that is cut off stops after two thirds of it. */
const TTL_MS = 6_000;

/** The right of this process to read an external source: the lease that is named like the group. Without coordination there is none, and all is allowed. */
export class SourceLease {
  readonly #options: RunnerOptions;
  readonly #stage: string;
  #lease: Lease | null = null;
  #standby = false;

  constructor(options: RunnerOptions, stage: string) {
    this.#options = options;
    this.#stage = stage;
  }

  /** Whether another process holds it and this one waits. */
  get standby(): boolean {
    return this.#standby;
  }

  /** Aborted when the right has ended. Null without coordination. */
  get lost(): AbortSignal | null {
    return this.#lease?.lost ?? null;
  }

  /** Waits until this process has the right, or rejects with the reason of `signal` or with an error of coordination. */
  async take(signal: AbortSignal): Promise<void> {
    const { coordination, groupName, member } = this.#options;
    if (coordination === null) return;
    if (this.#lease !== null && !this.#lease.lost.aborted) return;
    await this.release();
    const end = new AbortController();
    const taking = coordination.lease(groupName, { holder: member, ttlMs: TTL_MS, signal });
    const ended = (): void => end.abort();
    taking.then(ended, ended);
    try {
      await this.#tellStandby(end.signal);
      this.#lease = await taking;
    } finally {
      this.#standby = false;
    }
  }

  /** Gives it up. Never throws. */
  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    await lease?.release();
  }

  /** Shows that this process waits, unless it has got the lease while it looked who holds it. */
  async #tellStandby(taken: AbortSignal): Promise<void> {
    const { coordination, groupName, graph, events, working } = this.#options;
    const holders = (await coordination?.leases().catch(() => [])) ?? [];
    if (taken.aborted) return;
    const holder = holders.find(({ name }) => name === groupName)?.holder ?? '';
    this.#standby = true;
    working(false);
    events.standby?.({ topology: graph.name, stage: this.#stage, lease: groupName, holder });
  }
}
