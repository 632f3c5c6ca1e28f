import type { Store } from '../../src/topology/types.ts';

/** A task's store over a map, which a test can look into. */
export function memoryStore<V>(map: Map<string, V>): Store<string, V> {
  return {
    get: key => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: key => void map.delete(key),
    entries: () => map.entries(),
  };
}
