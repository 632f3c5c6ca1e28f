/** Bounds of the wait between attempts. */
export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** 0 up to 1, from a seedable source. */
  readonly random: () => number;
}

/** The default bounds: 100 ms to 10 s. */
export const backoffBounds = { minMs: 100, maxMs: 10_000 } as const;

/** The wait before attempt `attempt` (from 1): doubles each time up to the maximum, of which a random half is left out so that many do not return at once. */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const full = Math.min(options.maxMs, options.minMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * options.random();
}
