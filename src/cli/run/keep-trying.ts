import { type ErrorCode, isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { backoffBounds, backoffMs } from '../../runtime/backoff.ts';
import type { EventLog } from '../event-log.ts';

/** What ends by itself when something outside comes back. Others need somebody: a log that another process owns is not waited for. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'UMBUS_KAFKA_UNREACHABLE',
  'UMBUS_COORDINATION_UNREACHABLE',
  'UMBUS_REGISTRY_UNREACHABLE',
]);

/** Where {@link keepTrying} tells and waits. */
export interface Patience {
  readonly clock: Clock;
  readonly events: EventLog;
  readonly stopping: AbortSignal;
}

/**
 * Opens something outside, and waits while it cannot be reached, however long that takes: an error that ends a run at its start is one that waiting does not mend.
 * `what` names it at the beginning of a sentence, `at` says where it is. Null: `stopping` aborted first. Errors: those of `open` that do not pass by themselves.
 */
export async function keepTrying<T>(
  what: string,
  at: string,
  open: () => Promise<T>,
  { clock, events, stopping }: Patience,
): Promise<T | null> {
  for (let attempt = 1; !stopping.aborted; attempt += 1) {
    try {
      return await open();
    } catch (error) {
      if (!isUmbusError(error) || !passing.has(error.code)) throw error;
      const delayMs = backoffMs(attempt, { ...backoffBounds, random: Math.random });
      events('warn', `${what} cannot be reached yet; it is tried again.`, {
        code: error.code,
        reason: error.message,
        remedy: error.remedy,
        at,
        attempt,
        delayMs: Math.round(delayMs),
      });
      await clock.sleep(delayMs, stopping);
    }
  }
  return null;
}
