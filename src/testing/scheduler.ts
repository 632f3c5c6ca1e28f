import type { Random } from './random.ts';

interface Waiting {
  readonly owner: object;
  readonly open: () => void;
}

/**
 * Decides what happens next. Everything that an instance asks of the log waits at a gate; a step opens one gate, chosen by the seed, and lets
 * all that follows from it run until every instance waits again. So equal seeds give equal interleavings, and any order that real
 * concurrency could give has a seed.
 */
export class Scheduler {
  readonly #random: Random;
  #waiting: Waiting[] = [];
  #steps = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Waits for a turn. Never resolves when `forget` removes its owner. */
  gate(owner: object): Promise<void> {
    return new Promise(open => this.#waiting.push({ owner, open }));
  }

  /** Drops the gates of an owner: what waits there never goes on. */
  forget(owner: object): void {
    this.#waiting = this.#waiting.filter(waiting => waiting.owner !== owner);
  }

  /** Opens one gate and waits until all is quiet. False when nothing waits. */
  async step(): Promise<boolean> {
    await quiet();
    const chosen = this.#waiting[this.#random.below(this.#waiting.length)];
    if (chosen === undefined) return false;
    this.#steps += 1;
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1);
    chosen.open();
    await quiet();
    return true;
  }
}

/** Resolves when all promises that can go on have gone on: an immediate runs after the last microtask. */
export function quiet(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve);
  });
}
