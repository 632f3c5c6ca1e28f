interface Waiting {
  readonly pull: string;
  readonly most: number;
  readonly begin: () => void;
}

/** Lets so many shards be read at a time, and of each pull no more than it may; others wait for their turn, in order. */
export class Turns {
  readonly #most: number;
  #free: number;
  /** Shards that are read, by pull. */
  readonly #reading = new Map<string, number>();
  readonly #waiting: Waiting[] = [];

  /** `most`: of all pulls together, at least 1. */
  constructor(most: number) {
    this.#most = most;
    this.#free = most;
  }

  /** Shards that are read, of all pulls. */
  get taken(): number {
    return this.#most - this.#free;
  }

  /** Does the work when it is its turn; null at once when `most` shards of its pull are being read, so that it does not wait in the way of others. */
  async take<T>(pull: string, most: number, work: () => Promise<T>): Promise<T | null> {
    if (this.#readingOf(pull) >= most) return null;
    await new Promise<void>(begin => {
      this.#waiting.push({ pull, most, begin: () => begin() });
      this.#next();
    });
    try {
      return await work();
    } finally {
      this.#free++;
      this.#reading.set(pull, this.#readingOf(pull) - 1);
      if (this.#readingOf(pull) === 0) this.#reading.delete(pull);
      this.#next();
    }
  }

  #readingOf(pull: string): number {
    return this.#reading.get(pull) ?? 0;
  }

  #next(): void {
    for (let i = 0; i < this.#waiting.length && this.#free > 0; ) {
      const { pull, most, begin } = this.#waiting[i] as Waiting; // i < length
      if (this.#readingOf(pull) >= most) {
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      this.#free--;
      this.#reading.set(pull, this.#readingOf(pull) + 1);
      begin();
    }
  }
}
