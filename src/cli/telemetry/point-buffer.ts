import type { Point } from '../../ports/time-series.ts';

/**
 * Points that wait while their database is away, oldest first. Beyond `maxPoints` the oldest are dropped and counted: what a process measures of itself is worth a hole in a chart, and
 * not the memory of the line.
 */
export class PointBuffer {
  readonly #maxPoints: number;
  #rounds: (readonly Point[])[] = [];
  #size = 0;
  #dropped = 0;

  constructor(maxPoints: number) {
    this.#maxPoints = maxPoints;
  }

  /** Points dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Points that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds what was measured in one round. */
  add(round: readonly Point[]): void {
    this.#rounds.push(round);
    this.#size += round.length;
    while (this.#size > this.#maxPoints) this.#dropped += this.#shift()?.length ?? 0;
  }

  /** Gives the rounds to `write`, oldest first, and forgets each when it is written. Rejects with what `write` throws; that round waits on. */
  async drain(write: (round: readonly Point[]) => Promise<void>): Promise<void> {
    for (let round = this.#rounds[0]; round !== undefined; round = this.#rounds[0]) {
      await write(round);
      // The round may have been dropped meanwhile.
      if (this.#rounds[0] === round) this.#shift();
    }
  }

  #shift(): readonly Point[] | undefined {
    const round = this.#rounds.shift();
    this.#size -= round?.length ?? 0;
    return round;
  }
}
