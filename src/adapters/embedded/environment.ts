import { Buffer } from 'node:buffer';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { messageOf, UmbusError } from '../../core/errors.ts';

/** Rows with binary keys and values. */
export type Rows = Database<Buffer, Buffer>;

/**
 * The store of an embedded log. `control` holds a few named rows, each with a version: the format, the owner, the topics. `log` holds
 * everything else (keys.ts).
 */
export interface Environment {
  readonly dir: string;
  readonly control: Rows;
  readonly log: Rows;
  readonly root: RootDatabase<Buffer, Buffer>;
}

/** Format of the directory. It grows when an older umbus could not read what a newer one wrote. */
export const DIRECTORY_FORMAT = 1;

const FORMAT_KEY = Buffer.from('format');
/** Commits start at once: what comes meanwhile is grouped by CommitQueue, not by waiting. (The library's types lack the second option.) */
const START_AT_ONCE = { eventTurnBatching: false, txnStartThreshold: 1 };
const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

/**
 * Opens the store, and makes it when it is missing and may be written. Errors: UMBUS_LOG_DIRECTORY.
 *
 * The choice of LMDB's modes: commits run on LMDB's own thread, one at a time, each with fdatasync and then a synchronous write of the
 * meta page, before anyone can see them. `overlappingSync`, the library's default, shows commits to readers before they are durable;
 * `transactionSync` would block the event loop for each fdatasync. Neither is chosen for speed: both can be faster for some commit sizes.
 */
export function openEnvironment(dir: string, options: { maxBytes: number; readOnly: boolean }): Environment {
  assertDirectory(dir, options.readOnly);
  let root: RootDatabase<Buffer, Buffer> | null = null;
  try {
    root = open<Buffer, Buffer>({
      ...BINARY,
      path: dir,
      // Without this a directory with a dot in its name would be taken for a file.
      noSubdir: false,
      // The map is address space, not memory. What may be stored is limited by SpaceGuard: the library grows the map by itself.
      mapSize: Math.ceil((options.maxBytes * 1.5 + 64 * 1_048_576) / 1_048_576) * 1_048_576,
      maxDbs: 4,
      maxReaders: 512,
      readOnly: options.readOnly,
      overlappingSync: false,
      ...START_AT_ONCE,
    });
    const control = root.openDB({ ...BINARY, name: 'control', useVersions: true });
    const log = root.openDB({ ...BINARY, name: 'log' });
    if (control === undefined || log === undefined) throw directoryError(dir, 'has no log in it');
    const environment = { dir, root, control, log };
    assertFormat(environment, options.readOnly);
    return environment;
  } catch (error) {
    void root?.close();
    if (error instanceof UmbusError) throw error;
    throw directoryError(dir, `cannot be opened: ${messageOf(error)}`, error);
  }
}

/** The error for a directory that cannot be used. */
export function directoryError(dir: string, problem: string, cause?: unknown): UmbusError {
  return new UmbusError('UMBUS_LOG_DIRECTORY', `The log directory ${dir} ${problem}.`, {
    cause,
    details: { dir },
  });
}

function assertDirectory(dir: string, readOnly: boolean): void {
  try {
    if (!readOnly) mkdirSync(dir, { recursive: true });
    else if (!existsSync(join(dir, 'data.mdb'))) throw new Error('there is no log in it');
    accessSync(dir, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw directoryError(dir, `cannot be used: ${messageOf(error)}`, error);
  }
}

function assertFormat({ control, dir }: Environment, readOnly: boolean): void {
  const stored = control.get(FORMAT_KEY);
  if (stored === undefined && !readOnly) {
    control.putSync(FORMAT_KEY, Buffer.from(String(DIRECTORY_FORMAT)), 1);
    return;
  }
  const format = stored === undefined ? null : Number(stored.toString());
  if (format === DIRECTORY_FORMAT) return;
  throw directoryError(
    dir,
    format === null
      ? 'has no format number'
      : `has format ${format}, and this version of umbus reads format ${DIRECTORY_FORMAT}`,
  );
}
