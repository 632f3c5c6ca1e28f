import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';
import type { LogRecord, Writer } from '../ports/log.ts';
import type { Erased, Stage } from '../topology/graph.ts';
import { noBytes } from '../topology/serdes.ts';
import type { ExternalConnection, Rec } from '../topology/types.ts';
import { safeMessageOf } from './dead-letter.ts';
import { keptAt } from './external-kept.ts';
import { ExternalTask, reopens } from './external-task.ts';
import { InFlight } from './in-flight.ts';
import { giveBackValues, SEQ_HEADER } from './outputs.ts';
import type { RunnerOptions } from './runner.ts';
import type { ExternalSnapshot } from './snapshot.ts';
import { taskEnvironmentOf } from './task-environment.ts';
import { specOf } from './topic-spec.ts';
import { Waker } from './waker.ts';

type ExternalStage = Extract<Stage, { kind: 'external' }>;

/** Reading stops while so many bytes are on their way to the log. */
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;
/** While this many appends are in flight, a source that has nothing ready is not flushed: what comes meanwhile shares the next append. */
const MAX_IDLE_APPENDS = 1;
/** The record to go on from is the furthest of so many: on a log without transactions the very last may be an older one, written again. */
const TAIL_RECORDS = 8;

/** The record with the highest seq, the last of equals; null when there is none. */
function furthest(records: readonly LogRecord[]): LogRecord | null {
  let best: LogRecord | null = null;
  for (const record of records) {
    const seq = record.headers[SEQ_HEADER] ?? noBytes;
    if (best === null || Buffer.compare(seq, best.headers[SEQ_HEADER] ?? noBytes) >= 0) best = record;
  }
  return best;
}

/** How a {@link Reading} ended. */
export type End =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** One opening of an external source: from the tail until it ends, fails, or is stopped. */
export class Reading {
  readonly #options: RunnerOptions;
  readonly #stage: ExternalStage;
  readonly #stopping: AbortSignal;
  /** The end of the right to write; null where nobody else may want it. */
  readonly #lost: AbortSignal | null;
  readonly #waker = new Waker();
  readonly #torn = new AbortController();
  readonly #inFlight: InFlight;
  #inFlightBytes = 0;
  #failure: { readonly error: unknown } | null = null;
  #connected = false;
  #arrived: { readonly value: Erased } | null = null;
  #pending = false;
  /** Whether something was processed since the last flush. */
  #unflushed = false;
  /** Seq of the newest durable record, as hex; null when there is none. */
  durableSeq: string | null;

  constructor(
    options: RunnerOptions,
    stage: ExternalStage,
    stopping: AbortSignal,
    lost: AbortSignal | null,
    durableSeq: string | null,
  ) {
    this.durableSeq = durableSeq;
    this.#lost = lost;
    this.#options = options;
    this.#stage = stage;
    this.#stopping = stopping;
    this.#inFlight = new InFlight(error => this.#fail(error));
  }

  /** Never rejects. When it resolves, everything that was emitted is durable or has failed; once the right to write has ended, nothing more is written. */
  async run(): Promise<End> {
    const forward = (): void => this.#torn.abort();
    const lose = (): void => {
      this.#fail(this.#lost?.reason);
      this.#torn.abort();
    };
    this.#stopping.addEventListener('abort', forward);
    this.#lost?.addEventListener('abort', lose);
    try {
      this.#lost?.throwIfAborted();
      await using writer = await this.#options.log.openWriter(this.#options.groupName);
      const tail = await this.#tail();
      this.durableSeq = tail === null ? null : Buffer.from(tail.seq).toString('hex');
      const kept = await keptAt(this.#options.log, this.#stage.source.keeps, tail, this.#torn.signal);
      await using connection = await this.#stage.source.open(tail, this.#torn.signal, kept);
      return await this.#read(writer, connection, tail);
    } catch (error) {
      // What was on its way when the stop came, such as the opening of the source, ends with the signal's reason.
      const broken = reopens(error) || error === this.#torn.signal.reason;
      return this.#stopping.aborted && broken
        ? { kind: 'stopped' }
        : { kind: 'failed', error: this.#failure?.error ?? error };
    } finally {
      this.#connected = false;
      this.#stopping.removeEventListener('abort', forward);
      this.#lost?.removeEventListener('abort', lose);
      this.#torn.abort();
    }
  }

  async #tail(): Promise<Rec<Erased, Erased> | null> {
    const { resumeFrom } = this.#stage.source;
    const newest = await this.#options.log.tail({ topic: resumeFrom.name, partition: 0 }, TAIL_RECORDS);
    const record = furthest(newest);
    if (record === null) return null;
    const { timestampMs, headers } = record;
    try {
      const key = resumeFrom.key.decode(record.key ?? noBytes);
      const value = resumeFrom.value.decode(record.value ?? noBytes);
      const topic = resumeFrom.name;
      const seq = headers[SEQ_HEADER] ?? noBytes;
      return { key, value, topic, offset: record.offset, timestampMs, seq, headers };
    } catch (cause) {
      throw new UmbusError(
        'UMBUS_TOPOLOGY_DECODE',
        `The source '${this.#stage.name}' cannot go on: the last record of ${resumeFrom.name}, at offset ${record.offset}, does not decode: ${safeMessageOf(cause)}`,
        { cause, details: { topic: resumeFrom.name, partition: 0, offset: record.offset } },
      );
    }
  }

  async #read(
    writer: Writer,
    connection: ExternalConnection<Erased>,
    tail: Rec<Erased, Erased> | null,
  ): Promise<End> {
    const { graph, events, config, working } = this.#options;
    const task = new ExternalTask(
      taskEnvironmentOf(this.#options, this.#torn.signal),
      this.#stage,
      tail?.seq ?? null,
    );
    this.#connected = true;
    working(true);
    events.connected?.({ topology: graph.name, stage: this.#stage.name });
    let end: End | null = null;
    try {
      while (end === null) {
        config.apply();
        end = await this.#turn(writer, connection, task);
      }
      // The connection ended in order, so what the processors hold is whole.
      if (this.#failure === null) task.flush();
    } catch (error) {
      // The processors broke off, so they are not flushed; what they emitted before is whole.
      this.#failure ??= { error };
    }
    if (this.#lost?.aborted !== true) this.#append(writer, task);
    await this.#inFlight.settled();
    return this.#failure === null
      ? (end ?? { kind: 'ended' })
      : { kind: 'failed', error: this.#failure.error };
  }

  /** Does what is to be done now, or waits until there is something. */
  async #turn(
    writer: Writer,
    connection: ExternalConnection<Erased>,
    task: ExternalTask,
  ): Promise<End | null> {
    if (this.#failure !== null) return { kind: 'failed', error: this.#failure.error };
    if (this.#stopping.aborted) return { kind: 'stopped' };
    const nowMs = this.#options.clock.now();
    if (task.nextWallMs !== null && task.nextWallMs <= nowMs) {
      task.punctuateWall(nowMs);
      this.#unflushed = true;
    }
    if (this.#arrived !== null) {
      const { value } = this.#arrived;
      this.#arrived = null;
      if (value === null) return { kind: 'ended' };
      task.process(value);
      this.#unflushed = true;
    }
    if (this.#flushDue(connection, task)) {
      task.flush();
      this.#append(writer, task);
      this.#unflushed = false;
    }
    if (this.#inFlightBytes >= MAX_IN_FLIGHT_BYTES) {
      await this.#waker.wait();
      return null;
    }
    if (!this.#pending) this.#startRead(connection);
    await this.#waitUntil(task.nextWallMs);
    return null;
  }

  #flushDue(connection: ExternalConnection<Erased>, task: ExternalTask): boolean {
    if (task.outputs.bytes >= this.#options.graph.commit.maxBytes) return true;
    return this.#unflushed && !connection.ready && this.#inFlight.size <= MAX_IDLE_APPENDS;
  }

  #startRead(connection: ExternalConnection<Erased>): void {
    this.#pending = true;
    connection.read().then(
      value => {
        this.#pending = false;
        this.#arrived = { value };
        this.#waker.wake();
      },
      error => {
        this.#pending = false;
        this.#fail(error);
      },
    );
  }

  async #waitUntil(dueMs: number | null): Promise<void> {
    if (dueMs === null) {
      await this.#waker.wait();
      return;
    }
    const timer = new AbortController();
    void this.#options.clock.sleep(Math.max(0, dueMs - this.#options.clock.now()), timer.signal).then(() => {
      if (!timer.signal.aborted) this.#waker.wake();
    });
    await this.#waker.wait();
    timer.abort();
  }

  #append(writer: Writer, task: ExternalTask): void {
    const { records, bytes, topics } = task.outputs.take(false);
    if (records.length === 0) return;
    const { log, clock, events, counts, graph, groupName } = this.#options;
    const read = task.takeRecords();
    const seq = Buffer.from(task.seq).toString('hex');
    const startedMs = clock.now();
    this.#inFlightBytes += bytes;
    const durable = async (): Promise<void> => {
      try {
        if (topics.length > 0) await log.ensureTopics(topics.map(specOf));
        await writer.append(records);
      } finally {
        this.#inFlightBytes -= bytes;
        this.#waker.wake();
      }
      giveBackValues(records);
      this.durableSeq = seq;
      counts.commits += 1;
      counts.outputs += records.length;
      counts.bytes += bytes;
      events.committed?.({
        topology: graph.name,
        group: groupName,
        records: read,
        outputs: records.length,
        bytes,
        durationMs: clock.now() - startedMs,
      });
    };
    this.#inFlight.add(
      topics.length > 0 || this.#inFlight.ordered ? this.#inFlight.afterAll(durable) : durable(),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waker.wake();
  }

  wake(): void {
    this.#waker.wake();
  }

  snapshot(): ExternalSnapshot {
    return {
      stage: this.#stage.name,
      connected: this.#connected,
      standby: false,
      inFlightBytes: this.#inFlightBytes,
      seq: this.durableSeq,
    };
  }
}
