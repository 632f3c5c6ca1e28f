/** A line in which nothing is wrong, as alarms see it. */
import type { LogSeen, SourceSeen } from '../../src/telemetry/alarms/observation.ts';

/** When it is looked at, in milliseconds of Unix time. */
export const OBSERVED_MS = 1_700_000_000_000;

/** Its source, which answers. */
export const sourceUp: Extract<SourceSeen, { readonly reachable: true }> = {
  reachable: true,
  file: 'binlog.000002',
  position: 500,
  lagBytes: 0,
  positionGone: false,
  replica: null,
};

/** Its log, with what was landed last captured at `capturedMs`. */
export function logSeen(capturedMs: number, parts: Partial<LogSeen> = {}): LogSeen {
  return {
    landed: { file: 'binlog.000002', position: 500, capturedMs },
    lags: [],
    tables: [],
    held: [],
    heartbeat: null,
    space: { usedBytes: 10, maxBytes: 100, diskFreeBytes: 10_000 },
    purge: null,
    ...parts,
  };
}
