import { Buffer } from 'node:buffer';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogRecord, RecordBatch } from '../../ports/log.ts';
import type { Cell } from '../cell-coordination/cell-store.ts';
import { closedError } from '../cell-coordination/limits.ts';

/** Header with the id of a write: who wrote finds its own record by it. */
export const WRITE_HEADER = 'write';

const READ_BYTES = 1_048_576;
/** A read waits so long for a record, and not when somebody waits for the end: what lies before the end may be no record. */
const IDLE_WAIT_MS = 1_000;
const HURRIED_WAIT_MS = 10;
const RETRY_MS = 250;
/** How long one call waits for a log that does not answer. */
const PATIENCE_MS = 30_000;

/** A path as its newest record says; the value is null after a removal. */
export interface TailedCell {
  readonly path: string;
  readonly value: Uint8Array | null;
  readonly version: bigint;
}

/** A write that its writer looks for in the log. */
export interface ExpectedWrite extends Disposable {
  /** The version that it has given its path; null as long as it was not read. */
  readonly version: bigint | null;
}

/**
 * Reads the topic of the cells as it grows. The key of a record is the path, the newest record of a path is its cell, and the version is the
 * offset after it: so the order of the log is the order of changes, and compaction takes away nothing but what has been overwritten.
 */
export class CellTail {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #cells = new Map<string, TailedCell>();
  readonly #expected = new Map<string, { version: bigint | null }>();
  readonly #waiting = new Set<() => void>();
  readonly #closed = new AbortController();
  readonly #reading: Promise<void>;
  #position = 0n;
  /** Reads that were begun and have ended, and the number of the last that found nothing. */
  #reads = 0;
  #emptyRead = 0;
  #revision = 0n;
  #problem: unknown = null;
  /** Callers that wait for the end, and what ends an idle read for them. */
  #hurried = 0;
  #idling: AbortController | null = null;

  constructor(log: Log, clock: Clock, topic: string) {
    this.#log = log;
    this.#clock = clock;
    this.#topic = topic;
    this.#reading = this.#read();
  }

  get revision(): bigint {
    return this.#revision;
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** As of what was read; see {@link caughtUp}. */
  get(path: string): TailedCell | null {
    return this.#cells.get(path) ?? null;
  }

  /** Cells that exist. */
  *all(): Iterable<Cell> {
    for (const { path, value, version } of this.#cells.values()) {
      if (value !== null) yield { path, value, version };
    }
  }

  /** Looks out for the record with this id, until it is disposed. */
  expect(write: string): ExpectedWrite {
    const expected: { version: bigint | null } = { version: null };
    this.#expected.set(write, expected);
    return {
      get version() {
        return expected.version;
      },
      [Symbol.dispose]: () => {
        this.#expected.delete(write);
      },
    };
  }

  /** Resolves when everything has been read that was in the log at the call. Errors: UMBUS_COORDINATION_UNREACHABLE, UMBUS_COORDINATION_CLOSED. */
  async caughtUp(): Promise<void> {
    const end = await this.#end();
    // Offsets at the end may be taken by what is no record; a read that was begun later and found nothing has passed them.
    const begun = this.#reads + 1;
    const reached = (): boolean => this.#position >= end || this.#emptyRead > begun;
    if (reached()) return;
    this.#hurried += 1;
    this.#idling?.abort();
    try {
      await this.until(reached);
    } finally {
      this.#hurried -= 1;
    }
  }

  /** Resolves when `condition` holds; it is asked after each read. */
  async until(condition: () => boolean): Promise<void> {
    const timer = new AbortController();
    const patience = this.#clock.sleep(PATIENCE_MS, timer.signal).then(() => this.#unanswered());
    patience.catch(() => {});
    try {
      while (!condition()) {
        this.#assertOpen();
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting.add(resolve);
        try {
          await Promise.race([promise, patience]);
        } finally {
          this.#waiting.delete(resolve);
        }
      }
      this.#assertOpen();
    } finally {
      timer.abort();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#idling?.abort();
    this.#wake();
    await this.#reading;
  }

  async #end(): Promise<bigint> {
    this.#assertOpen();
    try {
      return await this.#log.offset({ topic: this.#topic, partition: 0 }, 'latest');
    } catch (error) {
      throw isUmbusError(error, 'UMBUS_LOG_CLOSED') ? closedError() : this.#unreachable(error);
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const number = this.#reads + 1;
      try {
        const from = { topic: this.#topic, partition: 0, offset: this.#position };
        const maxWaitMs = this.#hurried > 0 ? HURRIED_WAIT_MS : IDLE_WAIT_MS;
        const stop = new AbortController();
        this.#idling = maxWaitMs === IDLE_WAIT_MS ? stop : null;
        const batch = await this.#log.read(from, { maxBytes: READ_BYTES, maxWaitMs }, stop.signal);
        this.#reads = number;
        this.#apply(batch, stop.signal.aborted ? 0 : number);
        this.#problem = null;
      } catch (error) {
        this.#problem = error;
        if (isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE')) await this.#restart();
        await this.#clock.sleep(RETRY_MS, signal);
      }
      this.#wake();
    }
  }

  /** `number`: that of the read; 0 when it was broken off. */
  #apply(batch: RecordBatch, number: number): void {
    for (const record of batch.records) this.#applyRecord(record);
    this.#position = batch.nextOffset;
    if (batch.records.length === 0) this.#emptyRead = Math.max(this.#emptyRead, number);
    else this.#revision += 1n;
  }

  #applyRecord({ key, value, offset, headers }: LogRecord): void {
    const path = Buffer.from(key ?? []).toString();
    const version = offset + 1n;
    this.#cells.set(path, { path, value, version });
    const expected = this.#expected.get(Buffer.from(headers[WRITE_HEADER] ?? []).toString());
    if (expected !== undefined) expected.version = version;
  }

  /** The front of a compacted topic goes only when somebody deletes it; what is kept is read from there. */
  async #restart(): Promise<void> {
    try {
      this.#position = await this.#log.offset({ topic: this.#topic, partition: 0 }, 'earliest');
    } catch (error) {
      this.#problem = error;
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #assertOpen(): void {
    if (this.#closed.signal.aborted) throw closedError();
  }

  #unanswered(): never {
    throw this.#unreachable(this.#problem);
  }

  #unreachable(cause: unknown): UmbusError {
    const why = cause === null ? 'it does not answer' : messageOf(cause);
    return new UmbusError(
      'UMBUS_COORDINATION_UNREACHABLE',
      `The topic ${this.#topic}, which holds shared cells, cannot be used: ${why}`,
      { cause, details: { topic: this.#topic } },
    );
  }
}
