import type { PullFailure } from '../change/pull-signal.ts';

/** Of windows that count no more. */
export const CLOSED = 'the window is closed';
export const OVER: PullFailure = { code: 'UMBUS_PULL_TABLE', message: 'The pull is over.' };
export const CANCELLED: PullFailure = { code: 'UMBUS_PULL_CANCELLED', message: 'The pull was cancelled.' };

/** `key`, here and below: `schema.table`. */
export function notPublished(key: string, ds: string): PullFailure {
  return { code: 'UMBUS_PULL_TABLE', message: `The line ${ds} does not publish the table ${key}.` };
}

export function running(key: string, pull: string): PullFailure {
  return { code: 'UMBUS_PULL_RUNNING', message: `The table ${key} is being pulled already, as ${pull}.` };
}

export function parked(key: string): PullFailure {
  return {
    code: 'UMBUS_PULL_TABLE',
    message: `The table ${key} is parked: umbus parked says why. Replay it, then pull it again.`,
  };
}

/** Of a table whose messages wait: what waits is of another version than the rows that were pulled. */
export function endedWhileHeld(key: string): PullFailure {
  return {
    code: 'UMBUS_PULL_CHANGED',
    message: `The table ${key} was emptied, dropped or changed while it was pulled and its changes waited.`,
  };
}

export function heldTooMuch(key: string, bytes: number): PullFailure {
  return {
    code: 'UMBUS_PULL_HELD',
    message: `Changes of ${key} that wait for the end of its pull have more than ${bytes} bytes as messages.`,
  };
}
