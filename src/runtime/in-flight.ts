/** Writes that were begun and are not durable yet, in the order of their begin. */
export class InFlight {
  readonly #writes = new Set<Promise<void>>();
  readonly #failed: (error: unknown) => void;
  #chained = 0;

  /** `failed` is called for each write that rejects. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#writes.size;
  }

  /** Whether a write is held back until those before it are durable, so that the next must be too. */
  get ordered(): boolean {
    return this.#chained > 0;
  }

  /** Watches a write. */
  add(write: Promise<void>): void {
    const watched: Promise<void> = write.then(
      () => {
        this.#writes.delete(watched);
      },
      error => {
        this.#writes.delete(watched);
        this.#failed(error);
      },
    );
    this.#writes.add(watched);
  }

  /** Begins a write when all before it are durable. */
  async afterAll(write: () => Promise<void>): Promise<void> {
    this.#chained += 1;
    try {
      await this.settled();
      await write();
    } finally {
      this.#chained -= 1;
    }
  }

  /** Resolves when all that was begun before the call is durable or has failed. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes);
  }

  /** Resolves when no more than `count` are in flight. Never rejects. */
  async atMost(count: number): Promise<void> {
    while (this.#writes.size > count) {
      const [oldest] = this.#writes;
      await oldest;
    }
  }
}
