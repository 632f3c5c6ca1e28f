import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { FREE, type PullCells, type PullControl } from './pull-cells.ts';

/** How long what people want of a pull is taken as known. */
const KNOWN_MS = 500;
/** Pulls that are remembered; more are looked up again. */
const MOST_PULLS = 1000;

interface Pace {
  control: PullControl;
  readMs: number;
  /** When the next row may be read. */
  freeMs: number;
}

/** Holds pulls to what people want of them between two pages: the rows a second, over all shards of one process, a pause, an end. */
export class Pacer {
  readonly #cells: PullCells;
  readonly #clock: Clock;
  readonly #pulls = new Map<string, Pace>();

  constructor(cells: PullCells, clock: Clock) {
    this.#cells = cells;
    this.#clock = clock;
  }

  /** Waits until so many more rows of a pull may be read. Errors: UMBUS_PULL_CANCELLED, UMBUS_COORDINATION_*; the signal's reason. */
  async pace(pull: string, rows: number, signal: AbortSignal): Promise<void> {
    const state = this.#stateOf(pull);
    let mineMs: number | null = null;
    for (;;) {
      signal.throwIfAborted();
      const nowMs = this.#clock.now();
      const { control } = await this.#known(pull, state, nowMs);
      if (control.state === 'cancel') {
        throw new UmbusError('UMBUS_PULL_CANCELLED', 'The pull was cancelled.', { details: { pull } });
      }
      const { rowsPerSecond } = control;
      if (control.state === 'run') {
        if (rowsPerSecond === null) return;
        if (mineMs === null) {
          mineMs = Math.max(state.freeMs, nowMs);
          state.freeMs = mineMs + (rows / rowsPerSecond) * 1000;
        }
        if (mineMs <= nowMs) return;
      }
      await this.#clock.sleep(
        Math.min(KNOWN_MS, Math.max(1, (mineMs ?? Number.POSITIVE_INFINITY) - nowMs)),
        signal,
      );
    }
  }

  #stateOf(pull: string): Pace {
    let state = this.#pulls.get(pull);
    if (state === undefined) {
      state = { control: FREE, readMs: 0, freeMs: 0 };
      if (this.#pulls.size >= MOST_PULLS) this.#pulls.clear();
      this.#pulls.set(pull, state);
    }
    return state;
  }

  async #known(pull: string, state: Pace, nowMs: number): Promise<Pace> {
    if (nowMs - state.readMs >= KNOWN_MS) {
      state.readMs = nowMs;
      state.control = await this.#cells.control(pull);
    }
    return state;
  }
}
