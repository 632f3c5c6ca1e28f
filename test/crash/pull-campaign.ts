/**
 * Full pulls of a large table with skewed keys while a load changes it, and while processes of the line and connections of the source are killed at random. In the end what was published is the source's table.
 * On an embedded log all of the line is one process; on Kafka the splitter, two pullers and the appender are processes of their own.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isOver, type PullCells } from '../../src/adapters/pull/pull-cells.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { pullRequest } from '../../src/change/pull-job.ts';
import { drainedTo } from '../../src/cli/drained.ts';
import { openLineLog } from '../../src/cli/open-line.ts';
import { openPulls } from '../../src/cli/pull/open-pulls.ts';
import type { Line } from '../../src/config/line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import { kafkaLineText } from '../support/kafka-line-file.ts';
import { LineProcess, lastOf } from '../support/line-process.ts';
import { binlogEnd, PROBE_SCHEMA, probe, unlessAway } from '../support/running-line.ts';
import type { KafkaCluster, Server } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { type PlainResult, readPlainly } from './plain-reader.ts';
import { change, makeTable, PULL_SCHEMA } from './pull-table.ts';

const DEADLINE_MS = 3_600_000;
/** On a machine that has just written a large table. */
const STARTED_MS = 120_000;

/** A campaign. */
export interface PullCampaignOptions {
  readonly server: Server;
  /** Where its log is; null: in a directory, with the whole line in one process. */
  readonly kafka?: KafkaCluster | null;
  /** Kills at least; pulls follow each other until then. */
  readonly times: number;
  readonly rows: number;
  readonly progress?: (line: string) => void;
}

/** What became of it. */
export interface PullCampaignResult extends PlainResult {
  /** How often each was killed: processes by name, and the source's connections. */
  readonly kills: Readonly<Record<string, number>>;
  readonly pulls: number;
  readonly changes: number;
  /** Rows that the last pull published, and how long it took. */
  readonly last: { readonly rows: number; readonly seconds: number };
}

const lineText = (server: Server): string => `ds: pulled
source:
  url: mysql://${server.user}@${server.host}:${server.port}
  serverId: 3100000001
  start: now
schemas:
  ${PULL_SCHEMA}: {}
  ${PROBE_SCHEMA}: {}
log:
  embedded: { dir: log, maxBytes: 64GB }
topics: { partitions: 2, retentionBytes: none }
`;

const processes: readonly (readonly [name: string, ...topologies: string[]])[] = [
  ['extractor', 'mysql-extractor', 'dispatcher'],
  ['appender', 'appender'],
  ['splitter', 'splitter'],
  ['puller 1', 'puller'],
  ['puller 2', 'puller'],
];

/** Runs a campaign; its files are removed. Throws with the end of the line's messages when a pull does not end. */
export async function pullCampaign(options: PullCampaignOptions): Promise<PullCampaignResult> {
  const { server, kafka = null, rows } = options;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-pull-crash-'));
  const stop = new AbortController();
  const file = join(dir, 'line.yaml');
  const where = { server, ds: 'pulled', schemas: [PULL_SCHEMA], partitions: 2, start: 'now' } as const;
  const text =
    kafka === null
      ? lineText(server)
      : kafkaLineText({ ...where, kafka: { brokers: kafka.bootstrap, guarantee: 'effectively-once' } });
  await writeFile(file, text);
  const line = loadLine(file);
  const running =
    kafka === null
      ? [new LineProcess('line', file, [])]
      : processes.map(([name, ...topologies]) => new LineProcess(name, file, topologies));
  try {
    await makeTable(server, rows);
    for (const each of running) each.start();
    await Promise.all(running.map(each => each.tells(/"/, STARTED_MS)));
    await running[0]?.tells(/Source is connected/, STARTED_MS);
    let load = 0;
    const working = change(server, rows, stop.signal, connection => {
      load = connection;
    });
    const killed = await pulling(options, line, running, working, () => load);
    stop.abort();
    const changes = await working;
    const result = await caughtUp(line, server);
    for (const each of running) await each.stop();
    return { ...killed, changes, ...result };
  } catch (cause) {
    const told = running.map(each => `${each.name}:\n${lastOf(each.told)}`).join('\n');
    throw new Error(`${String(cause)}\n${told}`, { cause });
  } finally {
    stop.abort();
    for (const each of running) await each[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Pulls, and kills meanwhile. */
async function pulling(
  { server, times, rows, progress = () => {} }: PullCampaignOptions,
  line: Line,
  running: readonly LineProcess[],
  working: Promise<unknown>,
  load: () => number,
): Promise<Pick<PullCampaignResult, 'kills' | 'pulls' | 'last'>> {
  const kills: Record<string, number> = {};
  let pulls = 0;
  let count = 0;
  let last = { rows: 0, seconds: 0 };
  do {
    const pull = `pull-${++pulls}`;
    const startedMs = performance.now();
    await ask(line, pull, Math.max(1000, Math.round(rows / 40)));
    for (let over = await ended(line, pull); ; over = await ended(line, pull)) {
      last = { rows: over ?? 0, seconds: (performance.now() - startedMs) / 1000 };
      if (over !== null) break;
      await Promise.race([delay(400 + Math.random() * 2500), working]);
      for (const each of running) each.assertRunning();
      if (count >= times) continue;
      const name = await killOne(server, running, load());
      kills[name] = (kills[name] ?? 0) + 1;
      progress(`${++count} kills, pull ${pulls}: ${name}`);
    }
    progress(
      `pull ${pulls}: ${last.rows.toLocaleString('en-US')} rows in ${Math.round(last.seconds)} s, with the line's starts`,
    );
  } while (count < times);
  return { kills, pulls, last };
}

/** Kills a process, which begins again at once, or one time in four the connections to the source; gives the name of what it was. */
async function killOne(server: Server, running: readonly LineProcess[], load: number): Promise<string> {
  if (Math.random() < 0.25) {
    await cutSource(server, load);
    return 'source connections';
  }
  const victim = running[Math.floor(Math.random() * running.length)];
  if (victim === undefined) throw new Error('There is no process.');
  await victim.end('SIGKILL');
  victim.start();
  return victim.name;
}

/** Cuts all connections but those of the campaign: of the dump, of rows that are read, of watermarks. */
async function cutSource(server: Server, load: number): Promise<void> {
  const threads = await server.query(
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID NOT IN (CONNECTION_ID(), ${load}) AND USER NOT IN ('system user', 'event_scheduler')`,
  );
  // One may be gone by itself.
  for (const { id } of threads) await server.query(`KILL ${Number(id)}`).catch(() => undefined);
}

async function ask(line: Line, pull: string, shardRows: number): Promise<void> {
  const shape = { schema: PULL_SCHEMA, table: 'big', condition: null, splitBy: [], columns: [], to: null };
  const job = { ...shape, mode: 'watermark', pull, shardRows, askedMs: Date.now() } as const;
  await withCells(line, async cells => {
    await cells.change(job, {});
    await cells.request(pull, pullRequest(job));
  });
}

/** Rows of a pull that is whole; null for one that goes on. Throws for one that was aborted. */
async function ended(line: Line, pull: string): Promise<number | null> {
  return await withCells(line, async cells => {
    const record = await cells.record(pull);
    if (record === null || !isOver(record)) return null;
    if (record.failure !== null)
      throw new Error(`${pull}: ${record.failure.code}: ${record.failure.message}`);
    return record.rows ?? 0;
  });
}

async function withCells<T>(line: Line, work: (cells: PullCells) => Promise<T>): Promise<T> {
  await using pulls = await openPulls(line, systemClock);
  return await work(pulls.cells);
}

async function caughtUp(line: Line, server: Server): Promise<PlainResult> {
  const end = await binlogEnd(server);
  await probe(server);
  await using log = await openLineLog(line, 'reader');
  const drained = () => drainedTo(log, line, end).catch(unlessAway);
  await until('the line to catch up', drained, DEADLINE_MS);
  const topic = `${line.ds}.${PULL_SCHEMA}.result`;
  return await readPlainly({ log, topic, server, table: `${PULL_SCHEMA}.big`, keyColumns: 2 });
}
