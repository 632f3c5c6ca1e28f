import { Buffer } from 'node:buffer';
import { mkdirSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import { messageOf, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Cell, type CellStore, isWithin, type WriteResult } from '../cell-coordination/cell-store.ts';
import { closedError } from '../cell-coordination/limits.ts';
import { throughDoor } from '../embedded/door.ts';
import { describeProcess, lifeOf, type ProcessIdentity } from '../embedded/process-identity.ts';

/** Counts all changes; its value is the version of the newest. */
const REVISION_KEY = Buffer.from('revision');
/** Before the path of each cell, so that no path is the key above. */
const CELL_MARK = '/';
const VERSION_BYTES = 8;
/** Address space, not memory; the library grows it when it is full. */
const MAP_BYTES = 256 * 1_048_576;

/**
 * Cells in an LMDB environment that several processes have open. LMDB lets one of them write at a time, and a lock whose holder has died is taken over.
 * A row is the version, 8 bytes big-endian, and the value. The library keeps a snapshot for a turn of the event loop, so each reading call asks for a new one.
 */
export class LmdbCells implements CellStore {
  readonly self: string;
  readonly #me: ProcessIdentity;
  readonly #dir: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #closed = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();

  private constructor(dir: string, root: RootDatabase<Buffer, Buffer>, clock: Clock, pollMs: number) {
    this.#me = describeProcess();
    this.self = JSON.stringify(this.#me);
    this.#dir = dir;
    this.#root = root;
    this.#clock = clock;
    this.#pollMs = pollMs;
  }

  /** Opens the cells in a directory, which is made when it is missing. Errors: UMBUS_COORDINATION_UNREACHABLE. */
  static async open(dir: string, clock: Clock, pollMs: number): Promise<LmdbCells> {
    const root = await throughDoor(dir, () => openRoot(dir));
    return new LmdbCells(dir, root, clock, pollMs);
  }

  async read(path: string): Promise<Cell | null> {
    this.#assertOpen();
    this.#root.resetReadTxn();
    const row = this.#root.get(keyOf(path));
    return row === undefined ? null : cellOf(path, row);
  }

  async readAll(prefix: string): Promise<readonly Cell[]> {
    this.#assertOpen();
    this.#root.resetReadTxn();
    const start = keyOf(prefix);
    const cells: Cell[] = [];
    for (const { key, value } of this.#root.getRange({ start })) {
      const text = key.toString();
      // Keys that begin with the prefix lie together, in order of bytes; those within it are among them.
      if (!text.startsWith(CELL_MARK + prefix)) break;
      const path = text.slice(CELL_MARK.length);
      if (isWithin(path, prefix)) cells.push(cellOf(path, value));
    }
    return cells;
  }

  async write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<WriteResult> {
    this.#assertOpen();
    const key = keyOf(path);
    // The callback runs while this process has the environment's write lock.
    const writing = this.#root.transaction((): WriteResult => {
      const row = this.#root.get(key);
      const found = row === undefined ? 0n : versionOf(row);
      if (ifVersion !== null && ifVersion !== found) return { done: false, found };
      const version = this.#newest() + 1n;
      this.#root.put(REVISION_KEY, bytesOf(version));
      if (value === null) this.#root.remove(key);
      else this.#root.put(key, Buffer.concat([bytesOf(version), value]));
      return { done: true, version };
    });
    this.#pending.add(writing);
    try {
      return await writing;
    } catch (error) {
      throw unusable(`cannot be written: ${messageOf(error)}`, error);
    } finally {
      this.#pending.delete(writing);
    }
  }

  async note(path: string, value: Uint8Array | null): Promise<void> {
    await this.write(path, value, null);
  }

  revision(): bigint {
    if (this.#closed.signal.aborted) return 0n;
    this.#root.resetReadTxn();
    return this.#newest();
  }

  async changed(since: bigint, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closed.signal]);
    // Other processes cannot wake this one.
    while (!stop.aborted && this.revision() === since) await this.#clock.sleep(this.#pollMs, stop);
  }

  isDead(self: string): boolean {
    // Written by this class, in another process.
    return lifeOf(JSON.parse(self) as ProcessIdentity, this.#me) === 'dead';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    await Promise.allSettled(this.#pending);
    await throughDoor(this.#dir, () => this.#root.close());
  }

  #newest(): bigint {
    const row = this.#root.get(REVISION_KEY);
    return row === undefined ? 0n : versionOf(row);
  }

  #assertOpen(): void {
    if (this.#closed.signal.aborted) throw closedError();
  }
}

function openRoot(dir: string): RootDatabase<Buffer, Buffer> {
  try {
    mkdirSync(dir, { recursive: true });
    return open<Buffer, Buffer>({
      path: dir,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      mapSize: MAP_BYTES,
      maxReaders: 512,
      // A change is durable before anyone can see it.
      overlappingSync: false,
    });
  } catch (error) {
    throw unusable(`in ${dir} cannot be opened: ${messageOf(error)}`, error);
  }
}

function unusable(problem: string, cause: unknown): UmbusError {
  return new UmbusError('UMBUS_COORDINATION_UNREACHABLE', `The coordination directory ${problem}.`, {
    cause,
  });
}

function keyOf(path: string): Buffer {
  return Buffer.from(CELL_MARK + path);
}

function bytesOf(version: bigint): Buffer {
  const bytes = Buffer.alloc(VERSION_BYTES);
  bytes.writeBigUInt64BE(version);
  return bytes;
}

function versionOf(row: Buffer): bigint {
  return row.readBigUInt64BE();
}

function cellOf(path: string, row: Buffer): Cell {
  // A copy: the row may lie in memory that the library uses again.
  return { path, value: Uint8Array.from(row.subarray(VERSION_BYTES)), version: versionOf(row) };
}
