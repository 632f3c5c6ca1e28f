import { statfsSync } from 'node:fs';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { Environment } from './environment.ts';

/** Left free on the disk, so that removing records, which needs a few pages first, always works. */
const DISK_RESERVE_BYTES = 2 * 1_048_576;
/** Bytes that may be written before the store and the disk are asked again. */
const RECHECK_BYTES = 64 * 1_048_576;
/** Pages of the tree that any commit copies. */
const COMMIT_PAGES = 24;

/** Errors of the store, by number: MDB_MAP_FULL, MDB_TXN_FULL (lmdb.h), ENOSPC, EDQUOT, EIO (errno.h). */
const FULL_CODES: ReadonlySet<unknown> = new Set([-30792, -30788, 28, 122]);
const EIO = 5;

/**
 * Refuses a commit that would not fit, before anything is written: LMDB itself grows its map without a limit, and a disk that fills up in
 * the middle of a commit shows as an error that could mean anything. What is measured is pages in use, so space that retention
 * has freed counts as free although the file does not shrink.
 */
export class SpaceGuard {
  readonly #environment: Environment;
  readonly #maxBytes: number;
  #allowance = 0;

  constructor(environment: Environment, maxBytes: number) {
    this.#environment = environment;
    this.#maxBytes = maxBytes;
  }

  /** Throws UMBUS_LOG_FULL when `bytes` more would not fit. */
  reserve(bytes: number): void {
    const needed = bytes + COMMIT_PAGES * 4096 + bytes / 64;
    this.#allowance -= needed;
    if (this.#allowance >= 0) return;
    const { used, fileEnd, disk } = this.#measure();
    const { dir } = this.#environment;
    if (used + needed > this.#maxBytes) {
      throw new UmbusError(
        'UMBUS_LOG_FULL',
        `The log in ${dir} uses ${used} of the ${this.#maxBytes} bytes it may, and ${Math.ceil(needed)} more do not fit.`,
        { details: { dir, used, maxBytes: this.#maxBytes } },
      );
    }
    // Pages freed by the last commits cannot be used yet, and free runs may be too short: count half of them.
    const growth = Math.max(0, needed - (fileEnd - used) / 2);
    if (growth > 0 && growth + DISK_RESERVE_BYTES > disk) throw this.#diskFull(disk, needed);
    const slack = Math.min(this.#maxBytes - used - needed, disk - growth - DISK_RESERVE_BYTES);
    this.#allowance = Math.max(0, Math.min(RECHECK_BYTES, slack / 4));
  }

  /** Asks anew at the next {@link reserve}. */
  forget(): void {
    this.#allowance = 0;
  }

  /** What the library's error means. */
  explain(error: unknown): UmbusError {
    if (isUmbusError(error)) return error;
    this.forget();
    const code = error instanceof Error && 'code' in error ? error.code : null;
    const { disk } = this.#measure();
    // A write that the disk cut short comes back as EIO.
    if (FULL_CODES.has(code) || (code === EIO && disk < RECHECK_BYTES)) return this.#diskFull(disk, 0, error);
    return new UmbusError(
      'UMBUS_LOG_IO',
      `A commit to the log in ${this.#environment.dir} failed: ${messageOf(error)}.`,
      { cause: error, details: { dir: this.#environment.dir } },
    );
  }

  #diskFull(disk: number, needed: number, cause?: unknown): UmbusError {
    const { dir } = this.#environment;
    return new UmbusError(
      'UMBUS_LOG_FULL',
      `The disk of the log in ${dir} has ${disk} bytes left${needed === 0 ? '' : `, and ${Math.ceil(needed)} more do not fit`}.`,
      { cause, details: { dir, disk } },
    );
  }

  #measure(): { used: number; fileEnd: number; disk: number } {
    const { control, log, dir } = this.#environment;
    const main = stats(log.getStats());
    const pages = main.own + main.root + main.free + stats(control.getStats()).own + 2;
    const { bavail, bsize } = statfsSync(dir);
    return {
      used: pages * main.pageSize,
      fileEnd: (main.lastPage + 1) * main.pageSize,
      disk: bavail * bsize,
    };
  }
}

interface TreeStats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** Pages of a database, of the root that names the databases, and of the list of free pages. */
function stats(raw: object): {
  own: number;
  root: number;
  free: number;
  lastPage: number;
  pageSize: number;
} {
  // The library declares the result as {}; these are the fields it fills (MDB_stat and MDB_envinfo).
  const all = raw as TreeStats & { root: TreeStats; free: TreeStats; lastPageNumber: number };
  const pages = (tree: TreeStats) => tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages;
  return {
    own: pages(all),
    root: pages(all.root),
    free: pages(all.free),
    lastPage: all.lastPageNumber,
    pageSize: all.pageSize,
  };
}
