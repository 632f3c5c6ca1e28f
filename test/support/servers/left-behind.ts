import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../until.ts';
import type { Owned } from './server-owner.ts';

const run = promisify(execFile);
const OWNER = fileURLToPath(new URL('./server-owner.ts', import.meta.url));

/** Whether a process of this id runs. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process is held by SIGSTOP. */
export async function isFrozen(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'state=', '-p', String(pid)]);
  return stdout.trim() === 'T';
}

/** Kills a process that has started a server of this kind, and asserts that neither the server nor its directory outlive it. */
export async function assertDiesWithOwner(
  kind: string,
  state: 'running' | 'stopped' = 'running',
): Promise<void> {
  const owner = spawn(process.execPath, [OWNER, kind, state], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const line = await Promise.race([
      once(owner.stdout, 'data').then(([data]) => String(data)),
      once(owner, 'exit').then(() => assert.fail('The owner ended before its server was there.')),
    ]);
    const { pid, dataDir }: Owned = JSON.parse(line);
    assert.equal(alive(pid), state === 'running');
    assert.equal(existsSync(dataDir), true);
    owner.kill('SIGKILL');
    await until('the server to end', () => !alive(pid));
    await until('its directory to be removed', () => !existsSync(dataDir));
  } finally {
    owner.kill('SIGKILL');
  }
}
