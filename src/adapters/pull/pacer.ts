import type { Clock } from '../../ports/clock.ts';
import { FREE, type PullCells, type PullControl } from './pull-cells.ts';

/** How long what people want of a pull is taken as known. */
const KNOWN_MS = 500;

/** Slows pulls down to the rows a second that were asked for, over all shards of one process. */
export class Pacer {
  readonly #cells: PullCells;
  readonly #clock: Clock;
  readonly #pulls = new Map<string, { control: PullControl; readMs: number; freeMs: number }>();

  constructor(cells: PullCells, clock: Clock) {
    this.#cells = cells;
    this.#clock = clock;
  }

  /** Waits until so many more rows of a pull may be read. Errors: UMBUS_COORDINATION_*. */
  async pace(pull: string, rows: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    const state = this.#pulls.get(pull) ?? { control: FREE, readMs: 0, freeMs: nowMs };
    this.#pulls.set(pull, state);
    if (nowMs - state.readMs > KNOWN_MS) {
      state.readMs = nowMs;
      state.control = await this.#cells.control(pull);
    }
    const { rowsPerSecond } = state.control;
    if (rowsPerSecond === null) return;
    const waitMs = state.freeMs - nowMs;
    state.freeMs = Math.max(state.freeMs, nowMs) + (rows / rowsPerSecond) * 1000;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
