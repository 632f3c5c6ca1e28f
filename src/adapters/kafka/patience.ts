import { isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { brokerErrorKind, passesByItself } from './broker-errors.ts';

/** How long one operation is tried again before its error goes to the caller, who tries in larger steps. */
export const PATIENCE_MS = 10_000;
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 500;

/** Whether what failed may succeed a little later by itself: the brokers are away, a leader or coordinator moves, a transaction is being ended. */
export function passes(error: unknown): boolean {
  if (!isUmbusError(error)) return false;
  const kafka = error.details['kafka'];
  if (typeof kafka === 'string') return passesByItself(brokerErrorKind(kafka));
  return error.code === 'UMBUS_KAFKA_UNREACHABLE';
}

/** Whether the error is the one of a broker with this name. */
export function isBrokerError(error: unknown, name: string): boolean {
  return isUmbusError(error) && error.details['kafka'] === name;
}

/** Tries again what passes, ever more slowly, until it succeeds, `patienceMs` are over, or the signal aborts. Throws the last error. */
export async function patiently<T>(
  clock: Clock,
  attempt: () => Promise<T>,
  options: {
    /** Told of each error before the next attempt, to forget what may be stale. */
    readonly recover?: (error: unknown) => void;
    readonly patienceMs?: number;
    readonly signal?: AbortSignal;
  } = {},
): Promise<T> {
  const until = clock.now() + (options.patienceMs ?? PATIENCE_MS);
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error) || clock.now() >= until || options.signal?.aborted === true) throw error;
      options.recover?.(error);
    }
    await clock.sleep(waitMs, options.signal);
  }
}
