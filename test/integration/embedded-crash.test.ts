import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { until } from '../support/until.ts';

const KILLS = 20;
const writer = join(import.meta.dirname, '../support/embedded-writer.ts');

/** Runs the writer, kills it `killAfterMs` after its first acknowledgement, and gives the last number it acknowledged. */
async function runAndKill(dir: string, killAfterMs: number): Promise<number> {
  const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let output = '';
  let errors = '';
  child.stdout.on('data', chunk => {
    output += chunk;
  });
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  try {
    await until('a first acknowledgement', () => /\n\d+\n/.test(output) || child.exitCode !== null);
    assert.equal(child.exitCode, null, errors);
    const killAt = performance.now() + killAfterMs;
    await until('the moment to kill', () => performance.now() >= killAt);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  // A line that the kill cut short is not an acknowledgement.
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n');
  return Number(lines.at(-1));
}

test(`keeps every acknowledged commit, whole, over ${KILLS} kills -9`, { timeout: 180_000 }, async t => {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-crash-'));
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const killAfterMs = Math.random() * 150;
      const acknowledged = await runAndKill(dir, killAfterMs);
      await using log = await openEmbeddedLog({
        dir,
        mode: 'reader',
        maxBytes: 1_073_741_824,
        clock: systemClock,
      });
      const [committed] = await log.committed('g', [{ topic: 'in', partition: 0 }]);
      const next = Number(committed?.offset ?? 0n);
      assert.ok(next > acknowledged, `kill ${kill}: ${acknowledged} was acknowledged, ${next} is next`);
      assert.equal(committed?.metadata, String(next - 1));
      let records = 0n;
      for (let number = 0; number < next; number++) records += BigInt(1 + (number % 7));
      assert.equal(
        await log.offset({ topic: 'out', partition: 0 }, 'latest'),
        records,
        'records equal offsets',
      );
    }
    await using log = await openEmbeddedLog({
      dir,
      mode: 'owner',
      maxBytes: 1_073_741_824,
      clock: systemClock,
    });
    let number = 0;
    let index = 0;
    const end = await log.offset({ topic: 'out', partition: 0 }, 'latest');
    for (let offset = 0n; offset < end; ) {
      const batch = await log.read(
        { topic: 'out', partition: 0, offset },
        { maxBytes: 1_048_576, maxWaitMs: 0 },
        t.signal,
      );
      for (const { value } of batch.records) {
        const text = Buffer.from(value ?? []).toString();
        assert.ok(
          text.startsWith(`${number} ${index} ${1 + (number % 7)} `),
          `${text.slice(0, 30)} at ${number}.${index}`,
        );
        index = (index + 1) % (1 + (number % 7));
        if (index === 0) number += 1;
      }
      offset = batch.nextOffset;
    }
    assert.equal(index, 0, 'the last commit is whole');
    t.diagnostic(`${number} commits over ${KILLS} kills`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
