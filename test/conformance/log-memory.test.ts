import { createMemoryLog } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { describeLog } from './log.ts';

describeLog(
  'memory',
  async () => {
    const rebalanceTimeoutMs = 100;
    const log = createMemoryLog({ clock: systemClock, rebalanceTimeoutMs });
    return {
      log,
      maintain: () => log.maintain(),
      [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
    };
  },
  { reopens: false, maintains: true, expels: true },
);
