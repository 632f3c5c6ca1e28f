import type { Writer } from '../../ports/log.ts';

/** Writers that are used again, each by one user at a time. */
export class WriterPool implements AsyncDisposable {
  readonly #open: () => Promise<Writer>;
  readonly #free: Writer[] = [];

  constructor(open: () => Promise<Writer>) {
    this.#open = open;
  }

  /** Lends a writer to some work. Errors: those of the work, and of opening one. */
  async use<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
    const writer = this.#free.pop() ?? (await this.#open());
    let done: T;
    try {
      done = await work(writer);
    } catch (error) {
      // It may have failed, and then takes nothing more.
      await writer[Symbol.asyncDispose]();
      throw error;
    }
    this.#free.push(writer);
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const writer of this.#free) await writer[Symbol.asyncDispose]();
  }
}
