import type { BinlogFiles } from './binlog-horizon.ts';

/** What a line notes of each round of heartbeats on `<ds>_heartbeat`. */
export type BeatRecord = BeatDone | BeatTrouble;

/** A round that the source has. */
export interface BeatDone {
  readonly kind: 'beat';
  readonly beat: number;
  /** When the round began, by the clock of whoever beats: milliseconds since 1970-01-01 UTC. */
  readonly roundMs: number;
  /** When its rows were inserted, by the source's clock: microseconds since 1970-01-01 UTC. */
  readonly micros: number;
  /** By how much the source's clock is ahead, in microseconds, and how wrong that may be; null when not known. */
  readonly skewMicros: number | null;
  readonly skewErrorMicros: number | null;
  /** How long the insert took, until the source said that it is committed. */
  readonly insertMs: number;
  readonly rows: number;
  /** The source's binlog, now and then; null when it was not looked at, or may not be. */
  readonly binlog: BinlogFiles | null;
}

/** The first of several rounds that failed alike. */
export interface BeatTrouble {
  readonly kind: 'trouble';
  readonly code: string;
  readonly message: string;
  /** By the clock of whoever beats: milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
}
