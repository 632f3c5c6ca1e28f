import type { Clock } from '../../ports/clock.ts';

/** The shortest time between two writes of one path. */
const INTERVAL_MS = 1_000;

/** Writes the newest value of each path, at most one a second and one at a time; what comes meanwhile replaces what waits. A write that fails is dropped. */
export class ProgressNotes {
  readonly #clock: Clock;
  readonly #write: (path: string, value: Uint8Array) => Promise<void>;
  readonly #waiting = new Map<string, Uint8Array>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(clock: Clock, write: (path: string, value: Uint8Array) => Promise<void>) {
    this.#clock = clock;
    this.#write = write;
  }

  note(path: string, value: Uint8Array): void {
    if (this.#closing.signal.aborted) return;
    this.#waiting.set(path, Uint8Array.from(value));
    if (!this.#busy.has(path)) this.#busy.set(path, this.#drain(path));
  }

  /** Writes what waits, without the pauses. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#busy.values());
  }

  async #drain(path: string): Promise<void> {
    for (let value = this.#take(path); value !== undefined; value = this.#take(path)) {
      // How far a job is may be lost: its next note comes soon.
      await this.#write(path, value).catch(() => {});
      await this.#clock.sleep(INTERVAL_MS, this.#closing.signal);
    }
    this.#busy.delete(path);
  }

  #take(path: string): Uint8Array | undefined {
    const value = this.#waiting.get(path);
    this.#waiting.delete(path);
    return value;
  }
}
