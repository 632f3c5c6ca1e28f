import type { Clock } from '../../ports/clock.ts';

/**
 * Waits until `subscribe`'s callback is called, `ms` have passed or the signal aborts, whichever is first. Everything it set up is undone
 * when it returns. What `subscribe` returns is called to unsubscribe.
 */
export async function waitFor(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  subscribe: (wake: () => void) => () => void,
): Promise<void> {
  if (signal.aborted || ms <= 0) return;
  const timer = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const unsubscribe = subscribe(wake);
  signal.addEventListener('abort', wake, { once: true });
  try {
    await Promise.race([promise, clock.sleep(ms, timer.signal)]);
  } finally {
    signal.removeEventListener('abort', wake);
    unsubscribe();
    timer.abort();
  }
}
