/**
 * `npm run bench -- --latency [--kafka]`: heartbeats of a line, from insert at the source to a reader of the result topic, on an idle line and at shares of its top rate; and what they
 * cost with 1, 100 and 1,000 tables. The server, the load and the line share the machine.
 */
import { startKafka, startMariadb } from '../test/support/servers.ts';
import type { BenchLineOptions } from './bench-line.ts';
import type { BeatBench, BeatBenchOptions } from './heartbeat-worker.ts';
import { median, report, runWorker, withDirectory } from './measure.ts';

const SHARES = [0.1, 0.5, 0.9];
const BEATS = 400;
const EVERY_MS = 50;
const COST_BEATS = 40;
const LOAD_SECONDS = 15;
/** Fewer say nothing. */
const BEATS_MIN = 5;
/** Of loads with heartbeats and without. */
const ROUNDS = 4;

/** Runs it on an embedded log, or on a throw-away Kafka. `scale`: of the rounds and of the time of loads, 1 being the whole. */
export async function benchHeartbeat(onKafka: boolean, scale: number): Promise<void> {
  const some = (beats: number): number => Math.max(BEATS_MIN, Math.round(beats * scale));
  await using server = await startMariadb({ args: ['--innodb-buffer-pool-size=512M'] });
  await using cluster = onKafka ? await startKafka() : null;
  console.log(`MariaDB ${server.version}, Node ${process.version}; ${onKafka ? 'Kafka' : 'embedded log'}.`);
  let runs = 0;
  const run = (options: Partial<BeatBenchOptions>): Promise<BeatBench> =>
    withDirectory(dir => {
      const brokers = cluster?.bootstrap;
      const log: BenchLineOptions['log'] =
        brokers === undefined
          ? { kind: 'embedded', dir }
          : { kind: 'kafka', brokers, guarantee: 'effectively-once' };
      runs += 1;
      const line: BenchLineOptions = { port: server.port, ds: `beat${runs}`, log, partitions: 4 };
      const all: BeatBenchOptions = {
        everyMs: EVERY_MS,
        beats: some(BEATS),
        tables: 1,
        rowsPerSecond: 0,
        statistics: true,
        loadSeconds: Math.max(1, LOAD_SECONDS * scale),
        ...options,
      };
      return runWorker<BeatBench>('./heartbeat-worker.ts', [JSON.stringify(line), JSON.stringify(all)]);
    });
  const p99Goal = onKafka ? 150 : 50;
  const tell = (where: string, { p50, p99, p999, beats, rowsPerSecond }: BeatBench, goal: string): void => {
    const load = rowsPerSecond === 0 ? '' : `, ${Math.round(rowsPerSecond / 1000)}k rows/s`;
    const detail = `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, p99.9 ${p999.toFixed(1)} ms; ${beats} heartbeats${load}`;
    report(`heartbeat p99 / ${p99Goal} ms, ${where}`, p99 / p99Goal, goal, detail);
  };
  tell('idle', await run({}), '<= 1.0');
  const top = await run({ rowsPerSecond: Number.MAX_SAFE_INTEGER, beats: some(200) });
  for (const share of SHARES) {
    const loaded = await run({ rowsPerSecond: Math.round(top.rowsPerSecond * share) });
    tell(`${Math.round(share * 100)} % of ${Math.round(top.rowsPerSecond / 1000)}k rows/s`, loaded, '-');
  }
  for (const tables of [1, 100, 1000]) {
    const cost = await run({ tables, everyMs: 1000, beats: some(COST_BEATS) });
    const { cpuMsPerBeat, insertMs, bytesPerBeat, p50 } = cost;
    report(
      `CPU of a round / 100 ms, ${tables} tables`,
      cpuMsPerBeat / 100,
      '-',
      `${cpuMsPerBeat.toFixed(1)} ms CPU, ${insertMs.toFixed(1)} ms insert, ${Math.round(bytesPerBeat / 1024)} KB written a round; p50 ${p50.toFixed(1)} ms`,
    );
  }
  const flat: number[] = [];
  const beating: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const load = { rowsPerSecond: Number.MAX_SAFE_INTEGER };
    const without = async () =>
      flat.push((await run({ ...load, everyMs: 3_600_000, beats: 0 })).rowsPerSecond);
    const watched = async () =>
      beating.push((await run({ ...load, everyMs: 1000, beats: some(10), tables: 1000 })).rowsPerSecond);
    // In turns, and by turns first: a server that has just worked is faster.
    for (const each of round % 2 === 0 ? [without, watched] : [watched, without]) await each();
  }
  report(
    'rows per second with / without heartbeats',
    median(beating) / median(flat),
    '-',
    `${Math.round(median(beating) / 1000)}k and ${Math.round(median(flat) / 1000)}k rows/s; 1,000 tables, a round a second, results read back`,
  );
}
