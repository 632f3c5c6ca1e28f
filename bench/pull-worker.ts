/** `node pull-worker.ts PORT CONCURRENCY TABLE`: a full pull through a whole line in a process of its own. Prints one line of JSON, a {@link PullFigures}. */
import { createMemoryCoordination } from '../src/adapters/memory/index.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';
import { askPull, pullOver } from '../test/support/pulls.ts';
import { startLine } from '../test/support/running-line.ts';
import type { Server } from '../test/support/servers.ts';
import { anonymousMegabytes } from './measure.ts';

/** What a pull took. */
export interface PullFigures {
  readonly rows: number;
  readonly seconds: number;
  /** Until the first rows were on the result topic. */
  readonly firstSeconds: number;
  /** Anonymous memory at most, in the first half of the time in which rows came and in the second. */
  readonly earlyMegabytes: number;
  readonly lateMegabytes: number;
}

const LOOK_MS = 20;
const DEADLINE_MS = 1_800_000;

const [port = '', concurrency = '6', table = 't1'] = process.argv.slice(2);
const login = { host: '127.0.0.1', port: Number(port), user: 'root', password: '' };
await using coordination = createMemoryCoordination({ clock: systemClock }).open();
await using line = await startLine({
  // A line needs no more of it.
  server: login as unknown as Server,
  schemas: [LOAD_SCHEMA],
  start: 'now',
  coordination,
  concurrency: Number(concurrency),
  partitions: 1,
});
const topic = { topic: `${line.line.ds}.${LOAD_SCHEMA}.result`, partition: 0 };
const start = performance.now();
let firstSeconds = Number.NaN;
const memory: number[] = [];
const watch = setInterval(() => {
  if (!Number.isNaN(firstSeconds)) {
    memory.push(anonymousMegabytes());
    return;
  }
  line.log.offset(topic, 'latest').then(
    offset => {
      // The first message says that the pull begins.
      if (offset > 1n && Number.isNaN(firstSeconds)) firstSeconds = (performance.now() - start) / 1000;
    },
    // The topic is not there yet.
    () => {},
  );
}, LOOK_MS);
const cells = await askPull(coordination, line.line.ds, {
  pull: 'bench',
  schema: LOAD_SCHEMA,
  table,
  shardRows: 100_000,
});
const { status, failure, rows } = await pullOver(cells, 'bench', DEADLINE_MS);
clearInterval(watch);
if (status !== 'ending') throw new Error(failure?.message);
const half = Math.ceil(memory.length / 2);
const figures: PullFigures = {
  rows: rows ?? 0,
  seconds: (performance.now() - start) / 1000,
  firstSeconds,
  earlyMegabytes: Math.max(...memory.slice(0, half)),
  lateMegabytes: Math.max(...memory.slice(-half)),
};
console.log(JSON.stringify(figures));
