/**
 * The source as the place where a line's heart beats: one session at a time that inserts heartbeat rows, and tells what only the source knows of itself. The adapter
 * for MySQL and MariaDB is in adapters/mysql.
 */
import type { BinlogFiles } from '../change/binlog-horizon.ts';
import type { ClockSample } from '../change/clock-skew.ts';

/** A row to insert: one table, or all of them where a name is `*`. */
export interface BeatTarget {
  readonly schema: string;
  readonly table: string;
}

/** One round of heartbeats. */
export interface BeatRound {
  /** From 1; greater than that of any round before. */
  readonly beat: number;
  /** When the round began, by our clock: milliseconds since 1970-01-01 UTC. */
  readonly roundMs: number;
  /** By how much the source's clock is ahead of ours, in microseconds; null when not known. */
  readonly skewMicros: number | null;
  readonly targets: readonly BeatTarget[];
}

/** A session that may beat. Every call fails when it takes longer than the source's time limit, and the session is useless after. */
export interface BeatSession extends AsyncDisposable {
  /** Number of the newest round that the source has of this line; 0 for none. */
  readonly lastBeat: number;
  /** Inserts the rows of a round, in one transaction. Gives when, by the source's clock: microseconds since 1970-01-01 UTC. */
  insert(round: BeatRound): Promise<number>;
  /** Asks the source for its time. */
  sampleClock(): Promise<ClockSample>;
  /** Tables of schemas, as the source has them now. */
  tables(schemas: readonly string[]): Promise<readonly BeatTarget[]>;
  /** Deletes old rows of this line, at most `most` of them, so that the newest `keep` stay. Gives how many it deleted. */
  trim(keep: number, most: number): Promise<number>;
  /** The binlog files, and how long they are kept; null where the account may not see them. */
  binlog(): Promise<BinlogFiles | null>;
}

/** Where heartbeats are written to. */
export interface BeatSource {
  /**
   * Takes the right to beat. Errors: UMBUS_SOURCE_*; UMBUS_HEARTBEAT_TABLE (the table is not there, or is another), UMBUS_HEARTBEAT_READ_ONLY, UMBUS_HEARTBEAT_TIMEOUT,
   * UMBUS_HEARTBEAT_HELD while another session beats for the line.
   */
  open(signal: AbortSignal): Promise<BeatSession>;
}
