import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { describeLog, type LogFixture } from './log.ts';

const rebalanceTimeoutMs = 100;

async function openFixture(cacheBytes: number): Promise<LogFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-log-'));
  const open = () =>
    openEmbeddedLog({
      dir,
      mode: 'owner',
      maxBytes: 1_073_741_824,
      clock: systemClock,
      cacheBytes,
      maintenanceIntervalMs: null,
      rebalanceTimeoutMs,
    });
  let log = await open();
  return {
    log,
    maintain: () => log.maintain(),
    async reopen() {
      await log[Symbol.asyncDispose]();
      log = await open();
      return log;
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const traits = { reopens: true, maintains: true, expels: true };
describeLog('embedded', () => openFixture(32 * 1_048_576), traits);
describeLog('embedded, every read from the store', () => openFixture(0), traits);
