import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withInstallLock } from '../../../src/cli/demo-server/install-lock.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-lock-'));
after(() => rmSync(dir, { recursive: true }));

test('one at a time holds the lock, and it is gone afterwards', async () => {
  const path = join(dir, 'one.lock');
  let inside = 0;
  const work = async () => {
    inside += 1;
    assert.equal(inside, 1);
    await turn();
    inside -= 1;
  };
  await Promise.all([withInstallLock(path, work), withInstallLock(path, work), withInstallLock(path, work)]);
  assert.equal(existsSync(path), false);
});

test('work that fails gives the lock back', async () => {
  const path = join(dir, 'fails.lock');
  await assert.rejects(
    withInstallLock(path, () => Promise.reject(new Error('no network'))),
    /no network/,
  );
  assert.equal(existsSync(path), false);
});

test('the lock of a process that is gone is taken over', async () => {
  const path = join(dir, 'stale.lock');
  const gone = spawnSync(process.execPath, ['--version']).pid;
  writeFileSync(path, String(gone));
  assert.equal(await withInstallLock(path, async () => 'done'), 'done');
});
