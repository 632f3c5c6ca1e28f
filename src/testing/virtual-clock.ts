import type { Clock } from '../ports/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that stands still until it is moved. */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return;
    const dueMs = this.#nowMs + ms;
    await new Promise<void>(resolve => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { dueMs, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** When the next sleeper is due; null when nobody sleeps. */
  get nextDueMs(): number | null {
    let next: number | null = null;
    for (const { dueMs } of this.#sleepers) next = next === null ? dueMs : Math.min(next, dueMs);
    return next;
  }

  /** Moves time on and wakes those who are due, the earliest first. Time does not go back. */
  moveTo(ms: number): void {
    if (ms > this.#nowMs) this.#nowMs = ms;
    const due = [...this.#sleepers].filter(({ dueMs }) => dueMs <= this.#nowMs);
    // The sort is stable: of equal times, who fell asleep first wakes first.
    for (const { wake } of due.sort((a, b) => a.dueMs - b.dueMs)) wake();
  }
}
