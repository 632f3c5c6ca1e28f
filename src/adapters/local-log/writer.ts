import { UmbusError } from '../../core/errors.ts';
import type { OutgoingRecord, Writer } from '../../ports/log.ts';
import type { LogStorage } from './storage.ts';

/** A fenced writer over a {@link LogStorage}; see `ports/log.ts` for the contract. */
export class LocalWriter implements Writer {
  readonly #id: string;
  readonly #storage: LogStorage;
  readonly #closed: AbortSignal;
  readonly #inFlight = new Set<Promise<void>>();
  #failure: UmbusError | null = null;
  #disposed = false;

  constructor(id: string, storage: LogStorage, closed: AbortSignal) {
    this.#id = id;
    this.#storage = storage;
    this.#closed = closed;
  }

  append(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed.aborted || this.#disposed) {
      return Promise.reject(new UmbusError('UMBUS_LOG_CLOSED', `Writer ${this.#id} was closed.`));
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const written = this.#storage.write({
      origin: { kind: 'writer', id: this.#id },
      outputs: records,
      offsets: [],
      guard: () => {
        if (this.#failure !== null) throw this.#failure;
      },
      failed: error => {
        this.#failure ??= error;
      },
    });
    this.#inFlight.add(written);
    const done = () => this.#inFlight.delete(written);
    written.then(done, done);
    return written;
  }

  /** Refuses everything from now on, because a newer writer has the id, and waits for what was already on its way. */
  async fence(): Promise<void> {
    this.#failure ??= new UmbusError(
      'UMBUS_LOG_FENCED',
      `A newer writer has taken over the id ${this.#id}.`,
      {
        details: { writer: this.#id },
      },
    );
    await Promise.allSettled(this.#inFlight);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled(this.#inFlight);
  }
}
