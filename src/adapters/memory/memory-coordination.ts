import type { Clock } from '../../ports/clock.ts';
import { CellCoordination } from '../cell-coordination/cell-coordination.ts';
import { type Cell, type CellStore, isWithin, type WriteResult } from '../cell-coordination/cell-store.ts';
import { closedError } from '../cell-coordination/limits.ts';

/** What the processes of a test share. */
export interface MemoryCoordinationWorld {
  /** A new process. */
  open(): CellCoordination;
}

/** A world without cells. Nothing in it depends on real time or chance but the ids of holders. */
export function createMemoryCoordination(options: { readonly clock: Clock }): MemoryCoordinationWorld {
  const cells = new SharedCells();
  return { open: () => new CellCoordination(new MemoryCells(cells), options.clock) };
}

class SharedCells {
  readonly cells = new Map<string, Cell>();
  readonly waiting = new Set<() => void>();
  revision = 0n;

  write(path: string, value: Uint8Array | null, ifVersion: bigint | null): WriteResult {
    const found = this.cells.get(path)?.version ?? 0n;
    if (ifVersion !== null && ifVersion !== found) return { done: false, found };
    this.revision += 1n;
    const version = this.revision;
    if (value === null) this.cells.delete(path);
    else this.cells.set(path, { path, value: Uint8Array.from(value), version });
    for (const wake of this.waiting) wake();
    return { done: true, version };
  }
}

class MemoryCells implements CellStore {
  readonly self = null;
  readonly #shared: SharedCells;
  readonly #closed = new AbortController();

  constructor(shared: SharedCells) {
    this.#shared = shared;
  }

  async read(path: string): Promise<Cell | null> {
    this.#assertOpen();
    return this.#shared.cells.get(path) ?? null;
  }

  async readAll(prefix: string): Promise<readonly Cell[]> {
    this.#assertOpen();
    return [...this.#shared.cells.values()].filter(({ path }) => isWithin(path, prefix));
  }

  async write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<WriteResult> {
    this.#assertOpen();
    return this.#shared.write(path, value, ifVersion);
  }

  async note(path: string, value: Uint8Array | null): Promise<void> {
    await this.write(path, value, null);
  }

  revision(): bigint {
    return this.#shared.revision;
  }

  async changed(since: bigint, signal: AbortSignal): Promise<void> {
    if (this.#shared.revision !== since || signal.aborted || this.#closed.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = AbortSignal.any([signal, this.#closed.signal]);
    this.#shared.waiting.add(resolve);
    stop.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#shared.waiting.delete(resolve);
  }

  isDead(): boolean {
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
  }

  #assertOpen(): void {
    if (this.#closed.signal.aborted) throw closedError();
  }
}
