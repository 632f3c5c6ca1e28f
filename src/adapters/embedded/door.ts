import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeProcess, lifeOf, type ProcessIdentity } from './process-identity.ts';

/** Between two looks at a door that somebody else stands in. */
const POLL_MS = 2;
/** A door that cannot be had for so long is passed by: it guards against a rare accident, and must not become one. Also the age at which one whose holder cannot be examined counts as left. */
const PATIENCE_MS = 10_000;

/**
 * Opens or closes an LMDB environment while no other process, and nothing else in this one, opens or closes it. The last process to close one destroys the mutexes in `lock.mdb`; another that is
 * just opening it takes them for sound, and from then on all it does fails with EINVAL. So they go through a door one by one: the file `door`, which names whoever stands in it. One that
 * was killed there is taken out of the way. A directory that is not there yet, or in which no file can be made, has no door.
 * Source: `mdb_env_close0` and `mdb_env_setup_locks` of LMDB.
 */
export async function throughDoor<T>(dir: string, pass: () => T | Promise<T>): Promise<T> {
  const door = join(dir, 'door');
  const self = describeProcess();
  const sign = JSON.stringify({ ...self, visit: randomUUID() });
  const held = await taken(door, sign, self);
  try {
    return await pass();
  } finally {
    // Whoever takes so long that he counts as gone may find another in it.
    if (held && textOf(door) === sign) remove(door);
  }
}

/** Whether the door is ours now; false when there is none, or patience has ended. */
async function taken(door: string, sign: string, self: ProcessIdentity): Promise<boolean> {
  const until = performance.now() + PATIENCE_MS;
  do {
    const made = make(door, sign);
    if (made !== 'there') return made === 'made';
    const holder = textOf(door);
    if (holder !== null && isGone(holder, door, self)) clear(door, holder);
    await delay(POLL_MS);
  } while (performance.now() < until);
  return false;
}

/** Makes a file that is not there yet. */
function make(file: string, text: string): 'made' | 'there' | 'impossible' {
  let fd: number;
  try {
    fd = openSync(file, 'wx');
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EEXIST' ? 'there' : 'impossible';
  }
  try {
    writeSync(fd, text);
    return 'made';
  } catch {
    // The disk is full.
    remove(file);
    return 'impossible';
  } finally {
    closeSync(fd);
  }
}

/** What a file says; null when it is not there any more. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function isGone(holder: string, door: string, self: ProcessIdentity): boolean {
  const other = identityOf(holder);
  const life = other === null ? 'unknown' : lifeOf(other, self);
  return life === 'unknown' ? isOld(door) : life === 'dead';
}

/** Null for a text that is not whole: just being written, or left so by a crash of the machine. */
function identityOf(text: string): ProcessIdentity | null {
  try {
    // Written by this file alone.
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return null;
  }
}

function isOld(file: string): boolean {
  try {
    return Date.now() - statSync(file).mtimeMs > PATIENCE_MS;
  } catch {
    return false;
  }
}

/** Takes a holder who is gone out of the door. Only whoever makes the file beside it may do so: then it cannot be another's by now. */
function clear(door: string, holder: string): void {
  const right = `${door}.clear`;
  if (make(right, '') !== 'made') {
    if (isOld(right)) remove(right);
    return;
  }
  if (textOf(door) === holder) remove(door);
  remove(right);
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Another user's, in a directory where only he may: patience ends it.
  }
}
