import { type ErrorCode, isUmbusError } from '../../core/errors.ts';

/** How a {@link Batcher} writes. */
export interface BatchOptions<T> {
  readonly write: (items: readonly T[]) => Promise<void>;
  /** Most items of one call of `write`. */
  readonly most: number;
  /** Code of an error after which trying again does not help: then each item is tried by itself. */
  readonly refused: ErrorCode;
}

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes items that come together in one call. Each `add` resolves when its own item is written. What is refused is tried item by item, so that one that does not fit
 * does not take others with it. How many wait is bounded by who calls.
 */
export class Batcher<T> {
  readonly #options: BatchOptions<T>;
  #waiting: Waiting<T>[] = [];

  constructor(options: BatchOptions<T>) {
    this.#options = options;
  }

  /** Errors: those of `write`. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      // After the calls that come in the same turn.
      if (this.#waiting.length === 0) queueMicrotask(() => void this.#flush());
      this.#waiting.push({ item, resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const { most } = this.#options;
    for (let start = 0; start < waiting.length; start += most)
      await this.#writeBatch(waiting.slice(start, start + most));
  }

  async #writeBatch(batch: readonly Waiting<T>[]): Promise<void> {
    const { write, refused } = this.#options;
    try {
      await write(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length > 1 && isUmbusError(error, refused))
        for (const one of batch) await this.#writeBatch([one]);
      else for (const { reject } of batch) reject(error);
    }
  }
}
