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
  /** Rows a second that {@link Pace.freeMs} counts by; null for no bound. */
  rate: number | null;
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

  /** Waits until so many more rows of a pull may be read; false when it is paused. Errors: UMBUS_PULL_CANCELLED, UMBUS_COORDINATION_*; the signal's reason. */
  async pace(pull: string, rows: number, signal: AbortSignal): Promise<boolean> {
    const pace = this.#paceOf(pull);
    let reserved: number | null | undefined;
    let atMs = 0;
    for (;;) {
      signal.throwIfAborted();
      const nowMs = this.#clock.now();
      const { state, rowsPerSecond: rate } = await this.#known(pull, pace, nowMs);
      if (state === 'cancel') {
        throw new UmbusError('UMBUS_PULL_CANCELLED', 'The pull was cancelled.', { details: { pull } });
      }
      if (state === 'pause') return false;
      if (reserved !== rate) {
        reserved = rate;
        atMs = reserve(pace, rows, rate, nowMs);
      }
      if (atMs <= nowMs) return true;
      await this.#clock.sleep(Math.min(KNOWN_MS, Math.max(1, atMs - nowMs)), signal);
    }
  }

  #paceOf(pull: string): Pace {
    let pace = this.#pulls.get(pull);
    if (pace === undefined) {
      pace = { control: FREE, readMs: 0, rate: null, freeMs: 0 };
      if (this.#pulls.size >= MOST_PULLS) this.#pulls.clear();
      this.#pulls.set(pull, pace);
    }
    return pace;
  }

  async #known(pull: string, pace: Pace, nowMs: number): Promise<PullControl> {
    if (nowMs - pace.readMs >= KNOWN_MS) {
      pace.readMs = nowMs;
      pace.control = await this.#cells.control(pull);
    }
    return pace.control;
  }
}

/** When so many rows may be read, which the next ones have to wait for. What was to be waited for at another rate counts no more. */
function reserve(pace: Pace, rows: number, rate: number | null, nowMs: number): number {
  if (pace.rate !== rate) {
    pace.rate = rate;
    pace.freeMs = nowMs;
  }
  const atMs = Math.max(pace.freeMs, nowMs);
  if (rate !== null) pace.freeMs = atMs + (rows / rate) * 1000;
  return atMs;
}
