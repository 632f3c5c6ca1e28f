import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import type {
  CellChange,
  Coordination,
  Lease,
  LeaseHolder,
  Member,
  Versioned,
} from '../../ports/coordination.ts';
import { announceMember, liveMembers } from './announced-member.ts';
import { byPath, type Cell, type CellStore } from './cell-store.ts';
import type { HeldLease } from './held-lease.ts';
import { contend } from './lease-contest.ts';
import { decodeLease, isStale } from './lease-record.ts';
import { assertPath, assertPrefix, assertValue, closedError, conflict } from './limits.ts';
import { ProgressNotes } from './progress-notes.ts';
import { watchCells } from './watch-cells.ts';

/** Where users' cells and leases lie in the store. */
const CELLS = 'cells';
const LEASES = 'leases';

/** Coordination over shared cells: a lease is a cell that its holder keeps changing, a member one that it keeps renewing. */
export class CellCoordination implements Coordination {
  readonly #store: CellStore;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #dead = new AbortController();
  readonly #leases = new Set<HeldLease>();
  readonly #announced = new Set<AsyncDisposable>();
  readonly #waiting = new Set<Promise<unknown>>();
  readonly #progress: ProgressNotes;
  #closed: Promise<void> | null = null;

  /** Owns the store from now on. */
  constructor(store: CellStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#progress = new ProgressNotes(clock, (path, value) => store.note(cellPath(path), value));
  }

  async lease(
    name: string,
    options: { readonly holder: string; readonly ttlMs: number; readonly signal: AbortSignal },
  ): Promise<Lease> {
    assertPath(name);
    this.#assertOpen();
    const { holder, ttlMs, signal } = options;
    const contest = contend({
      store: this.#store,
      clock: this.#clock,
      name,
      path: `${LEASES}/${name}`,
      holder,
      ttlMs,
      id: randomUUID(),
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    const lease = await this.#track(contest);
    if (signal.aborted || this.#closing.signal.aborted) {
      await lease?.release();
      signal.throwIfAborted();
    }
    if (lease === null || this.#closing.signal.aborted) throw closedError();
    this.#leases.add(lease);
    lease.lost.addEventListener('abort', () => this.#leases.delete(lease), { once: true });
    return lease;
  }

  async leases(): Promise<readonly LeaseHolder[]> {
    this.#assertOpen();
    const cells = await this.#store.readAll(LEASES);
    return [...cells].sort(byPath).flatMap(cell => {
      const record = decodeLease(cell.value);
      if (record === null || isStale(record, this.#clock.now())) return [];
      if (record.self !== null && this.#store.isDead(record.self)) return [];
      const token = record.token === null ? cell.version : BigInt(record.token);
      return { name: cell.path.slice(LEASES.length + 1), holder: record.holder, token };
    });
  }

  async announce(member: Member): Promise<AsyncDisposable> {
    assertPath(member.id);
    this.#assertOpen();
    const announced = await announceMember(this.#store, this.#clock, member, this.#dead.signal);
    this.#announced.add(announced);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#announced.delete(announced);
        await announced[Symbol.asyncDispose]();
      },
    };
  }

  async members(): Promise<readonly Member[]> {
    this.#assertOpen();
    return await liveMembers(this.#store, this.#clock);
  }

  async get(path: string): Promise<Versioned | null> {
    assertPath(path);
    this.#assertOpen();
    const cell = await this.#store.read(cellPath(path));
    return cell === null ? null : { ...cell, path };
  }

  async list(prefix: string): Promise<readonly Versioned[]> {
    assertPrefix(prefix);
    this.#assertOpen();
    return [...(await this.#below(prefix))].sort(byPath);
  }

  async put(path: string, value: Uint8Array, options?: { readonly ifVersion: bigint }): Promise<bigint> {
    assertPath(path);
    assertValue(path, value);
    return await this.#write(path, value, options?.ifVersion ?? null);
  }

  async remove(path: string, options?: { readonly ifVersion: bigint }): Promise<void> {
    assertPath(path);
    await this.#write(path, null, options?.ifVersion ?? null);
  }

  watch(prefix: string, signal: AbortSignal): AsyncIterable<CellChange> {
    assertPrefix(prefix);
    this.#assertOpen();
    const store = this.#store;
    const watchable = {
      readAll: (within: string) => this.#below(within),
      revision: () => store.revision(),
      changed: (since: bigint, until: AbortSignal) => store.changed(since, until),
    };
    return watchCells(watchable, prefix, AbortSignal.any([signal, this.#closing.signal]));
  }

  progress(path: string, value: Uint8Array): void {
    assertPath(path);
    assertValue(path, value);
    this.#progress.note(path, value);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Stops as a process does that dies: nothing is given back or taken away any more. For tests. */
  async abandon(): Promise<void> {
    this.#closing.abort(closedError());
    this.#dead.abort();
    await this.#store[Symbol.asyncDispose]();
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedError());
    await Promise.all([
      this.#progress.close(),
      ...[...this.#leases].map(lease => lease.release()),
      ...[...this.#announced].map(member => member[Symbol.asyncDispose]()),
      ...this.#waiting,
    ]);
    this.#dead.abort();
    await this.#store[Symbol.asyncDispose]();
  }

  async #write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<bigint> {
    this.#assertOpen();
    const result = await this.#store.write(cellPath(path), value, ifVersion);
    if (result.done) return result.version;
    // Removing what is not there is done already.
    if (value === null && result.found === 0n) return 0n;
    throw conflict(path, ifVersion, result.found);
  }

  async #below(prefix: string): Promise<readonly Cell[]> {
    const cells = await this.#store.readAll(prefix === '' ? CELLS : cellPath(prefix));
    return cells.map(cell => ({ ...cell, path: cell.path.slice(CELLS.length + 1) }));
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    const settled = work.catch(() => {});
    this.#waiting.add(settled);
    try {
      return await work;
    } finally {
      this.#waiting.delete(settled);
    }
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw closedError();
  }
}

function cellPath(path: string): string {
  return `${CELLS}/${path}`;
}
