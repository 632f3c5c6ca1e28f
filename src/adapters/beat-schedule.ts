import { createTask, validate } from 'node-cron';
import { UmbusError } from '../core/errors.ts';

/** So many times are looked at for one that is late enough. */
const LOOKED_AT = 16;

/**
 * When something is due after a time, in milliseconds since 1970-01-01 UTC; null: never. An interval counts from 1970, so that whoever goes on keeps the beat; the times of a
 * cron expression (node-cron: five fields, or six with seconds first) are UTC, and are counted from the present. Errors: UMBUS_CONFIG_INVALID for an expression without a meaning.
 */
export function beatSchedule(
  every:
    | { readonly kind: 'interval'; readonly ms: number }
    | { readonly kind: 'cron'; readonly expression: string },
): (afterMs: number) => number | null {
  if (every.kind === 'interval') {
    const { ms } = every;
    return afterMs => (Math.floor(afterMs / ms) + 1) * ms;
  }
  const { expression } = every;
  if (!validate(expression)) {
    throw new UmbusError(
      'UMBUS_CONFIG_INVALID',
      `heartbeat.every is neither a duration nor a cron expression: '${expression}'.`,
    );
  }
  const task = createTask(expression, () => {}, { timezone: 'UTC' });
  return afterMs => {
    const due = task.getNextRuns(LOOKED_AT).find(date => date.getTime() > afterMs);
    return due === undefined ? null : due.getTime();
  };
}
