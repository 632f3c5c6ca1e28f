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
