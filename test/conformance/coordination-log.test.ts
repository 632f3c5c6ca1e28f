import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { openLogCoordination } from '../../src/adapters/log-coordination/index.ts';
import { createMemoryLog } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Coordination } from '../../src/ports/coordination.ts';
import { describeCoordination } from './coordination.ts';
import { abandon, hurried } from './coordination-fixture.ts';
import { type Gate, gated } from './gated-log.ts';

describeCoordination(
  'a log in memory',
  async () => {
    const log = createMemoryLog({ clock: systemClock });
    const clock = hurried(6);
    const gates = new Map<Coordination, Gate>();
    return {
      async open() {
        const gate = gated(log);
        const process = await openLogCoordination({ log: gate.log, clock, ds: 'suite' });
        gates.set(process, gate);
        return process;
      },
      crash: abandon,
      isolate: async process => gates.get(process)?.close(),
      heal: async process => gates.get(process)?.open(),
      [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
    };
  },
  { ttlMs: 9_000 },
);

describeCoordination(
  'an embedded log',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'umbus-coordination-log-'));
    const log = await openEmbeddedLog({
      dir,
      mode: 'owner',
      maxBytes: 1_073_741_824,
      clock: systemClock,
      maintenanceIntervalMs: null,
    });
    const clock = hurried(6);
    return {
      open: () => openLogCoordination({ log, clock, ds: 'suite' }),
      crash: abandon,
      async [Symbol.asyncDispose]() {
        await log[Symbol.asyncDispose]();
        await rm(dir, { recursive: true, force: true });
      },
    };
  },
  { ttlMs: 9_000 },
);
