import type { Line } from '../../config/line.ts';
import { isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { backoffBounds, backoffMs } from '../../runtime/backoff.ts';
import type { EventLog } from '../event-log.ts';
import { logPlace, openLineLog } from '../open-line.ts';

/**
 * Opens the log of a line as its owner, and waits while no broker of its cluster can be reached, however long that takes. Null: `stopping` aborted first. Errors: as
 * `openLineLog`, without UMBUS_KAFKA_UNREACHABLE.
 */
export async function openReachableLog(
  line: Line,
  clock: Clock,
  events: EventLog,
  stopping: AbortSignal,
): Promise<Log | null> {
  const tell = (message: string): void => events('warn', message);
  for (let attempt = 1; !stopping.aborted; attempt += 1) {
    try {
      return await openLineLog(line, 'owner', tell);
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_KAFKA_UNREACHABLE')) throw error;
      const delayMs = backoffMs(attempt, { ...backoffBounds, random: Math.random });
      events('warn', 'The log cannot be reached yet; it is tried again.', {
        code: error.code,
        reason: error.message,
        remedy: error.remedy,
        at: logPlace(line),
        attempt,
        delayMs: Math.round(delayMs),
      });
      await clock.sleep(delayMs, stopping);
    }
  }
  return null;
}
