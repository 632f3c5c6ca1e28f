import { assert } from '../core/assert.ts';

/**
 * The life of a running topology:
 *
 *     starting ──▶ running ──▶ stopping ──▶ stopped
 *        │           │  ▲          │
 *        │           ▼  │          │
 *        │        restarting ──────┤
 *        │           │             │
 *        └───────────┴──▶ failed ◀─┘
 *
 * `restarting`: a part lost its log or source, has dropped its state in memory, and waits to begin again from what is committed. `starting`
 * also goes to `stopping` when `stop` comes early.
 */
export type TopologyState = 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped' | 'failed';

/** Which state may follow which. */
export const transitions: Readonly<Record<TopologyState, readonly TopologyState[]>> = {
  starting: ['running', 'restarting', 'stopping', 'failed'],
  running: ['restarting', 'stopping', 'failed'],
  restarting: ['running', 'stopping', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** A state that only changes along {@link transitions} and tells each change. */
export class StateMachine {
  #current: TopologyState = 'starting';
  readonly #changed: (from: TopologyState, to: TopologyState) => void;

  constructor(changed: (from: TopologyState, to: TopologyState) => void) {
    this.#changed = changed;
  }

  get current(): TopologyState {
    return this.#current;
  }

  /** Moves on; staying in the same state does nothing. Throws UMBUS_INTERNAL for a transition that is not declared. */
  to(next: TopologyState): void {
    const from = this.#current;
    if (from === next) return;
    assert(transitions[from].includes(next), `A topology cannot go from ${from} to ${next}.`);
    this.#current = next;
    this.#changed(from, next);
  }
}
