import { Buffer } from 'node:buffer';

/** Header of records on `<ds>.<schema>` with signals: when the dispatcher wrote them, microseconds since 1970-01-01 UTC as digits. */
export const DISPATCHED_HEADER = 'dispatched';
/** Header of heartbeats on result topics: {@link BeatStamps} as JSON. */
export const BEAT_HEADER = 'beat';

/** What was counted between two heartbeats of a table: rows (before images do not count), bytes, events parked, values published as marks. */
export interface HopCounts {
  readonly rows: number;
  readonly bytes: number;
  readonly errors: number;
  readonly warnings: number;
}

/** When a heartbeat passed each hop, and what was counted since the one before. Times are microseconds since 1970-01-01 UTC, null where a hop did not say. */
export interface BeatStamps extends HopCounts {
  readonly beat: number;
  /** By the source's clock, which was `skew` microseconds ahead; null: not measured. */
  readonly us: number;
  readonly skew: number | null;
  readonly captured: number | null;
  readonly dispatched: number | null;
  readonly appended: number;
}

/** A time in microseconds as the header has it. */
export function stampBytes(micros: number): Buffer {
  return Buffer.from(String(micros), 'latin1');
}

/** The time of a header; null when it is missing or no number. */
export function stampOf(bytes: Uint8Array | undefined): number | null {
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString('latin1');
  return /^\d{1,16}$/.test(text) ? Number(text) : null;
}

export function beatBytes(stamps: BeatStamps): Buffer {
  return Buffer.from(JSON.stringify(stamps), 'utf8');
}

/** Reads {@link beatBytes}; null for anything else. */
export function beatStampsOf(bytes: Uint8Array | undefined): BeatStamps | null {
  if (bytes === undefined) return null;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null) return null;
  const number = (name: string): number | null => {
    const value = (json as Record<string, unknown>)[name]; // an object, as was checked
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  const us = number('us');
  const appended = number('appended');
  if (us === null || appended === null) return null;
  return {
    beat: number('beat') ?? 0,
    us,
    skew: number('skew'),
    captured: number('captured'),
    dispatched: number('dispatched'),
    appended,
    rows: number('rows') ?? 0,
    bytes: number('bytes') ?? 0,
    errors: number('errors') ?? 0,
    warnings: number('warnings') ?? 0,
  };
}
