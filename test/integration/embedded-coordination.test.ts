import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEmbeddedCoordination } from '../../src/adapters/embedded-coordination/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { CellChange } from '../../src/ports/coordination.ts';
import { startTold } from '../support/told-process.ts';
import { until } from '../support/until.ts';

const holderScript = join(import.meta.dirname, '../support/lease-holder.ts');
const { signal } = new AbortController();

async function inDirectory(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-coordination-'));
  try {
    await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test('the lease of a killed process is free at once, and it is no member any more', async () => {
  await inDirectory(async dir => {
    // Far longer than the test may take.
    const ttlMs = 3_600_000;
    await using holder = startTold(holderScript, [dir, 'job', `${ttlMs}`]);
    const token = BigInt((await holder.told(/^held /)).slice(5));
    await using own = await openEmbeddedCoordination({ dir, clock: systemClock });
    assert.deepEqual(await own.leases(), [{ name: 'job', holder: `${holder.child.pid}`, token }]);
    assert.equal((await own.members()).length, 1);
    const next = own.lease('job', { holder: 'next', ttlMs, signal });
    await holder.end('SIGKILL');
    assert.ok((await next).token > token);
    assert.deepEqual(await own.members(), []);
  });
});

test('a process that stood still learns that it lost its lease', async () => {
  await inDirectory(async dir => {
    const ttlMs = 2_000;
    await using holder = startTold(holderScript, [dir, 'job', `${ttlMs}`]);
    const token = BigInt((await holder.told(/^held /)).slice(5));
    await using own = await openEmbeddedCoordination({ dir, clock: systemClock });
    holder.child.kill('SIGSTOP');
    const next = await own.lease('job', { holder: 'next', ttlMs, signal });
    assert.ok(next.token > token);
    holder.child.kill('SIGCONT');
    await holder.told('lost UMBUS_COORDINATION_LOST');
    assert.deepEqual(
      (await own.leases()).map(({ holder: name }) => name),
      ['next'],
    );
  });
});

test('a watch sees what another process writes, and processes write at once', async () => {
  await inDirectory(async dir => {
    await using own = await openEmbeddedCoordination({ dir, clock: systemClock });
    const seen: CellChange[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const change of own.watch('from', stop.signal)) seen.push(change);
    })();
    const script = join(import.meta.dirname, '../support/cell-writer.ts');
    await using one = startTold(script, [dir, 'from/one', '100']);
    await using other = startTold(script, [dir, 'from/other', '100']);
    await Promise.all([one.told('done'), other.told('done')]);
    const last = (path: string) =>
      Buffer.from(seen.findLast(change => change.path === path)?.value ?? []).toString();
    await until('the last of both', () => last('from/one') === '100' && last('from/other') === '100');
    assert.equal(Buffer.from((await own.get('count'))?.value ?? []).toString(), '200');
    stop.abort();
    await watching;
  });
});
