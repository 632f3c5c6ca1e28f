import { UmbusError } from '../../core/errors.ts';
import type { OutgoingRecord, Writer } from '../../ports/log.ts';
import type { LogStorage } from './storage.ts';

/** A fenced writer over a {@link LogStorage}; see `ports/log.ts` for the contract. */
export class LocalWriter implements Writer {
  readonly #id: string;
  readonly #storage: LogStorage;
  readonly #closed: AbortSignal;
  readonly #inFlight = new Set<Promise<void>>();
  /** Resolves when nothing of older writers is on its way any more. Never rejects. */
  readonly opened: Promise<void>;
  #failure: UmbusError | null = null;
  #disposed = false;

  /** `older`: the last writer with this id; it is fenced. */
  constructor(id: string, storage: LogStorage, closed: AbortSignal, older: LocalWriter | null) {
    this.opened = older?.fence() ?? Promise.resolve();
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

  /** Refuses everything from now on, because a newer writer has the id, and waits for what was already on its way, of this writer and of those before it. */
  async fence(): Promise<void> {
    this.#failure ??= new UmbusError(
      'UMBUS_LOG_FENCED',
      `A newer writer has taken over the id ${this.#id}.`,
      {
        details: { writer: this.#id },
      },
    );
    await Promise.allSettled([this.opened, ...this.#inFlight]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled(this.#inFlight);
  }
}
