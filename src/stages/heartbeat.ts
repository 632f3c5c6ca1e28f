import type { BeatDone, BeatRecord } from '../change/beat-record.ts';
import { type ClockSkew, SkewFilter } from '../change/clock-skew.ts';
import { isUmbusError, messageOf, UmbusError } from '../core/errors.ts';
import type { BeatSession, BeatSource } from '../ports/beats.ts';
import type { Clock } from '../ports/clock.ts';
import type { ExternalConnection, ExternalSource, Topic } from '../topology/types.ts';
import { type RoundOptions, roundTargets, tablesToName } from './heartbeat-round.ts';

/** When the next round is due after a time, both in milliseconds since 1970-01-01 UTC; null: never. */
export type BeatSchedule = (afterMs: number) => number | null;

/** How a line beats. */
export interface HeartbeatOptions extends RoundOptions {
  readonly beats: BeatSource;
  readonly clock: Clock;
  readonly schedule: BeatSchedule;
  /** `<ds>_heartbeat`: what is noted of each round. */
  readonly topic: Topic<string, BeatRecord>;
  readonly subscribed: (schema: string, table: string) => boolean;
  /** Rows of the line that the source keeps. */
  readonly keep: number;
  /** Told when rounds begin to fail, or fail otherwise, and null when they work again. */
  readonly tell?: (trouble: UmbusError | null) => void;
}

/** Every so often the tables are listed, and the binlog is looked at. */
const TABLES_EVERY_MS = 30_000;
const BINLOG_EVERY_MS = 30_000;
/** Old rows are deleted every so many rounds, so many at a time: rarely, and never for long. */
const TRIM_EVERY = 100;
const TRIM_ROWS = 1000;
const TRIM_TIMES = 20;
/** What is noted of a round waits for so long at the most. */
const NOTE_WAIT_MS = 100;
/** So many questions for the time when a session begins, and one a round after. */
const FIRST_SAMPLES = 5;

/**
 * The external source of the heartbeat topology: at each time of the schedule it inserts a round of heartbeats and gives what is to be noted. A source that cannot be
 * reached, takes no writes or lacks the table ends nothing: the trouble is given once, and the next round tries again.
 */
export function heartbeatSource(options: HeartbeatOptions): ExternalSource<BeatRecord, string, BeatRecord> {
  return {
    resumeFrom: options.topic,
    open: (_tail, signal) => Promise.resolve(new Beating(options, signal)),
  };
}

class Beating implements ExternalConnection<BeatRecord> {
  readonly #options: HeartbeatOptions;
  readonly #ended = new AbortController();
  #session: BeatSession | null = null;
  /** Of the session: rounds so far, what was named, when it looked at something last. */
  #beat = 0;
  #named = new Set<string>();
  #tablesMs = Number.NEGATIVE_INFINITY;
  #binlogMs = Number.NEGATIVE_INFINITY;
  #skew = new SkewFilter();
  #dueMs: number;
  #trouble = '';
  #upkeepTrouble = '';

  constructor(options: HeartbeatOptions, signal: AbortSignal) {
    this.#options = options;
    this.#dueMs = options.clock.now();
    signal.addEventListener('abort', () => this.#end(), { once: true });
    if (signal.aborted) this.#end();
  }

  /** The next round is always waited for, so what is noted is written at once. */
  get ready(): boolean {
    return false;
  }

  async read(): Promise<BeatRecord | null> {
    const { clock, schedule } = this.#options;
    for (;;) {
      // Rounds that were missed are left out: a late heartbeat says nothing.
      const due = schedule(Math.max(this.#dueMs, clock.now() - 1));
      if (due === null) await untilAborted(this.#ended.signal);
      else await clock.sleep(due - clock.now(), this.#ended.signal);
      if (this.#ended.signal.aborted || due === null) return null;
      this.#dueMs = due;
      try {
        const done = await this.#round();
        await this.#letPass(due);
        if (this.#trouble !== '') this.#options.tell?.(null);
        this.#trouble = '';
        return done;
      } catch (error) {
        this.#close();
        if (this.#ended.signal.aborted) return null;
        const record = this.#told(error);
        if (record !== null) return record;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await Promise.resolve();
  }

  /** The note would be committed while the heartbeat is on its way and hold it up, so it waits a little, but not for the next round. */
  async #letPass(due: number): Promise<void> {
    const { clock, schedule } = this.#options;
    const next = schedule(due) ?? due + NOTE_WAIT_MS;
    await clock.sleep(Math.min(NOTE_WAIT_MS, (next - due) / 4), this.#ended.signal);
  }

  async #round(): Promise<BeatDone> {
    const { clock } = this.#options;
    const roundMs = clock.now();
    const session = this.#session ?? (await this.#open());
    const skew = await this.#clockSkew(session);
    const targets = [...(await this.#newTables(session)), ...roundTargets(this.#options)];
    const beat = this.#beat + 1;
    const sentMs = clock.now();
    const micros = await session.insert({ beat, roundMs, skewMicros: skew?.skewMicros ?? null, targets });
    const insertMs = clock.now() - sentMs;
    this.#beat = beat;
    for (const { schema, table } of targets) this.#named.add(`${schema}.${table}`);
    return {
      kind: 'beat',
      beat,
      roundMs,
      micros,
      skewMicros: skew?.skewMicros ?? null,
      skewErrorMicros: skew?.errorMicros ?? null,
      insertMs,
      rows: targets.length,
      binlog: await this.#upkeep(session, beat),
    };
  }

  /** What may fail without harm to the round, which the source has already. */
  async #upkeep(session: BeatSession, beat: number): Promise<BeatDone['binlog']> {
    try {
      if (beat % TRIM_EVERY === 0) await this.#trim(session);
      return await this.#binlog(session);
    } catch (error) {
      this.#close();
      const trouble = coded(error);
      if (trouble.code !== this.#upkeepTrouble) this.#options.tell?.(trouble);
      this.#upkeepTrouble = trouble.code;
      return null;
    }
  }

  async #trim(session: BeatSession): Promise<void> {
    for (let i = 0; i < TRIM_TIMES; i++) {
      if ((await session.trim(this.#options.keep, TRIM_ROWS)) < TRIM_ROWS) return;
    }
  }

  async #open(): Promise<BeatSession> {
    const session = await this.#options.beats.open(this.#ended.signal);
    this.#session = session;
    this.#beat = session.lastBeat;
    this.#named = new Set();
    this.#tablesMs = Number.NEGATIVE_INFINITY;
    this.#skew = new SkewFilter();
    for (let i = 1; i < FIRST_SAMPLES; i++) this.#skew.add(await session.sampleClock());
    return session;
  }

  async #clockSkew(session: BeatSession): Promise<ClockSkew | null> {
    return this.#skew.add(await session.sampleClock());
  }

  async #newTables(session: BeatSession) {
    const { clock, schemas, subscribed } = this.#options;
    if (clock.now() - this.#tablesMs < TABLES_EVERY_MS) return [];
    const tables = await session.tables(schemas);
    this.#tablesMs = clock.now();
    return tablesToName(tables, subscribed, this.#named);
  }

  async #binlog(session: BeatSession): Promise<BeatDone['binlog']> {
    const { clock } = this.#options;
    if (clock.now() - this.#binlogMs < BINLOG_EVERY_MS) return null;
    this.#binlogMs = clock.now();
    return await session.binlog();
  }

  /** The trouble as it is noted; null when it was noted before. */
  #told(error: unknown): BeatRecord | null {
    const trouble = coded(error);
    if (trouble.code === this.#trouble) return null;
    this.#trouble = trouble.code;
    this.#options.tell?.(trouble);
    return {
      kind: 'trouble',
      code: trouble.code,
      message: trouble.message,
      atMs: this.#options.clock.now(),
    };
  }

  #close(): void {
    const session = this.#session;
    this.#session = null;
    // A session that failed is cut, which cannot fail again.
    void session?.[Symbol.asyncDispose]();
  }

  #end(): void {
    this.#ended.abort();
    this.#close();
  }
}

function coded(error: unknown): UmbusError {
  if (isUmbusError(error)) return error;
  return new UmbusError('UMBUS_INTERNAL', `A round of heartbeats failed: ${messageOf(error)}.`, {
    cause: error,
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
