import type { Alarm, AlarmSink, Alarms } from '../../ports/alarm.ts';
import type { Clock } from '../../ports/clock.ts';
import { type DeliveryEvent, type SinkCounts, SinkQueue } from './sink-queue.ts';

/** How alarms are delivered. */
export interface DeliveryOptions {
  readonly sinks: readonly AlarmSink[];
  readonly clock: Clock;
  /** An alarm that no attempt of so long could hand over is given up. */
  readonly retryForMs: number;
  /** Most alarms that wait for one sink; default 1,000. */
  readonly limit?: number;
  /** How long disposing waits for what is not sent yet; default 5 s. */
  readonly closeMs?: number;
  /** Told of what became of each alarm. */
  readonly tell?: (event: DeliveryEvent) => void;
  /** 0 up to 1; default Math.random. */
  readonly random?: () => number;
}

const LIMIT = 1_000;
const CLOSE_MS = 5_000;

/**
 * Hands alarms to all sinks, each with a bounded queue of its own, so that one which is away holds up neither the others nor whoever raises an alarm. Every failure is
 * told and counted, none is thrown. Disposing sends what waits, for a while.
 */
export class AlarmDelivery implements Alarms, AsyncDisposable {
  readonly #queues: readonly SinkQueue[];
  readonly #clock: Clock;
  readonly #closeMs: number;
  readonly #stop = new AbortController();

  constructor(options: DeliveryOptions) {
    const { sinks, clock, retryForMs, limit = LIMIT, tell = () => {}, random = Math.random } = options;
    this.#clock = clock;
    this.#closeMs = options.closeMs ?? CLOSE_MS;
    const stop = this.#stop.signal;
    this.#queues = sinks.map(sink => new SinkQueue(sink, { clock, limit, retryForMs, random, tell, stop }));
  }

  raise(alarm: Alarm): void {
    for (const queue of this.#queues) queue.add(alarm, () => {});
  }

  async deliver(alarm: Alarm): Promise<void> {
    await Promise.all(this.#queues.map(queue => new Promise<void>(done => queue.add(alarm, done))));
  }

  /** One for each sink, in the order of the line file. */
  counts(): readonly SinkCounts[] {
    return this.#queues.map(queue => queue.counts());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const idle = Promise.all(this.#queues.map(queue => queue.idle()));
    const waited = new AbortController();
    await Promise.race([idle, this.#clock.sleep(this.#closeMs, waited.signal)]);
    waited.abort();
    this.#stop.abort();
    await idle;
  }
}
