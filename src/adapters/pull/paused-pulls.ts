import type { Clock } from '../../ports/clock.ts';
import type { PullCells } from './pull-cells.ts';

const RETRY_MS = 1000;

/** Knows which pulls are paused, by following what people want of them from the first question on. What it says is a little old, so whoever is to work on a pull asks again. */
export class PausedPulls implements AsyncDisposable {
  readonly #cells: PullCells;
  readonly #clock: Clock;
  readonly #paused = new Set<string>();
  readonly #stop = new AbortController();
  #following: Promise<void> | null = null;

  constructor(cells: PullCells, clock: Clock) {
    this.#cells = cells;
    this.#clock = clock;
  }

  /** Whether a pull is known to be paused; false as long as nothing is known. */
  has(pull: string): boolean {
    this.#following ??= this.#follow();
    return this.#paused.has(pull);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const { pull, control } of this.#cells.controls(signal)) {
          if (control.state === 'pause') this.#paused.add(pull);
          else this.#paused.delete(pull);
        }
      } catch {
        // Coordination is away: whoever needs it to work says so.
      }
      await this.#clock.sleep(RETRY_MS, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }
}
