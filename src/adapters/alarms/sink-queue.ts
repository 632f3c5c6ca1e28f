import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Alarm, AlarmSink } from '../../ports/alarm.ts';
import type { Clock } from '../../ports/clock.ts';
import { backoffMs } from '../../runtime/backoff.ts';

/** What a sink's queue tells, synchronously; whoever hears it does not throw. */
export type DeliveryEvent =
  /** The sink has taken it. */
  | { readonly kind: 'sent'; readonly sink: string; readonly alarm: Alarm; readonly attempts: number }
  /** It is tried again after `delayMs`. */
  | {
      readonly kind: 'again';
      readonly sink: string;
      readonly alarm: Alarm;
      readonly error: UmbusError;
      readonly attempts: number;
      readonly delayMs: number;
    }
  /** It was refused, or too long nobody took it: it is not sent. */
  | {
      readonly kind: 'failed';
      readonly sink: string;
      readonly alarm: Alarm;
      readonly error: UmbusError;
      readonly attempts: number;
    }
  /** More alarms waited than a queue holds, and this was the oldest: it is not sent. */
  | { readonly kind: 'dropped'; readonly sink: string; readonly alarm: Alarm };

/** What became of the alarms for one sink since the process began. */
export interface SinkCounts {
  readonly sink: string;
  readonly sent: number;
  readonly failed: number;
  readonly dropped: number;
  readonly waiting: number;
}

/** Bounds of a queue, and how it waits. */
export interface QueueOptions {
  readonly clock: Clock;
  /** Alarms that wait. */
  readonly limit: number;
  /** After so long an alarm is given up. */
  readonly retryForMs: number;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly tell: (event: DeliveryEvent) => void;
  /** Ends all waiting; what is not sent yet has failed then. */
  readonly stop: AbortSignal;
}

interface Waiting {
  readonly alarm: Alarm;
  readonly done: readonly (() => void)[];
}

const waitBounds = { minMs: 1_000, maxMs: 60_000 } as const;

/** Sends the alarms of one sink one after the other, in the order in which they came. Of those that wait with the same id only the newest is sent. */
export class SinkQueue {
  readonly #sink: AlarmSink;
  readonly #options: QueueOptions;
  /** By alarm id, oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #working: Promise<void> | null = null;
  #sent = 0;
  #failed = 0;
  #dropped = 0;

  constructor(sink: AlarmSink, options: QueueOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Takes an alarm; `done` is called once, when it was sent or given up. */
  add(alarm: Alarm, done: () => void): void {
    const same = this.#waiting.get(alarm.id);
    this.#waiting.delete(alarm.id);
    this.#waiting.set(alarm.id, { alarm, done: [...(same?.done ?? []), done] });
    if (this.#waiting.size > this.#options.limit) this.#dropOldest();
    this.#working ??= this.#work();
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#working;
  }

  counts(): SinkCounts {
    const { name: sink } = this.#sink;
    return {
      sink,
      sent: this.#sent,
      failed: this.#failed,
      dropped: this.#dropped,
      waiting: this.#waiting.size,
    };
  }

  async #work(): Promise<void> {
    for (let next = this.#take(); next !== null; next = this.#take()) {
      await this.#send(next.alarm);
      for (const done of next.done) done();
    }
    this.#working = null;
  }

  #take(): Waiting | null {
    for (const [id, waiting] of this.#waiting) {
      this.#waiting.delete(id);
      return waiting;
    }
    return null;
  }

  async #send(alarm: Alarm): Promise<void> {
    const { clock, retryForMs, random, tell, stop } = this.#options;
    const sink = this.#sink.name;
    const since = clock.now();
    for (let attempts = 1; ; attempts += 1) {
      const error = await this.#attempt(alarm);
      if (error === null) {
        this.#sent += 1;
        tell({ kind: 'sent', sink, alarm, attempts });
        return;
      }
      const delayMs = backoffMs(attempts, { ...waitBounds, random });
      const late = clock.now() + delayMs - since > retryForMs;
      // A newer one of the same fault says more.
      if (!error.retryable || late || stop.aborted || this.#waiting.has(alarm.id)) {
        this.#failed += 1;
        tell({ kind: 'failed', sink, alarm, error, attempts });
        return;
      }
      tell({ kind: 'again', sink, alarm, error, attempts, delayMs });
      await clock.sleep(delayMs, stop);
    }
  }

  async #attempt(alarm: Alarm): Promise<UmbusError | null> {
    try {
      await this.#sink.send(alarm, this.#options.stop);
      return null;
    } catch (error) {
      if (isUmbusError(error)) return error;
      return new UmbusError(
        'UMBUS_INTERNAL',
        `The alarm sink ${this.#sink.name} failed in a way it does not name.`,
        {
          cause: error,
        },
      );
    }
  }

  #dropOldest(): void {
    const oldest = this.#take();
    if (oldest === null) return;
    this.#dropped += 1;
    this.#options.tell({ kind: 'dropped', sink: this.#sink.name, alarm: oldest.alarm });
    for (const done of oldest.done) done();
  }
}
