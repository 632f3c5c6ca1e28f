import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedCoordination } from '../../src/adapters/embedded-coordination/index.ts';
import { describeCoordination } from './coordination.ts';
import { abandon, hurried } from './coordination-fixture.ts';

describeCoordination(
  'embedded',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'umbus-coordination-'));
    const clock = hurried(6);
    return {
      open: () => openEmbeddedCoordination({ dir, clock }),
      crash: abandon,
      [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
    };
  },
  { ttlMs: 9_000 },
);
