/** From which delay on something is late, and how that differs at a time of day. */
export interface LateRule {
  /** Milliseconds; null: never late. */
  readonly lateMs: number | null;
  /** Inside of this time of day another delay counts. */
  readonly window: { readonly window: DayWindow; readonly lateMs: number | null } | null;
}

/** A time of day in UTC, in minutes from midnight. It goes over midnight when `from` is later than `to`. */
export interface DayWindow {
  readonly fromMinute: number;
  readonly toMinute: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** Whether a moment (milliseconds since 1970-01-01 UTC) lies in a window: from its first minute up to, not with, its last. */
export function inWindow({ fromMinute, toMinute }: DayWindow, nowMs: number): boolean {
  const minute = Math.floor(nowMs / MINUTE_MS) % DAY_MINUTES;
  return fromMinute <= toMinute
    ? minute >= fromMinute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;
}

/** The delay of a rule now. */
export function lateNow({ lateMs, window }: LateRule, nowMs: number): number | null {
  return window !== null && inWindow(window.window, nowMs) ? window.lateMs : lateMs;
}
