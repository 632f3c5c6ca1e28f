import type { Buffer } from 'node:buffer';
import type { PullSignal } from '../change/pull-signal.ts';
import type { RawTable } from '../change/raw-run.ts';
import type { KeyLiterals, KeyRange } from '../sharding/key-range.ts';

/** A table as it is now, ready to be cut and read. */
export interface PullTable {
  readonly schema: string;
  readonly table: string;
  /** Rows by the server's own estimate. */
  readonly rowsEstimate: number;
  /** Whether a key tells its rows apart, in its binlog too. */
  readonly keyed: boolean;
  /** What it is cut by now: bounds of shards hold for a table that is cut by the same. */
  readonly cutBy: string;
  /** The entry of its pages. */
  readonly page: RawTable;
  /** Which of its columns the images have, as the bitmap of a row event; null: all of them. */
  readonly present: Uint8Array | null;
  /** Checks a condition on the server without reading rows. Errors: UMBUS_PULL_CONDITION, UMBUS_SOURCE_*. */
  check(condition: string): Promise<void>;
  /** The key of the last row of the shard of `rows` rows behind a key; null when the rest is smaller, or the table has nothing to be cut by. Errors: UMBUS_SOURCE_*, UMBUS_PULL_KEY. */
  boundary(after: KeyLiterals | null, rows: number): Promise<KeyLiterals | null>;
  /**
   * Begins to read a range in key order, at most `limit` rows; a table that is not cut as a whole, in no order. When it resolves the server reads as of one moment, which lies between the call and now. Errors: UMBUS_SOURCE_*,
   * UMBUS_PULL_CONDITION.
   */
  read(range: KeyRange, condition: string | null, limit: number): Promise<PullRows>;
}

/** The rows of a range, page by page. Disposing it cuts the connection. */
export interface PullRows extends AsyncDisposable {
  /** The next rows, up to about `maxBytes`; null when there are no more. Errors: UMBUS_SOURCE_*. */
  page(maxBytes: number): Promise<PulledPage | null>;
}

/** Some rows. */
export interface PulledPage {
  /** Row images, one after the other, behind the bitmap of `PullTable.present` where columns are absent. The caller's from now on: memory of `eventsBuffer`, in which its run is encoded. */
  readonly events: Buffer;
  readonly rows: number;
  /** The key of the last of them; [] in a table that is not cut. */
  readonly last: KeyLiterals;
}

/** A source that tables are pulled from. */
export interface PullSource extends AsyncDisposable {
  /**
   * The table as it is now. `columns`: those to read, beside those of its keys; [] for all. Errors: UMBUS_PULL_TABLE (not there), UMBUS_PULL_COLUMN, UMBUS_SOURCE_SETTING for a source whose row images are not full, UMBUS_SOURCE_*,
   * UMBUS_BINLOG_TYPE, UMBUS_BINLOG_CHARSET.
   */
  table(
    schema: string,
    table: string,
    splitBy: readonly string[],
    columns: readonly string[],
  ): Promise<PullTable>;
  /**
   * Waits until rows that are read from now on are not older than the watermark of a token, which was written. Errors: UMBUS_PULL_REPLICA when it takes too long, UMBUS_SOURCE_*; the signal's
   * reason.
   */
  reached(token: string, signal: AbortSignal): Promise<void>;
  /**
   * Does something while nobody changes a row of a table; null when those who do went on for too long. What changes are waits until then, so the work should be short. Errors: UMBUS_SOURCE_GRANT, UMBUS_SOURCE_*; those of the
   * work.
   */
  quiet<T>(schema: string, table: string, work: () => Promise<T>, signal: AbortSignal): Promise<T | null>;
  /** Writes a watermark into the source; it is committed when this resolves. Errors: UMBUS_SOURCE_*. */
  signal(signal: PullSignal): Promise<void>;
}
