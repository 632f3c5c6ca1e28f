import type { PullAnswer } from '../../change/pull-signal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AnswerBoard, AnswerQueue } from './answer-board.ts';

/** Silence about a shard that another reads, after which it counts as left. */
const LEFT_MS = 30_000;

/** Which window of which shard. */
export interface WindowName {
  readonly pull: string;
  readonly shard: number;
  readonly token: string;
}

/** An answer about a window; `taken`: another puller has opened one for the same shard, so that this one is closed. */
export type WindowAnswer = PullAnswer | { readonly kind: 'taken' };

/**
 * The answers about one window. Two pullers may have the same shard: one that was thought dead, or that has not learnt that its partition is another's. The last who opened a window reads; whoever opened
 * another at once would only take it back, and so on.
 */
export class WindowAnswers implements Disposable {
  readonly #queue: AnswerQueue;
  readonly #name: WindowName;
  #opened = false;

  constructor(board: AnswerBoard, name: WindowName) {
    this.#name = name;
    const { pull, shard } = name;
    this.#queue = board.listen(
      answer =>
        answer.pull === pull && ('shard' in answer ? answer.shard === shard : answer.kind === 'aborted'),
    );
  }

  /** The next answer about the window. Rejects with the signal's reason when it aborts. */
  async next(signal: AbortSignal): Promise<WindowAnswer> {
    for (;;) {
      const answer = await this.#queue.next(signal);
      if (!('token' in answer) || answer.token === this.#name.token) {
        this.#opened ||= answer.kind === 'low';
        return answer;
      }
      if (this.#opened && answer.kind === 'low') return { kind: 'taken' };
    }
  }

  /** Once the window is taken: waits until the shard is whole or its pull has ended, by whoever reads it; null when nobody seems to. Rejects with the signal's reason when it aborts. */
  async ended(clock: Clock, signal: AbortSignal): Promise<PullAnswer | null> {
    for (;;) {
      const answer = await this.#heard(clock, signal);
      if (answer === null || answer.kind === 'known' || answer.kind === 'aborted') return answer;
      if (answer.kind === 'page' && answer.whole) return answer;
    }
  }

  async #heard(clock: Clock, signal: AbortSignal): Promise<PullAnswer | null> {
    const left = new AbortController();
    const heard = new AbortController();
    const timer = clock.sleep(LEFT_MS, AbortSignal.any([heard.signal, signal])).then(() => left.abort());
    try {
      return await this.#queue.next(AbortSignal.any([signal, left.signal]));
    } catch (error) {
      if (signal.aborted || !left.signal.aborted) throw error;
      return null;
    } finally {
      heard.abort();
      await timer;
    }
  }

  [Symbol.dispose](): void {
    this.#queue[Symbol.dispose]();
  }
}
