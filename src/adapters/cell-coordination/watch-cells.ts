import type { CellChange } from '../../ports/coordination.ts';
import type { Cell } from './cell-store.ts';

/** What a watch reads. */
export interface Watchable {
  readAll(prefix: string): Promise<readonly Cell[]>;
  revision(): bigint;
  changed(since: bigint, signal: AbortSignal): Promise<void>;
}

/**
 * Tells all cells at or below `prefix`, then what differs each time they are read again. The revision is taken before the cells are read, so a
 * change that comes while they are read leads to another look. A removal has the version after the last one told: every later value's is
 * greater, because versions are given out over all paths.
 */
export async function* watchCells(
  store: Watchable,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<CellChange, void, undefined> {
  const told = new Map<string, bigint>();
  while (!signal.aborted) {
    const revision = store.revision();
    const cells = await readUnless(signal, () => store.readAll(prefix));
    if (cells === null) return;
    const missing = new Set(told.keys());
    for (const cell of cells) {
      missing.delete(cell.path);
      if (told.get(cell.path) === cell.version) continue;
      told.set(cell.path, cell.version);
      yield cell;
      if (signal.aborted) return;
    }
    for (const path of missing) {
      const version = (told.get(path) ?? 0n) + 1n;
      told.delete(path);
      yield { path, value: null, version };
      if (signal.aborted) return;
    }
    await store.changed(revision, signal);
  }
}

/** Null when the signal has aborted meanwhile, whatever became of the reading. */
async function readUnless<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T | null> {
  try {
    const found = await read();
    return signal.aborted ? null : found;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}
