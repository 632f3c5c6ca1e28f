import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, OutgoingRecord, Writer } from '../../ports/log.ts';
import { type Cell, type CellStore, isWithin, type WriteResult } from '../cell-coordination/cell-store.ts';
import { closedError } from '../cell-coordination/limits.ts';
import { CellTail, WRITE_HEADER } from './cell-tail.ts';
import { PathWriters } from './path-writers.ts';

/** How often a write is tried that another writer fences, or whose outcome is unknown. */
const ATTEMPTS = 40;
/** Longest wait before the second attempt; it doubles up to the last one. Who waits takes a random part of it, so that contenders do not fence each other in step. */
const PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 1_280;

/**
 * Cells in a topic. Who writes a path on a condition does it through the fenced writer of the path: opening it refuses all others and waits for what
 * they have on its way, then the topic is read to its end, and what it says then stays so until this writer appends or is refused itself. So the condition is
 * checked before the record is written, every record in the topic counts, and readers need no rule but that the newest wins.
 */
export class LogCells implements CellStore {
  readonly self = null;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #tail: CellTail;
  readonly #writers: PathWriters;
  /** Writers of a path take turns. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #ownWriter = `process/${randomUUID()}`;

  constructor(log: Log, clock: Clock, topic: string) {
    this.#clock = clock;
    this.#topic = topic;
    this.#tail = new CellTail(log, clock, topic);
    this.#writers = new PathWriters(log);
  }

  async read(path: string): Promise<Cell | null> {
    await this.#tail.caughtUp();
    const cell = this.#tail.get(path);
    return cell === null || cell.value === null ? null : { path, value: cell.value, version: cell.version };
  }

  async readAll(prefix: string): Promise<readonly Cell[]> {
    await this.#tail.caughtUp();
    return [...this.#tail.all()].filter(({ path }) => isWithin(path, prefix));
  }

  async write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<WriteResult> {
    return await this.#inTurn(path, () => this.#write(path, value, ifVersion));
  }

  async note(path: string, value: Uint8Array | null): Promise<void> {
    // The last in the log wins, whoever writes: no other writer needs to be refused.
    await this.#inTurn(this.#ownWriter, async () => {
      const id = `${this.#topic}/${this.#ownWriter}`;
      const writer = this.#writers.kept(id) ?? (await this.#writers.open(id));
      try {
        await writer.append([this.#record(path, value, randomUUID())]);
      } catch (error) {
        await this.#writers.drop(id);
        throw this.#failed(path, error);
      }
    });
    await this.#tail.caughtUp();
  }

  revision(): bigint {
    return this.#tail.revision;
  }

  async changed(since: bigint, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#tail.closed]);
    const { promise, resolve } = Promise.withResolvers<void>();
    stop.addEventListener('abort', () => resolve(), { once: true });
    if (stop.aborted) return;
    const change = this.#tail.until(() => stop.aborted || this.#tail.revision !== since);
    // A tail that cannot go on is found out by the next read.
    await Promise.race([promise, change.catch(() => {})]);
  }

  isDead(): boolean {
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail.close();
    await Promise.allSettled(this.#turns.values());
    await this.#writers.close();
  }

  async #write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<WriteResult> {
    const write = randomUUID();
    using expected = this.#tail.expect(write);
    const id = `${this.#topic}/path/${path}`;
    for (let attempt = 1; ; attempt += 1) {
      const overtaken = expected.version === null ? this.#overtaken(path, ifVersion) : null;
      if (overtaken !== null) return overtaken;
      try {
        const writer = await this.#writer(id);
        // An append whose outcome was unknown may have been done after all.
        if (expected.version === null) {
          const cell = this.#tail.get(path);
          const found = cell === null || cell.value === null ? 0n : cell.version;
          if (ifVersion !== null && ifVersion !== found) return { done: false, found };
          await writer.append([this.#record(path, value, write)]);
          await this.#tail.until(() => expected.version !== null);
        }
        if (expected.version !== null) return { done: true, version: expected.version };
      } catch (error) {
        await this.#writers.drop(id);
        const again = isUmbusError(error) && (error.retryable || error.code === 'UMBUS_LOG_FENCED');
        if (!again || attempt >= ATTEMPTS || this.#tail.closed.aborted) throw this.#failed(path, error);
        const longestMs = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (attempt - 1));
        await this.#clock.sleep(Math.random() * longestMs, this.#tail.closed);
      }
    }
  }

  /** A condition that what was read shows to be overtaken needs no writer, which would only refuse one that can go on. Null when it may hold. */
  #overtaken(path: string, ifVersion: bigint | null): WriteResult | null {
    const cell = this.#tail.get(path);
    if (ifVersion === null || cell === null) return null;
    const found = cell.value === null ? 0n : cell.version;
    // Versions only grow, but a cell that is there may be removed by what was not read yet.
    const holds = ifVersion === 0n ? found === 0n : cell.version <= ifVersion;
    return holds ? null : { done: false, found };
  }

  /** A writer with which the tail shows what is true until the writer appends or is refused. */
  async #writer(id: string): Promise<Writer> {
    if (this.#tail.closed.aborted) throw closedError();
    const kept = this.#writers.kept(id);
    if (kept !== null) return kept;
    const writer = await this.#writers.open(id);
    await this.#tail.caughtUp();
    return writer;
  }

  #record(path: string, value: Uint8Array | null, write: string): OutgoingRecord {
    return {
      topic: this.#topic,
      partition: 0,
      key: Buffer.from(path),
      value,
      timestampMs: Math.floor(this.#clock.now()),
      headers: { [WRITE_HEADER]: Buffer.from(write) },
    };
  }

  #failed(path: string, cause: unknown): UmbusError {
    if (isUmbusError(cause) && (!cause.retryable || cause.code.startsWith('UMBUS_COORDINATION_'))) {
      return isUmbusError(cause, 'UMBUS_LOG_CLOSED') ? closedError() : cause;
    }
    return new UmbusError(
      'UMBUS_COORDINATION_UNREACHABLE',
      `${path} cannot be written to ${this.#topic}: ${messageOf(cause)}`,
      { cause, details: { path, topic: this.#topic } },
    );
  }

  async #inTurn<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name);
    const turn = (async () => {
      await before?.catch(() => {});
      return await action();
    })();
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }
}
