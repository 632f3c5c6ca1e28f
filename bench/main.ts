/**
 * `npm run bench -- [--latency] [--kafka] [--pull] [SCALE]`: the figures of DESIGN as ratios, each against a limit or a peer in the same run on the same machine, with a
 * throw-away MariaDB that holds the loads bulk, OLTP and single, SCALE times their full size (default 1: about two minutes of load). With `--kafka`, see kafka.ts; with `--latency`, heartbeat.ts; with `--pull`, pull.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startMariadb } from '../test/support/servers.ts';
import type { BenchLineOptions } from './bench-line.ts';
import { benchDecode, type DecodeBenchRow } from './decode.ts';
import { benchHeartbeat } from './heartbeat.ts';
import { benchKafka } from './kafka.ts';
import { type LoadSet, makeLoadSets } from './load-sets.ts';
import { benchLog } from './log.ts';
import { type Latency, median, report, runWorker, timeCommand, withDirectory } from './measure.ts';
import { benchPull } from './pull.ts';

const ROUNDS = 3;
const LOG_MEGABYTES = 300;
const LATENCY_SAMPLES = 1000;

interface WorkerResult {
  readonly seconds: number;
  readonly anonymousMegabytes: number;
}

/** Seconds that the server's own tool takes to fetch the file, as it is, into memory. */
async function rawSeconds(server: Server, set: LoadSet): Promise<number> {
  const dir = await mkdtemp(join('/dev/shm', 'umbus-bench-')).catch(() =>
    mkdtemp(join(tmpdir(), 'umbus-bench-')),
  );
  const args = [
    '--no-defaults',
    '--read-from-remote-server',
    '--raw',
    '--host=127.0.0.1',
    `--port=${server.port}`,
    '--user=root',
  ];
  try {
    return await timeCommand('mariadb-binlog', [...args, `--result-file=${dir}/`, set.file], 1);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Runs a worker on an embedded log of its own. */
async function runEmbedded(mode: string, server: Server, set: LoadSet): Promise<WorkerResult> {
  return await withDirectory(async dir => {
    const log = { kind: 'embedded', dir } as const;
    const line: BenchLineOptions = { port: server.port, ds: 'bench', log, partitions: 1 };
    return await runWorker<WorkerResult>('./worker.ts', [
      mode,
      JSON.stringify(line),
      set.file,
      String(set.end),
    ]);
  });
}

interface Rounds {
  readonly limit: number;
  readonly extractor: number;
  readonly line: number;
  readonly lineMegabytes: number;
}

/** The limit and our two, in turns, so that a change of the machine's speed meets all of them; medians. */
async function benchSet(server: Server, set: LoadSet): Promise<Rounds> {
  const limits: number[] = [];
  const extractors: WorkerResult[] = [];
  const lines: WorkerResult[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    limits.push(await rawSeconds(server, set));
    extractors.push(await runEmbedded('extractor', server, set));
    lines.push(await runEmbedded('line', server, set));
  }
  return {
    limit: median(limits),
    extractor: median(extractors.map(result => result.seconds)),
    line: median(lines.map(result => result.seconds)),
    lineMegabytes: Math.max(...lines.map(result => result.anonymousMegabytes)),
  };
}

const rate = (rows: number, seconds: number): string => `${Math.round(rows / seconds / 1000)}k rows/s`;

function reportSet(set: LoadSet, rounds: Rounds, decode: DecodeBenchRow | undefined): void {
  const { limit, extractor, line, lineMegabytes } = rounds;
  const bulk = set.kind === 'bulk';
  report(
    `extractor / mariadb-binlog --raw, ${set.kind}`,
    limit / extractor,
    bulk ? '>= 0.6' : '>= 1.0',
    `${rate(set.rows, extractor)} durable, ${rate(set.rows, limit)} to memory`,
  );
  if (decode !== undefined) {
    report(
      `decode / mariadb-binlog -v, ${set.kind}`,
      decode.byServerDecoder,
      bulk ? '>= 1.0' : '>= 4',
      `${Math.round(decode.rowsPerSecond / 1000)}k rows/s, ${Math.round(decode.megabytesOutPerSecond)} MB/s of UMS`,
    );
    report(
      `decode / @vlasky/zongji, ${set.kind}`,
      decode.byZongji,
      '>= 4',
      'which makes objects, no messages',
    );
    report(
      `whole line / its own decode, ${set.kind}`,
      set.rows / line / decode.rowsPerSecond,
      '-',
      `${rate(set.rows, line)} from binlog to durable UMS through three topics, one process`,
    );
  }
  report(
    `memory of the line / 300 MB, ${set.kind}`,
    lineMegabytes / 300,
    '<= 1.0',
    `${Math.round(lineMegabytes)} MB anonymous at most, backlog of ${Math.round(set.end / 1e6)} MB`,
  );
}

async function benchEmbedded(scale: number): Promise<void> {
  await using server = await startMariadb({
    args: ['--max-binlog-size=1G', '--innodb-buffer-pool-size=512M'],
  });
  console.log(`MariaDB ${server.version}, Node ${process.version}; medians of ${ROUNDS}. Making the loads.`);
  const sets = await makeLoadSets(server, scale);
  const decoded = await benchDecode(server, sets);
  for (const set of sets) {
    reportSet(
      set,
      await benchSet(server, set),
      decoded.find(row => row.kind === set.kind),
    );
  }
  const idle = await withDirectory(dir => {
    const log = { kind: 'embedded', dir } as const;
    const line: BenchLineOptions = { port: server.port, ds: 'bench', log, partitions: 1 };
    return runWorker<Latency>('./latency.ts', [JSON.stringify(line), String(LATENCY_SAMPLES)]);
  });
  report(
    'idle latency p50 / 10 ms',
    idle.p50 / 10,
    '<= 1.0',
    `${idle.p50.toFixed(1)} ms from commit to result topic`,
  );
  report(
    'idle latency p99 / 50 ms',
    idle.p99 / 50,
    '<= 1.0',
    `${idle.p99.toFixed(1)} ms, ${idle.samples} rows`,
  );
  for (const row of await benchLog(LOG_MEGABYTES)) {
    report(
      `log / append + fdatasync, ${row.what}`,
      row.ratio,
      '-',
      `${row.log.toFixed(1)} ${row.unit}; ${row.note}`,
    );
  }
}

const args = process.argv.slice(2);
const onKafka = args.includes('--kafka');
const ofHeartbeats = args.includes('--latency');
const ofPulls = args.includes('--pull');
const given = args.filter(arg => arg !== '--kafka' && arg !== '--latency' && arg !== '--pull');
const scale = Number(given[0] ?? 1);
if (!(scale > 0) || given.length > 1) {
  console.error('usage: npm run bench -- [--latency] [--pull] [--kafka] [SCALE]');
  process.exit(2);
}
if (ofPulls) await benchPull(scale);
else if (ofHeartbeats) await benchHeartbeat(onKafka, scale);
else await (onKafka ? benchKafka(scale) : benchEmbedded(scale));
