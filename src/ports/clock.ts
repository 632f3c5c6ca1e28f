/** Time as the runtime sees it: real in production, virtual in the test driver. No other code reads a clock or sets a timer. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, with a fraction (microseconds) where the platform has one. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
