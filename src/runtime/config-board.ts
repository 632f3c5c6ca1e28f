import { messageOf, UmbusError } from '../core/errors.ts';
import type { ConfigCells } from '../ports/config-cells.ts';
import type { Erased, Graph } from '../topology/graph.ts';
import type { TopologyEvents } from './events.ts';

/** The watched config cells of a graph: new values wait here until `apply`, which is called between batches. */
export class ConfigBoard {
  readonly #graph: Graph;
  readonly #events: TopologyEvents;
  readonly #waiting = new Map<number, Erased>();

  constructor(graph: Graph, events: TopologyEvents) {
    this.#graph = graph;
    this.#events = events;
  }

  /** Begins to watch. Throws UMBUS_CONFIG_INVALID when a path has neither a value that decodes nor an initial one. */
  async open(cells: ConfigCells | undefined, signal: AbortSignal): Promise<void> {
    for (const [index, watch] of this.#graph.watches.entries()) {
      let opened = false;
      let problem = 'it has no value';
      if (watch.initial !== null) this.#waiting.set(index, watch.initial.value);
      const changed = (bytes: Uint8Array | null): void => {
        if (bytes === null) {
          if (watch.initial !== null) this.#waiting.set(index, watch.initial.value);
          return;
        }
        try {
          this.#waiting.set(index, watch.serde.decode(bytes));
        } catch (error) {
          problem = `its value does not decode: ${messageOf(error)}`;
          if (opened)
            this.#events.configRejected?.({
              topology: this.#graph.name,
              path: watch.path,
              message: messageOf(error),
            });
        }
      };
      await cells?.watch(watch.path, changed, signal);
      opened = true;
      if (!this.#waiting.has(index)) {
        throw new UmbusError(
          'UMBUS_CONFIG_INVALID',
          `Topology '${this.#graph.name}' watches the path '${watch.path}' as '${watch.name}', but ${problem}.`,
        );
      }
    }
    this.apply();
  }

  /** Puts waiting values in force. */
  apply(): void {
    if (this.#waiting.size === 0) return;
    for (const [index, value] of this.#waiting) this.#graph.watches[index]?.set(value);
    this.#waiting.clear();
  }
}
