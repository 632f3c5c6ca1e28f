/** A line that beats, in a process of its own: `heartbeat-worker.ts LINE OPTIONS`, both JSON. Prints a {@link BeatBench} as JSON. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connectSql } from '../src/adapters/mysql/connect.ts';
import { createMysqlSource } from '../src/adapters/mysql/index.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import { latencyMicros } from '../src/change/stat-message.ts';
import { drainedTo } from '../src/cli/drained.ts';
import { heartbeatPorts } from '../src/cli/run/heartbeat-ports.ts';
import type { Line } from '../src/config/line.ts';
import { startTopology } from '../src/runtime/start.ts';
import { createSignalTables, roundsOf, statsOf } from '../test/support/heartbeats.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';
import { lineTopologies } from '../topologies/index.ts';
import { type BenchLineOptions, benchLine, openBenchLog } from './bench-line.ts';
import { median, quantile } from './measure.ts';

/** What is asked for. */
export interface BeatBenchOptions {
  readonly everyMs: number;
  /** Rounds that are measured; 0: none, only the load. */
  readonly beats: number;
  /** Tables that have heartbeats. */
  readonly tables: number;
  /** Of the load; beyond what the server does: as fast as it can. */
  readonly rowsPerSecond: number;
  readonly statistics: boolean;
  /** The load lasts so long at least. */
  readonly loadSeconds: number;
}

/** What came out: latencies and times in milliseconds. */
export interface BeatBench {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly beats: number;
  /** Rows of the load by the time that the line took for all of them. */
  readonly rowsPerSecond: number;
  readonly cpuMsPerBeat: number;
  /** Median of what the source took for the insert. */
  readonly insertMs: number;
  /** Of all topics of the line. */
  readonly bytesPerBeat: number;
}

/** Rounds before the measured ones: they meet code that is not compiled yet, and name the tables. */
const WARM_UP = 20;
const POLL_MS = 50;

const [lineText = '', optionsText = ''] = process.argv.slice(2);
// Written by the benchmark that runs this.
const options = JSON.parse(optionsText) as BeatBenchOptions;
const base = benchLine(JSON.parse(lineText) as BenchLineOptions, 'now');
const schema = base.schemas[LOAD_SCHEMA];
if (schema === undefined) throw new Error('The bench line has no schema.');
const line: Line = {
  ...base,
  schemas: { [LOAD_SCHEMA]: { ...schema, tables: ['load', 'beat*'] } },
  heartbeat: {
    every: { kind: 'interval', ms: options.everyMs },
    rows: 'line',
    keep: 10_000,
    timeoutMs: 10_000,
    statistics: options.statistics,
  },
};
await using session = await connectSql(line.source);
const execute = (sql: string) => session.query(sql);
await createSignalTables(execute);
await execute(`DROP DATABASE IF EXISTS ${LOAD_SCHEMA}`);
await execute(`CREATE DATABASE ${LOAD_SCHEMA}`);
await execute(
  `CREATE TABLE ${LOAD_SCHEMA}.\`load\` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL)`,
);
for (let i = 1; i < options.tables; i++) {
  await execute(`CREATE TABLE ${LOAD_SCHEMA}.beat${i} (id INT PRIMARY KEY)`);
}
const log = await openBenchLog(line);
const heartbeat = await heartbeatPorts(line, null, (level, message, fields) => {
  if (level === 'warn') console.error(message, fields);
});
const topologies = lineTopologies(line, { source: createMysqlSource(line.source), heartbeat }).map(
  ({ definition, config }) =>
    startTopology(definition, config, { log, clock: systemClock, instance: line.ds }),
);
const running = { log, line } as Parameters<typeof roundsOf>[0]; // all that it uses
const rounds = async (): Promise<number> => (await roundsOf(running)).length;
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await systemClock.sleep(POLL_MS);
};
const bytes = async (): Promise<number> =>
  (await log.topics())
    .flatMap(({ extents }) => extents)
    .reduce((sum, extent) => sum + (extent.bytes ?? 0), 0);

const measured = options.beats > 0;
if (measured) await until(async () => (await rounds()) >= WARM_UP);
const loading = options.rowsPerSecond > 0;
const started = performance.now();
const load = loading
  ? spawn(process.execPath, [
      new URL('./heartbeat-load.ts', import.meta.url).pathname,
      String(line.source.port),
      String(options.rowsPerSecond),
      String(Math.max(options.loadSeconds, (options.beats * options.everyMs) / 1000)),
    ])
  : null;
let printed = '';
load?.stdout.on('data', text => {
  printed += String(text);
});
const cpuBefore = process.cpuUsage();
const bytesBefore = await bytes();
const first = measured ? await rounds() : 0;
if (measured) await systemClock.sleep(options.beats * options.everyMs);
const last = measured ? await rounds() : 0;
const cpu = process.cpuUsage(cpuBefore);
const written = (await bytes()) - bytesBefore;
let rowsPerSecond = 0;
if (load !== null) {
  if (load.exitCode === null) await once(load, 'exit');
  const [end] = await execute('SHOW MASTER STATUS');
  const place = { file: String(end?.['File']), position: Number(end?.['Position']) };
  await until(() => drainedTo(log, line, place));
  rowsPerSecond = Number(printed) / ((performance.now() - started) / 1000);
}
const stats = (await statsOf(log, 'HEART_BEAT')).filter(
  ({ dsName, payload }) => dsName === line.ds && payload.beat > WARM_UP,
);
const latencies = stats.map(({ payload }) => Math.max(0, latencyMicros(payload, payload.read ?? 0)) / 1000);
const done = await roundsOf(running);
await Promise.all(topologies.map(topology => topology.stop()));
await log[Symbol.asyncDispose]();
const result: BeatBench = {
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
  p999: quantile(latencies, 0.999),
  beats: latencies.length,
  rowsPerSecond,
  cpuMsPerBeat: (cpu.user + cpu.system) / 1000 / Math.max(1, last - first),
  insertMs: median(done.flatMap(each => (each.kind === 'beat' ? [each.insertMs] : []))),
  bytesPerBeat: written / Math.max(1, last - first),
};
console.log(JSON.stringify(result));
