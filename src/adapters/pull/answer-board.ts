import { Buffer } from 'node:buffer';
import type { PullAnswer } from '../../change/pull-signal.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

const READ_BYTES = 1024 * 1024;
const WAIT_MS = 500;
const RETRY_MS = 500;

/** Answers to one who asked. */
export interface AnswerQueue extends Disposable {
  /** The next answer. Rejects with the signal's reason when it aborts. */
  next(signal: AbortSignal): Promise<PullAnswer>;
}

/** Reads what the appender answers to pulls, once for all who wait in this process. Begins with what is written after it was opened. */
export class AnswerBoard implements AsyncDisposable {
  readonly #queues = new Set<Queue>();
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();

  private constructor() {}

  /** `topic`: `<ds>_pull`, which exists. Errors: UMBUS_LOG_*. */
  static async open(log: Log, topic: string, clock: Clock): Promise<AnswerBoard> {
    const board = new AnswerBoard();
    const from = await log.offset({ topic, partition: 0 }, 'latest');
    board.#done = board.#read(log, topic, from, clock);
    return board;
  }

  /** Answers that are about something, from now on. */
  listen(about: (answer: PullAnswer) => boolean): AnswerQueue {
    const queue = new Queue(about, () => this.#queues.delete(queue));
    this.#queues.add(queue);
    return queue;
  }

  async #read(log: Log, topic: string, from: bigint, clock: Clock): Promise<void> {
    const { signal } = this.#stop;
    let offset = from;
    while (!signal.aborted) {
      try {
        const place = { topic, partition: 0, offset };
        const batch = await log.read(place, { maxBytes: READ_BYTES, maxWaitMs: WAIT_MS }, signal);
        for (const { value } of batch.records) {
          // What the appender wrote.
          if (value !== null) this.#tell(JSON.parse(Buffer.from(value).toString('utf8')) as PullAnswer);
        }
        offset = batch.nextOffset;
      } catch (error) {
        if (signal.aborted || isUmbusError(error, 'UMBUS_LOG_CLOSED')) return;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  #tell(answer: PullAnswer): void {
    for (const queue of this.#queues) queue.offer(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new UmbusError('UMBUS_LOG_CLOSED', 'The answers to pulls are read no more.'));
    await this.#done;
  }
}

const ASK_AGAIN_MS = 10_000;

/**
 * Asks, and asks again when no answer has come for ten seconds: what was written before the line began to read is never answered. Resolves with the first answer; rejects as `ask` does, and with the signal's reason.
 */
export async function askUntilAnswered(
  answers: AnswerQueue,
  ask: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<PullAnswer> {
  for (;;) {
    await ask();
    const done = new AbortController();
    const attempt = new AbortController();
    void clock.sleep(ASK_AGAIN_MS, AbortSignal.any([signal, done.signal])).then(() => attempt.abort());
    try {
      return await answers.next(AbortSignal.any([signal, attempt.signal]));
    } catch (error) {
      if (signal.aborted || !attempt.signal.aborted) throw error;
    } finally {
      done.abort();
    }
  }
}

class Queue implements AnswerQueue {
  readonly #about: (answer: PullAnswer) => boolean;
  readonly #close: () => void;
  readonly #answers: PullAnswer[] = [];
  #wake: () => void = () => {};

  constructor(about: (answer: PullAnswer) => boolean, close: () => void) {
    this.#about = about;
    this.#close = close;
  }

  offer(answer: PullAnswer): void {
    if (!this.#about(answer)) return;
    this.#answers.push(answer);
    this.#wake();
  }

  async next(signal: AbortSignal): Promise<PullAnswer> {
    for (;;) {
      signal.throwIfAborted();
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      await new Promise<void>(resolve => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
