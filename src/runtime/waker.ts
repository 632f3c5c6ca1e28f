/**
 * Lets one waiter be woken. `wake` before `wait` is remembered, so nothing is lost between a check and the wait. Unlike a race with a
 * long-lived promise it keeps no reaction for each wait.
 */
export class Waker {
  #woken = false;
  #resolve: (() => void) | null = null;

  /** Ends the current wait, or the next one. */
  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  /** Resolves at the next `wake`, or at once when there was one since the last wait. */
  async wait(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>(resolve => {
        this.#resolve = resolve;
      });
    }
    this.#resolve = null;
    this.#woken = false;
  }
}
