/**
 * `npm run bench -- --kafka [SCALE]`: the whole line on a real Kafka broker, in a throw-away cluster on this machine: rows per second with and without
 * transactions and the ratio between them, latency of an idle line, and what more appender instances cost and bring. Beside it the embedded log, same loads, same run.
 */
import type { Guarantee } from '../src/config/line.ts';
import { type Server, startKafka, startMariadb } from '../test/support/servers.ts';
import type { BenchLineOptions } from './bench-line.ts';
import { type LoadSet, makeLoadSets, makeSpreadSet } from './load-sets.ts';
import { type Latency, median, report, runWorker, withDirectory } from './measure.ts';

const ROUNDS = 3;
const LATENCY_SAMPLES = 500;
const INSTANCES = [1, 2, 4] as const;
/** Partitions of the by-schema topic where instances share it. */
const SHARED_PARTITIONS = 4;

interface WorkerResult {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly anonymousMegabytes: number;
}

const rate = (rows: number, seconds: number): string => `${Math.round(rows / seconds / 1000)}k rows/s`;

class KafkaBench {
  readonly #server: Server;
  readonly #brokers: readonly string[];
  #runs = 0;

  constructor(server: Server, brokers: readonly string[]) {
    this.#server = server;
    this.#brokers = brokers;
  }

  /** A line that has never run. */
  line(guarantee: Guarantee, partitions = 1): BenchLineOptions {
    this.#runs++;
    const log = { kind: 'kafka', brokers: this.#brokers, guarantee } as const;
    return { port: this.#server.port, ds: `bench${this.#runs}`, log, partitions };
  }

  async run(mode: string, line: BenchLineOptions, set: LoadSet): Promise<WorkerResult> {
    return await runWorker<WorkerResult>('./worker.ts', [
      mode,
      JSON.stringify(line),
      set.file,
      String(set.end),
    ]);
  }

  async embedded(set: LoadSet): Promise<WorkerResult> {
    return await withDirectory(dir => {
      const log = { kind: 'embedded', dir } as const;
      return this.run('line', { port: this.#server.port, ds: 'bench', log, partitions: 1 }, set);
    });
  }
}

/** The guarantees in turns, so that a change of the machine's speed meets all of them. */
async function compareGuarantees(bench: KafkaBench, set: LoadSet): Promise<void> {
  const seconds = { embedded: [] as number[], atLeast: [] as number[], exactly: [] as number[] };
  let megabytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    seconds.embedded.push((await bench.embedded(set)).seconds);
    const atLeast = await bench.run('line', bench.line('at-least-once'), set);
    const exactly = await bench.run('line', bench.line('exactly-once'), set);
    seconds.atLeast.push(atLeast.seconds);
    seconds.exactly.push(exactly.seconds);
    megabytes = Math.max(megabytes, atLeast.anonymousMegabytes, exactly.anonymousMegabytes);
  }
  const [embedded, atLeast, exactly] = [seconds.embedded, seconds.atLeast, seconds.exactly].map(median);
  if (embedded === undefined || atLeast === undefined || exactly === undefined) return;
  report(
    `exactly-once / at-least-once, ${set.kind}`,
    atLeast / exactly,
    '>= 0.9',
    `${rate(set.rows, exactly)}, ${rate(set.rows, atLeast)}`,
  );
  report(
    `line on Kafka / on the embedded log, ${set.kind}`,
    embedded / atLeast,
    '-',
    `${rate(set.rows, atLeast)}, ${rate(set.rows, embedded)}; the broker shares the machine`,
  );
  report(
    `memory of the line / 300 MB, ${set.kind}`,
    megabytes / 300,
    '<= 1.0',
    `${Math.round(megabytes)} MB`,
  );
}

async function idleLatency(bench: KafkaBench, guarantee: Guarantee): Promise<void> {
  const line = bench.line(guarantee);
  const { p50, p99, samples } = await runWorker<Latency>('./latency.ts', [
    JSON.stringify(line),
    String(LATENCY_SAMPLES),
  ]);
  report(
    `idle latency p99 / 150 ms, ${guarantee}`,
    p99 / 150,
    '<= 1.0',
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms from commit to result topic, ${samples} rows`,
  );
}

/** Appender processes that share what lies ready in the by-schema topic. */
async function appenderInstances(bench: KafkaBench, set: LoadSet): Promise<void> {
  let alone: { readonly seconds: number; readonly cpuSeconds: number } | null = null;
  for (const count of INSTANCES) {
    const line = bench.line('effectively-once', SHARED_PARTITIONS);
    await bench.run('upstream', line, set);
    const workers = await Promise.all(Array.from({ length: count }, () => bench.run('appender', line, set)));
    const seconds = Math.max(...workers.map(worker => worker.seconds));
    const cpuSeconds = workers.reduce((sum, worker) => sum + worker.cpuSeconds, 0);
    alone ??= { seconds, cpuSeconds };
    report(
      `${count} appender instance${count === 1 ? '' : 's'} / 1, ${set.kind}`,
      alone.seconds / seconds,
      '-',
      `${rate(set.rows, seconds)}, CPU ${(cpuSeconds / alone.cpuSeconds).toFixed(2)} of one's`,
    );
  }
}

/** Runs it all. */
export async function benchKafka(scale: number): Promise<void> {
  await using server = await startMariadb({
    args: ['--max-binlog-size=1G', '--innodb-buffer-pool-size=512M'],
  });
  await using kafka = await startKafka({ brokers: 1, optimized: true });
  console.log(
    `MariaDB ${server.version}, Kafka, Node ${process.version}; medians of ${ROUNDS}. Making the loads.`,
  );
  const sets = await makeLoadSets(server, scale);
  const bench = new KafkaBench(server, kafka.bootstrap);
  for (const set of sets) await compareGuarantees(bench, set);
  await idleLatency(bench, 'effectively-once');
  await idleLatency(bench, 'exactly-once');
  await appenderInstances(bench, await makeSpreadSet(server, scale));
}
