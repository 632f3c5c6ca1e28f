import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeProcess, lifeOf, type ProcessIdentity } from './process-identity.ts';

/** Between two looks at a door that somebody else stands in. */
const POLL_MS = 2;
/** A door that cannot be had for so long is passed by: it guards against a rare accident, and must not become one. Also the age at which one whose holder cannot be examined counts as left. */
const PATIENCE_MS = 10_000;

let attempts = 0;

/**
 * Opens or closes an LMDB environment while no other process, and nothing else in this one, opens or closes it. The last process to close one destroys the mutexes in `lock.mdb`; another that is
 * just opening it takes them for sound, and from then on all it does fails with EINVAL. So they go through a door one by one: the file `door`, which names whoever stands in it. One that
 * was killed there is moved out of the way. A directory that is not there yet, or in which no file can be made, has no door.
 * Source: `mdb_env_close0` and `mdb_env_setup_locks` of LMDB.
 */
export async function throughDoor<T>(dir: string, pass: () => T | Promise<T>): Promise<T> {
  const door = join(dir, 'door');
  const held = await taken(door);
  try {
    return await pass();
  } finally {
    if (held) rmSync(door, { force: true });
  }
}

/** Whether the door is ours now; false when there is none, or patience has ended. */
async function taken(door: string): Promise<boolean> {
  const self = describeProcess();
  const own = `${door}.${self.pid}.${attempts++}`;
  try {
    writeFileSync(own, JSON.stringify(self));
  } catch {
    return false;
  }
  try {
    for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
      // A link appears with all of its content, or not at all.
      if (linked(own, door)) return true;
      const holder = holderOf(door);
      if (holder !== null && isGone(holder, door, self)) clear(door, holder, own);
      else await delay(POLL_MS);
    }
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

function linked(own: string, door: string): boolean {
  try {
    linkSync(own, door);
    return true;
  } catch {
    return false;
  }
}

/** The text of the door; null when nobody stands in it any more. */
function holderOf(door: string): string | null {
  try {
    return readFileSync(door, 'utf8');
  } catch {
    return null;
  }
}

function isGone(holder: string, door: string, self: ProcessIdentity): boolean {
  // Written by this file alone.
  const life = lifeOf(JSON.parse(holder) as ProcessIdentity, self);
  if (life !== 'unknown') return life === 'dead';
  try {
    return Date.now() - statSync(door).mtimeMs > PATIENCE_MS;
  } catch {
    return false;
  }
}

/** Takes a dead holder out of the door. Somebody else may have done so already and stand in it now: then what was taken is put back. */
function clear(door: string, holder: string, own: string): void {
  const aside = `${own}.aside`;
  try {
    renameSync(door, aside);
    if (readFileSync(aside, 'utf8') !== holder) linkSync(aside, door);
  } catch {
    // Gone, or taken by a third one meanwhile: the next look tells.
  }
  rmSync(aside, { force: true });
}
