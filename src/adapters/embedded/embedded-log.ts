import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { LocalLog, REBALANCE_TIMEOUT_MS } from '../local-log/local-log.ts';
import { CommitQueue } from './commit-queue.ts';
import { throughDoor } from './door.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { Maintenance } from './maintenance.ts';
import { takeOwnership } from './owner.ts';
import { OwnerStorage } from './owner-storage.ts';
import { ReadCache } from './read-cache.ts';
import { ReaderStorage } from './reader-storage.ts';
import { SpaceGuard } from './space-guard.ts';

/** Where an embedded log lies and how it is used. */
export interface EmbeddedLogOptions {
  /** Made when missing, by an owner. On a local disk: not on a network file system. */
  readonly dir: string;
  /** One process owns a log: it writes and has the consumer groups. Any number of others read, live. */
  readonly mode: 'owner' | 'reader';
  /** Limit of what is stored, index included. Space freed by retention is used again; the file does not shrink. */
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Memory for what was written or read last. Default 32 MB. */
  readonly cacheBytes?: number;
  /** How often the owner applies retention and compaction. Default 10,000; null leaves it to calls of `maintain`. */
  readonly maintenanceIntervalMs?: number | null;
  /** How long tombstones of `compact` topics stay, so that slow readers see them. Default 24 hours. */
  readonly tombstoneMs?: number;
  /** How long a member of a group may take to give partitions back. Default 30,000. */
  readonly rebalanceTimeoutMs?: number;
}

/** The embedded log. */
export interface EmbeddedLog extends Log {
  /**
   * Applies retention and compaction to all topics once, in small transactions between those of commits. The owner's own timer calls it too. Does nothing in
   * mode `reader`. Errors: UMBUS_LOG_CORRUPT, UMBUS_LOG_IO, UMBUS_LOG_FULL (compaction writes a little before it frees).
   */
  maintain(): Promise<void>;
}

const DEFAULT_CACHE_BYTES = 32 * 1_048_576;
const DEFAULT_MAINTENANCE_MS = 10_000;
const DEFAULT_TOMBSTONE_MS = 24 * 3_600_000;

/**
 * Opens the log in a directory. Errors: UMBUS_LOG_LOCKED (mode `owner`, and a living process owns it: named by pid), UMBUS_LOG_DIRECTORY.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const environment = await throughDoor(options.dir, () =>
    openEnvironment(options.dir, { maxBytes: options.maxBytes, readOnly: options.mode === 'reader' }),
  );
  try {
    return options.mode === 'owner' ? openOwner(environment, options) : openReader(environment, options);
  } catch (error) {
    await closeEnvironment(environment);
    throw error;
  }
}

function openOwner(environment: Environment, options: EmbeddedLogOptions): EmbeddedLog {
  const { clock } = options;
  const ownership = takeOwnership(environment, clock);
  const space = new SpaceGuard(environment, options.maxBytes);
  const queue = new CommitQueue(environment, ownership.token, space);
  const cache = new ReadCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  const storage = new OwnerStorage(environment, queue, cache, async () => {
    await maintenance.stop();
    ownership.release();
    await closeEnvironment(environment);
  });
  const interval = options.maintenanceIntervalMs;
  const maintenance = new Maintenance(storage, space, clock, {
    intervalMs: interval === undefined ? DEFAULT_MAINTENANCE_MS : interval,
    tombstoneMs: options.tombstoneMs ?? DEFAULT_TOMBSTONE_MS,
  });
  const log = new LocalLog(storage, clock, options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS);
  return Object.assign(log, { maintain: () => maintenance.run() });
}

function openReader(environment: Environment, options: EmbeddedLogOptions): EmbeddedLog {
  const cache = new ReadCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  const storage = new ReaderStorage(environment, options.clock, cache, () => closeEnvironment(environment));
  return Object.assign(new LocalLog(storage, options.clock), { maintain: async () => {} });
}

function closeEnvironment({ dir, root }: Environment): Promise<void> {
  return throughDoor(dir, () => root.close());
}
