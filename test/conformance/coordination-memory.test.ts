import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { describeCoordination } from './coordination.ts';
import { abandon, hurried } from './coordination-fixture.ts';

describeCoordination(
  'memory',
  async () => {
    const world = createMemoryCoordination({ clock: hurried(6) });
    return {
      open: async () => world.open(),
      crash: abandon,
      async [Symbol.asyncDispose]() {},
    };
  },
  { ttlMs: 9_000 },
);
