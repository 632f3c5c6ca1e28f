/** What a full pull costs those who work on the source meanwhile. */
import { createMemoryCoordination } from '../src/adapters/memory/index.ts';
import { PullCells, type PullControl } from '../src/adapters/pull/pull-cells.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import type { Coordination } from '../src/ports/coordination.ts';
import { LOAD_SCHEMA, runLoad } from '../test/support/load.ts';
import { askPull, pullOver } from '../test/support/pulls.ts';
import { startLine } from '../test/support/running-line.ts';
import type { Server } from '../test/support/servers.ts';
import { median, report } from './measure.ts';

const TRANSACTIONS = 20_000;
const ROUNDS = 3;
const THROTTLED = { state: 'run', rowsPerSecond: 20_000, concurrency: 1 } as const;

/** Prints how much slower one-row transactions are beside a pull, as fast as it goes and throttled; the line runs in each case, and has caught up before. In turns, so that a change of the machine's speed meets all of them. */
export async function benchBeside(server: Server, scale: number): Promise<void> {
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({
    server,
    schemas: [LOAD_SCHEMA],
    start: 'now',
    coordination,
    partitions: 1,
  });
  const { ds } = line.line;
  const transactions = Math.max(5000, Math.round(TRANSACTIONS * scale));
  const load = async (): Promise<number> => {
    await line.drained(600_000);
    const start = performance.now();
    await runLoad(sql => server.query(sql), 'single', transactions);
    return (performance.now() - start) / 1000;
  };
  let pulls = 0;
  const beside = (control: Partial<PullControl>): Promise<number> =>
    whilePulling(load, () => asked(coordination, ds, `beside-${++pulls}`, control));
  const alone: number[] = [];
  const fast: number[] = [];
  const throttled: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await load());
    fast.push(await beside({}));
    throttled.push(await beside(THROTTLED));
  }
  const rate = (seconds: number): string => `${Math.round(transactions / seconds).toLocaleString('en-US')}/s`;
  const limit = `${THROTTLED.rowsPerSecond.toLocaleString('en-US')} rows/s, 1 shard`;
  for (const [name, seconds] of [
    ['unbounded', median(fast)],
    [limit, median(throttled)],
  ] as const) {
    report(
      `transactions beside a pull / alone, ${name}`,
      median(alone) / seconds,
      '-',
      `${rate(seconds)} / ${rate(median(alone))} of one row each`,
    );
  }
}

interface AskedPull {
  readonly pull: string;
  readonly cells: PullCells;
}

async function asked(
  coordination: Coordination,
  ds: string,
  pull: string,
  control: Partial<PullControl>,
): Promise<AskedPull> {
  const cells = new PullCells(coordination, ds);
  await cells.setControl(pull, control);
  await askPull(coordination, ds, { pull, schema: LOAD_SCHEMA, table: 't1', shardRows: 100_000 });
  return { pull, cells };
}

/** Runs the load while one pull follows the other; the last one is cancelled. */
async function whilePulling(load: () => Promise<number>, ask: () => Promise<AskedPull>): Promise<number> {
  let current = await ask();
  const over = new AbortController();
  const pulling = (async (): Promise<void> => {
    for (;;) {
      await pullOver(current.cells, current.pull, 600_000);
      if (over.signal.aborted) return;
      current = await ask();
    }
  })();
  const seconds = await load();
  over.abort();
  await current.cells.setControl(current.pull, { state: 'cancel' });
  await pulling;
  return seconds;
}
