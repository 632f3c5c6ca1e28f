import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Name, in a directory below the owned one, of file systems that are mounted there. */
export const MOUNT_NAME = 'mounted';

/**
 * Waits until standard input closes, which the kernel does when the owner dies in whatever way, then removes the directory. Servers
 * that still end may write into it meanwhile, so it tries for a while.
 */
const KEEPER = `
trap '' TERM INT HUP
cat >/dev/null
tries=0
while [ -e "$1" ] && [ $tries -lt 600 ]; do
  for mount in "$1"/*/${MOUNT_NAME}; do [ -e "$mount" ] && umount -l "$mount"; done
  rm -rf "$1"
  tries=$((tries + 1))
  sleep 0.1
done`;

const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 100;

/** A temporary directory that is removed when it is disposed and when this process dies, also where no server runs in it. */
export interface OwnedDirectory extends AsyncDisposable {
  readonly path: string;
}

async function remove(path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      if (tries === REMOVE_TRIES) throw error;
      await delay(REMOVE_PAUSE_MS);
    }
  }
}

/** Makes a temporary directory whose name starts with `prefix`. */
export async function ownedDirectory(prefix: string): Promise<OwnedDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'sh', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.stdin.on('error', () => {});
  keeper.unref();
  return {
    path,
    async [Symbol.asyncDispose]() {
      await remove(path);
      keeper.stdin.destroy();
    },
  };
}
