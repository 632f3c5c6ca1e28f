import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cell, CellStore } from './cell-store.ts';
import { Deadline, LOOKS } from './deadline.ts';
import { HeldLease } from './held-lease.ts';
import { decodeLease, encodeRecord, type LeaseRecord } from './lease-record.ts';

/** A holder renews at every fourth look. */
const LOOKS_TO_RENEW = 4;
/** How often one who waits looks whether the holder's process is dead. */
const DEATH_LOOK_MS = 250;

/** Someone who wants a lease. */
export interface Contender {
  readonly store: CellStore;
  readonly clock: Clock;
  readonly name: string;
  readonly path: string;
  readonly holder: string;
  readonly ttlMs: number;
  readonly id: string;
  /** Stops the waiting. */
  readonly signal: AbortSignal;
}

/**
 * Waits for the lease and takes it. Time is never compared between processes: who waits takes the lease when the cell has kept its version
 * for the holder's whole time to live since it was first seen so. The holder counts from the start of its last renewal, which is earlier,
 * and only two thirds. Both count sleeps, which no adjustment of a clock shortens; the holder looks at the clock too, because sleeps stand still in a suspended machine.
 * Null when the signal has aborted.
 */
export async function contend(contender: Contender): Promise<HeldLease | null> {
  const { store, path, signal } = contender;
  let watched: Watched | null = null;
  try {
    while (!signal.aborted) {
      const revision = store.revision();
      const cell = await store.read(path);
      if (watched === null || watched.version !== (cell?.version ?? null)) {
        watched?.end();
        watched = new Watched(contender, cell);
      }
      if (watched.mayBeTaken) {
        const lease = await take(contender, cell?.version ?? 0n);
        if (lease !== null) return lease;
      } else {
        await Promise.race([
          store.changed(revision, watched.waiting),
          contender.clock.sleep(DEATH_LOOK_MS, watched.waiting),
          watched.expiry,
        ]);
      }
    }
    return null;
  } finally {
    watched?.end();
  }
}

/** A version of the cell, and how long it has stood. */
class Watched {
  readonly version: bigint | null;
  /** Resolves when it has stood for the holder's time to live, or at the end. */
  readonly expiry: Promise<void>;
  readonly #record: LeaseRecord | null;
  readonly #store: CellStore;
  readonly #end = new AbortController();
  readonly #waiting: AbortSignal;
  #expired = false;

  constructor({ store, clock, signal }: Contender, cell: Cell | null) {
    this.version = cell?.version ?? null;
    this.#store = store;
    this.#record = cell === null ? null : decodeLease(cell.value);
    this.#waiting = AbortSignal.any([this.#end.signal, signal]);
    this.expiry = this.#expire(clock);
  }

  get waiting(): AbortSignal {
    return this.#waiting;
  }

  get mayBeTaken(): boolean {
    const record = this.#record;
    if (record === null || this.#expired) return true;
    return record.self !== null && this.#store.isDead(record.self);
  }

  end(): void {
    this.#end.abort();
  }

  async #expire(clock: Clock): Promise<void> {
    if (this.#record === null) return;
    await clock.sleep(this.#record.ttlMs, this.#waiting);
    if (!this.#waiting.aborted) this.#expired = true;
  }
}

/** Null when somebody else was first. */
async function take(contender: Contender, ifVersion: bigint): Promise<HeldLease | null> {
  const { store, clock, path, holder, ttlMs, id, name } = contender;
  const watch = new Deadline(clock, ttlMs);
  const record = { holder, id, token: null, ttlMs, renewedMs: clock.now(), self: store.self };
  const taken = await store.write(path, encodeRecord(record), ifVersion);
  if (!taken.done) return null;
  const token = taken.version;
  const keeping = new Keeping(contender, { ...record, token: String(token) }, token, watch);
  const lease = new HeldLease(name, token, () => keeping.giveUp());
  keeping.begin(lease);
  // The write may have taken longer than the lease lives.
  if (!watch.passed) return lease;
  await lease.release();
  return null;
}

/** Renews a lease until it is lost or given up. */
class Keeping {
  readonly #contender: Contender;
  readonly #record: LeaseRecord;
  readonly #deadline: Deadline;
  readonly #end = new AbortController();
  #version: bigint;
  #renewal: Promise<void> | null = null;
  #problem = 'its service did not answer in time';

  constructor(contender: Contender, record: LeaseRecord, version: bigint, deadline: Deadline) {
    this.#contender = contender;
    this.#record = record;
    this.#version = version;
    this.#deadline = deadline;
  }

  begin(lease: HeldLease): void {
    void this.#keep(lease);
  }

  async giveUp(): Promise<void> {
    this.#end.abort();
    const { store, clock, path, ttlMs } = this.#contender;
    const removal = (async () => {
      await this.#renewal;
      await store.write(path, null, this.#version);
    })();
    // When it cannot be told, it runs out by itself.
    await Promise.race([removal.catch(() => {}), patience(clock, ttlMs, removal)]);
  }

  async #keep(lease: HeldLease): Promise<void> {
    const { clock, ttlMs } = this.#contender;
    const end = this.#end.signal;
    let looks = 0;
    while (!end.aborted && !lease.lost.aborted) {
      await clock.sleep(ttlMs / LOOKS, end);
      if (end.aborted) return;
      looks += 1;
      this.#deadline.looks += 1;
      if (this.#deadline.passed) lease.lose(this.#problem);
      else if (looks % LOOKS_TO_RENEW === 0 && this.#renewal === null) this.#renewal = this.#renew(lease);
    }
  }

  async #renew(lease: HeldLease): Promise<void> {
    const { store, clock, path } = this.#contender;
    const sinceMs = clock.now();
    const looksBefore = this.#deadline.looks;
    try {
      const record = { ...this.#record, renewedMs: sinceMs };
      const renewed = await store.write(path, encodeRecord(record), this.#version);
      if (renewed.done) {
        this.#version = renewed.version;
        this.#deadline.renewed(sinceMs, this.#deadline.looks - looksBefore);
      } else {
        lease.lose('another process has taken it');
      }
    } catch (error) {
      // Tried again until the deadline.
      this.#problem = `its renewal failed: ${messageOf(error)}`;
    }
    this.#renewal = null;
  }
}

/** Resolves after `ms`, or when `work` has ended. */
async function patience(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const stop = (): void => timer.abort();
  work.then(stop, stop);
  await clock.sleep(ms, timer.signal);
}
