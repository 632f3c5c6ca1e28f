import { Buffer } from 'node:buffer';
import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Environment } from './environment.ts';
import { describeProcess, lifeOf, type ProcessIdentity } from './process-identity.ts';

/** Key of the owner row. Its version is the owner's token; every commit is conditional on it. */
export const OWNER_KEY = Buffer.from('owner');

/** How often a living owner shows itself, and after which silence one that cannot be examined counts as dead. */
const BEAT_MS = 5_000;
const SILENCE_MS = 30_000;

/** The right to write. */
export interface Ownership {
  /** Grows with every owner. A commit is applied only while the owner row still has it, so an owner that was declared dead by mistake writes nothing more. */
  readonly token: number;
  /** Gives the log up. */
  release(): void;
}

/**
 * Becomes the owner, at once when the last one is dead. Looking and taking happen in one write transaction, which one process at a time can have.
 * Errors: UMBUS_LOG_LOCKED with the pid of the owner.
 */
export function takeOwnership(environment: Environment, clock: Clock): Ownership {
  const { control, dir } = environment;
  const self = describeProcess();
  const beatFile = join(dir, 'owner-beat');
  const taken = control.transactionSync(() => {
    const entry = control.getEntry(OWNER_KEY);
    const token = (entry?.version ?? 0) + 1;
    const owner = entry === undefined || entry.value.length === 0 ? null : parse(entry.value);
    if (owner !== null && isAlive(owner, self, silence(beatFile, clock))) return { owner };
    control.put(OWNER_KEY, Buffer.from(JSON.stringify(self)), token);
    return { token };
  });
  if ('owner' in taken) throw locked(dir, taken.owner);
  const beating = startBeat(beatFile, clock);
  return {
    token: taken.token,
    release() {
      beating.abort();
      control.transactionSync(() => {
        if (control.getEntry(OWNER_KEY)?.version !== taken.token) return;
        // The token stays, so that the next owner's is greater.
        control.put(OWNER_KEY, Buffer.alloc(0), taken.token);
      });
    },
  };
}

/** The error of an owner that finds a later owner's token in place of its own. */
export function ownershipLost(environment: Environment): UmbusError {
  const entry = environment.control.getEntry(OWNER_KEY);
  return locked(environment.dir, entry === undefined || entry.value.length === 0 ? null : parse(entry.value));
}

/** The error for a writing call on a log that was opened for reading. */
export function readerOnly(environment: Environment): UmbusError {
  const entry = environment.control.get(OWNER_KEY);
  const owner = entry === undefined || entry.length === 0 ? null : parse(entry);
  const by = owner === null ? '' : ` Process ${owner.pid} on ${owner.host} owns it.`;
  return new UmbusError(
    'UMBUS_LOG_LOCKED',
    `The log in ${environment.dir} was opened for reading and cannot be written.${by}`,
    { details: { dir: environment.dir, pid: owner?.pid ?? null, host: owner?.host ?? null } },
  );
}

function locked(dir: string, owner: ProcessIdentity | null): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_LOCKED',
    owner === null
      ? `The log in ${dir} was taken over by another process.`
      : `Process ${owner.pid} on ${owner.host} owns the log in ${dir}.`,
    { details: { dir, pid: owner?.pid ?? null, host: owner?.host ?? null } },
  );
}

function parse(value: Buffer): ProcessIdentity {
  // Written by takeOwnership above, under the format number of the directory.
  return JSON.parse(value.toString()) as ProcessIdentity;
}

/** `silentMs`: how long the owner has not shown itself; asked only of one that cannot be examined. */
function isAlive(owner: ProcessIdentity, self: ProcessIdentity, silentMs: number): boolean {
  const life = lifeOf(owner, self);
  return life === 'unknown' ? silentMs < SILENCE_MS : life === 'alive';
}

function startBeat(file: string, clock: Clock): AbortController {
  const stop = new AbortController();
  const beat = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const seconds = clock.now() / 1000;
      // Only a hint for owners that cannot examine this process: a full disk must not stop the log here.
      attempt(() => {
        if (!existsSync(file)) writeFileSync(file, '');
        utimesSync(file, seconds, seconds);
      });
      await clock.sleep(BEAT_MS, stop.signal);
    }
  };
  void beat();
  return stop;
}

function silence(file: string, clock: Clock): number {
  return clock.now() - (attempt(() => statSync(file).mtimeMs) ?? Number.NEGATIVE_INFINITY);
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
