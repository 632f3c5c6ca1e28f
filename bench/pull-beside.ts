/** What a full pull costs those who work on the source meanwhile. */
import { createMemoryCoordination } from '../src/adapters/memory/index.ts';
import { PullCells, type PullControl } from '../src/adapters/pull/pull-cells.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import type { Coordination } from '../src/ports/coordination.ts';
import { LOAD_SCHEMA, runLoad } from '../test/support/load.ts';
import { askPull, pullOver } from '../test/support/pulls.ts';
import { startLine } from '../test/support/running-line.ts';
import type { Server } from '../test/support/servers.ts';
import { until } from '../test/support/until.ts';
import { cpuSeconds, median, report } from './measure.ts';

const TRANSACTIONS = 20_000;
const ROUNDS = 3;
const DEADLINE_MS = 600_000;
const THROTTLED = { state: 'run', rowsPerSecond: 20_000, concurrency: 1 } as const;

/** What the load took: on the clock, and of the CPU in the source. */
interface Taken {
  readonly seconds: number;
  readonly sourceSeconds: number;
}

/** Prints how much slower one-row transactions are beside a pull, as fast as it goes and throttled, and how much more the source works meanwhile; the line runs in each case, and has caught up before. In turns, so that a change of the machine's speed meets all of them. */
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
  const load = async (): Promise<Taken> => {
    const start = performance.now();
    const before = cpuSeconds(server.pid);
    await runLoad(sql => server.query(sql), 'single', transactions);
    const sourceSeconds = cpuSeconds(server.pid) - before;
    return { seconds: (performance.now() - start) / 1000, sourceSeconds };
  };
  let pulls = 0;
  const beside = (control: Partial<PullControl>): Promise<Taken> =>
    whilePulling(load, () => asked(coordination, ds, `beside-${++pulls}`, control));
  const alone: Taken[] = [];
  const fast: Taken[] = [];
  const throttled: Taken[] = [];
  const turns = [
    async () => alone.push(await load()),
    async () => fast.push(await beside({})),
    async () => throttled.push(await beside(THROTTLED)),
  ];
  for (let round = 0; round < ROUNDS; round++) {
    // Each is first once: what comes first finds other caches.
    for (const turn of [...turns.slice(round), ...turns.slice(0, round)]) {
      await line.drained(DEADLINE_MS);
      await turn();
    }
  }
  const clock = (taken: readonly Taken[]): number => median(taken.map(({ seconds }) => seconds));
  const rate = (taken: readonly Taken[]): string =>
    `${Math.round(transactions / clock(taken)).toLocaleString('en-US')}/s`;
  const work = (taken: readonly Taken[]): number => median(taken.map(({ sourceSeconds }) => sourceSeconds));
  const micros = (taken: readonly Taken[]): string => ((work(taken) / transactions) * 1e6).toFixed(0);
  const limit = `${THROTTLED.rowsPerSecond.toLocaleString('en-US')} rows/s, 1 shard`;
  for (const [name, taken] of [
    ['unbounded', fast],
    [limit, throttled],
  ] as const) {
    report(
      `transactions beside a pull / alone, ${name}`,
      clock(alone) / clock(taken),
      '-',
      `${rate(taken)} / ${rate(alone)} of one row each; the source, the line and the load share the machine`,
    );
    report(
      `CPU of the source beside a pull / alone, ${name}`,
      work(taken) / work(alone),
      '-',
      `${micros(taken)} / ${micros(alone)} us for a transaction, with all that the source did for the pull`,
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

/** Runs the load once rows of a pull have come, and while one pull follows the other; the last one is cancelled. */
async function whilePulling(load: () => Promise<Taken>, ask: () => Promise<AskedPull>): Promise<Taken> {
  let current = await ask();
  await until('rows', async () => ((await current.cells.counts(current.pull))?.rows ?? 0) > 0, DEADLINE_MS);
  const over = new AbortController();
  const pulling = (async (): Promise<void> => {
    for (;;) {
      await pullOver(current.cells, current.pull, DEADLINE_MS);
      if (over.signal.aborted) return;
      current = await ask();
    }
  })();
  const taken = await load();
  over.abort();
  await current.cells.setControl(current.pull, { state: 'cancel' });
  await pulling;
  return taken;
}
