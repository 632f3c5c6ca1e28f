import { UmbusError } from '../../core/errors.ts';
import type { Lease } from '../../ports/coordination.ts';

/** A lease that this process holds until it is released or lost. */
export class HeldLease implements Lease {
  readonly name: string;
  readonly token: bigint;
  readonly #lost = new AbortController();
  readonly #giveUp: () => Promise<void>;
  #released: Promise<void> | null = null;

  /** `giveUp` tells the service; it is called once, also after a loss, and does not throw. */
  constructor(name: string, token: bigint, giveUp: () => Promise<void>) {
    this.name = name;
    this.token = token;
    this.#giveUp = giveUp;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Says that it cannot be proven any more. Does nothing the second time. */
  lose(why: string): void {
    if (this.#lost.signal.aborted) return;
    const message = `The lease ${this.name} (token ${this.token}) is lost: ${why}.`;
    this.#lost.abort(
      new UmbusError('UMBUS_COORDINATION_LOST', message, {
        details: { lease: this.name, token: this.token },
      }),
    );
  }

  release(): Promise<void> {
    this.lose('it was released');
    this.#released ??= this.#giveUp();
    return this.#released;
  }
}
