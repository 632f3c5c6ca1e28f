import type { BinlogFiles } from '../../change/binlog-horizon.ts';
import type { ClockSample } from '../../change/clock-skew.ts';
import { PACKET_CHARACTERS } from '../../change/heartbeat-packet.ts';
import { HEARTBEAT_TABLE } from '../../change/signal-tables.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { BeatRound, BeatSession, BeatSource, BeatTarget } from '../../ports/beats.ts';
import { beatError } from './beat-error.ts';
import { takeBeatLock } from './beat-lock.ts';
import { binlogFiles } from './binlog-files.ts';
import { connectSql, type SqlRow, type SqlSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { readFacts, textOf } from './server-facts.ts';
import { SERVER_MICROS, sampleClock } from './source-clock.ts';

/** Where a line beats. */
export interface BeatOptions {
  /** Name of the line's data source. */
  readonly ds: string;
  /** Schema of umbus's own tables. */
  readonly schema: string;
  /** A statement that takes longer ends its session. */
  readonly timeoutMs: number;
  /** A session that has the right to beat and has not used it for so long is cut. */
  readonly silentMs: number;
  /** Told UMBUS_HEARTBEAT_UNLOCKED by each session that the source gives no right to beat: then the lease of the line alone keeps others from it. */
  readonly unlocked?: (notice: UmbusError) => void;
  /** Our clock: milliseconds since 1970-01-01 UTC, with a fraction. */
  readonly now: () => number;
}

/** Rows of one INSERT. */
const ROWS_AT_ONCE = 500;
const TO_MICROS = 1000;
/** A row of an INSERT; the packet has the time in milliseconds and in microseconds. */
const ROW =
  '(?, ?, ?, CONCAT(?, @us DIV 1000, ?, @us, ?), FROM_UNIXTIME(@us DIV 1000000), FROM_UNIXTIME(@us DIV 1000000))';

/**
 * Heartbeats in a MySQL or MariaDB server. The right to beat is a named lock of the server, held by the session: whoever loses its session cannot insert any more,
 * so no round is inserted twice. A holder that has died without its connection being closed is cut once it was silent for `silentMs`. Where the server gives no such lock, the session beats without.
 */
export function createMysqlBeats(source: MysqlLogin, options: BeatOptions): BeatSource {
  return {
    async open(signal) {
      const session = await connectSql(source, signal);
      const abort = (): void => session.destroy();
      signal.addEventListener('abort', abort, { once: true });
      try {
        const beats = new MysqlBeats(session, options);
        await beats.begin();
        return beats;
      } catch (error) {
        session.destroy();
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

class MysqlBeats implements BeatSession {
  readonly #session: SqlSession;
  readonly #options: BeatOptions;
  readonly #table: string;
  lastBeat = 0;

  constructor(session: SqlSession, options: BeatOptions) {
    this.#session = session;
    this.#options = options;
    this.#table = `\`${options.schema.replaceAll('`', '``')}\`.\`${HEARTBEAT_TABLE}\``;
  }

  async begin(): Promise<void> {
    const { timeoutMs } = this.#options;
    const lockSeconds = Math.max(1, Math.floor(timeoutMs / 1000));
    // The times of rows are UTC whatever the server's zone, and no row waits for long behind a lock of others.
    await this.#ask(
      `SET SESSION time_zone = '+00:00', lock_wait_timeout = ${lockSeconds}, innodb_lock_wait_timeout = ${lockSeconds}`,
    );
    const { ds, silentMs, unlocked } = this.#options;
    const notice = await takeBeatLock({
      ...{ ds, silentMs },
      ask: (sql, values) => this.#ask(sql, values),
      newestAgeMs: async () => (await this.#newest()).ageMs,
    });
    if (notice !== null) unlocked?.(notice);
    this.lastBeat = (await this.#newest()).beat;
  }

  async insert({ beat, roundMs, skewMicros, targets }: BeatRound): Promise<number> {
    const { ds } = this.#options;
    const statements: string[] = [];
    const values: string[] = [];
    for (let i = 0; i < targets.length; i += ROWS_AT_ONCE) {
      const some = targets.slice(i, i + ROWS_AT_ONCE);
      for (const target of some) {
        const parts = packetParts(ds, target, { beat, roundMs: Math.floor(roundMs), skewMicros });
        values.push(ds, target.schema, target.table, ...parts);
      }
      statements.push(
        `INSERT INTO ${this.#table} (DS_NAME, SCHEMA_NAME, TABLE_NAME, PACKET, CREATE_TIME, UPDATE_TIME) VALUES ${some.map(() => ROW).join(', ')}`,
      );
    }
    const inserts = statements.join('; ');
    const whole = statements.length === 1 ? inserts : `START TRANSACTION; ${inserts}; COMMIT`;
    const rows = await this.#ask(`SET @us = ${SERVER_MICROS}; ${whole}; SELECT @us AS us`, values);
    return Number(textOf(rows.at(-1), 'us'));
  }

  sampleClock(): Promise<ClockSample> {
    return sampleClock(sql => this.#ask(sql), this.#options.now);
  }

  async tables(schemas: readonly string[]): Promise<readonly BeatTarget[]> {
    if (schemas.length === 0) return [];
    const rows = await this.#ask(
      `SELECT table_schema AS s, table_name AS t FROM information_schema.tables
        WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema IN (?) ORDER BY 1, 2`,
      [schemas],
    );
    return rows.map(row => ({ schema: textOf(row, 's'), table: textOf(row, 't') }));
  }

  async trim(keep: number, most: number): Promise<number> {
    const { ds } = this.#options;
    const [bound] = await this.#ask(
      `SELECT ID AS id FROM ${this.#table} WHERE DS_NAME = ? ORDER BY ID DESC LIMIT 1 OFFSET ${Math.floor(keep)}`,
      [ds],
    );
    if (bound === undefined) return 0;
    const done = await this.#ask(
      `DELETE FROM ${this.#table} WHERE ID <= ${BigInt(textOf(bound, 'id'))} AND DS_NAME = ? ORDER BY ID LIMIT ${Math.floor(most)}; SELECT ROW_COUNT() AS gone`,
      [ds],
    );
    return Number(textOf(done.at(-1), 'gone'));
  }

  async binlog(): Promise<BinlogFiles | null> {
    try {
      const facts = await this.#within(readFacts(this.#session));
      const { serverMicros } = await this.sampleClock();
      return await this.#within(binlogFiles(this.#session, facts, Math.floor(serverMicros / TO_MICROS)));
    } catch (error) {
      if (isUmbusError(error, 'UMBUS_SOURCE_GRANT') || isUmbusError(error, 'UMBUS_SOURCE_SETTING'))
        return null;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The lock goes with the session; a goodbye may not be waited for, since the server may not answer.
    this.#session.destroy();
    await Promise.resolve();
  }

  async #newest(): Promise<{ readonly beat: number; readonly ageMs: number }> {
    const [row] = await this.#ask(
      `SELECT PACKET AS packet, TIMESTAMPDIFF(SECOND, CREATE_TIME, UTC_TIMESTAMP()) AS age FROM ${this.#table}
        WHERE DS_NAME = ? ORDER BY ID DESC LIMIT 1`,
      [this.#options.ds],
    );
    const beat = /"beat":(\d{1,15})/.exec(textOf(row, 'packet'))?.[1];
    const age = row === undefined ? Number.POSITIVE_INFINITY : Number(textOf(row, 'age')) * 1000;
    return { beat: Number(beat ?? 0), ageMs: age };
  }

  #ask(sql: string, values: readonly unknown[] = []): Promise<readonly SqlRow[]> {
    return this.#within(this.#session.query(sql, values));
  }

  /** A session whose answer is overdue is cut: what it was asked may still happen, but nothing comes after it. */
  async #within<T>(work: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      this.#session.destroy();
    }, timeoutMs);
    try {
      return await work;
    } catch (error) {
      throw overdue ? beatTimeout(timeoutMs, error) : beatError(error, this.#options.schema);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Digits of a time in milliseconds and one in microseconds. */
const TIME_DIGITS = 13 + 16;

/** A packet in three parts, with the source's time in milliseconds behind the first and in microseconds behind the second. */
function packetParts(
  ds: string,
  { schema, table }: BeatTarget,
  { beat, roundMs, skewMicros }: Omit<BeatRound, 'targets'>,
): readonly [string, string, string] {
  const node = `"node":${JSON.stringify(`/DBus/HeartBeat/Monitor/${ds}/${schema}/${table}/0`)},`;
  const second = `,"type":"checkpoint","txTime":${roundMs},"beat":${beat},"us":`;
  const third = skewMicros === null ? '}' : `,"skew":${skewMicros}}`;
  const length = '{"time":'.length + node.length + second.length + third.length + TIME_DIGITS;
  return [`{${length <= PACKET_CHARACTERS ? node : ''}"time":`, second, third];
}

function beatTimeout(timeoutMs: number, cause: unknown): UmbusError {
  return new UmbusError(
    'UMBUS_HEARTBEAT_TIMEOUT',
    `The source did not answer a heartbeat's statement within ${timeoutMs} ms.`,
    { cause },
  );
}
