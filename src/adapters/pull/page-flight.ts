/** Pages of a shard that are written before the appender has answered the first of them, at most and at least, and those of all shards of a process. */
const MOST_AHEAD = 8;
const LEAST_AHEAD = 2;
const ALL_AHEAD = 24;

/** How many pages of each shard may wait for their answers while so many shards are read: what is on its way is in memory. */
export function pagesAhead(shards: number): number {
  return Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, Math.floor(ALL_AHEAD / shards)));
}

/** The pages of a window that are on their way to the appender. What fails to be written ends the waiting for answers. */
export class PageFlight {
  readonly #broken = new AbortController();
  readonly #writing = new Set<Promise<void>>();
  /** Aborts with the signal that was given, and with the error of a page that could not be written. */
  readonly signal: AbortSignal;
  #unanswered = 0;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#broken.signal]);
  }

  /** Pages that the appender has not answered. */
  get size(): number {
    return this.#unanswered;
  }

  /** Takes a page that is being written. */
  add(writing: Promise<void>): void {
    this.#unanswered++;
    const watched: Promise<void> = writing
      .catch(error => this.#broken.abort(error))
      .finally(() => this.#writing.delete(watched));
    this.#writing.add(watched);
  }

  /** The appender has answered one. */
  answered(): void {
    this.#unanswered--;
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }
}
