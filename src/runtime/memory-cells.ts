import type { ConfigCells } from '../ports/config-cells.ts';

/** Config cells in memory, set by the program itself. */
export interface MemoryCells extends ConfigCells {
  /** Sets the bytes of a path, or removes it with null, and tells its watchers before it returns. */
  set(path: string, bytes: Uint8Array | null): void;
}

/** Makes empty {@link MemoryCells}. */
export function createMemoryCells(): MemoryCells {
  const values = new Map<string, Uint8Array>();
  const watchers = new Map<string, Set<(bytes: Uint8Array | null) => void>>();
  return {
    set(path, bytes) {
      if (bytes === null) values.delete(path);
      else values.set(path, bytes);
      for (const changed of watchers.get(path) ?? []) changed(bytes);
    },
    async watch(path, changed, signal) {
      if (signal.aborted) return;
      const set = watchers.get(path) ?? new Set();
      watchers.set(path, set.add(changed));
      signal.addEventListener('abort', () => set.delete(changed), { once: true });
      changed(values.get(path) ?? null);
    },
  };
}
