import type { Clock } from '../../ports/clock.ts';

/** Who holds something for a time to live looks so often in it whether it may still hold. */
export const LOOKS = 12;
/** So many looks after the start of its last proof a holder gives up. Whoever may take over counts all of them, from when it saw the proof. */
const LOOKS_TO_LOSE = 8;

/** How long ago the last proof began, by looks that are a twelfth of the time to live apart, and by the clock. */
export class Deadline {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #sinceMs: number;
  /** Looks since the last proof began. */
  looks = 0;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#sinceMs = clock.now();
  }

  /** Counts on from a proof that began at `sinceMs`, so many looks ago. */
  renewed(sinceMs: number, looks: number): void {
    this.#sinceMs = sinceMs;
    this.looks = looks;
  }

  /** Whether two thirds of the time to live have gone. */
  get passed(): boolean {
    const limitMs = (this.#ttlMs * LOOKS_TO_LOSE) / LOOKS;
    return this.looks >= LOOKS_TO_LOSE || this.#clock.now() - this.#sinceMs >= limitMs;
  }
}
