import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { drainedTo } from '../../src/cli/drained.ts';
import { type Comparison, compareWithSource } from '../../src/cli/quickstart/compare.ts';
import type { Line } from '../../src/config/line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import type { Log } from '../../src/ports/log.ts';
import { binlogEnd, PROBE_SCHEMA, probe } from '../support/running-line.ts';
import type { Server } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { type Proof, prove } from './invariants.ts';
import { CRASH_SCHEMA, createWorkload, type Progress, work } from './workload.ts';

/** A crash campaign: a line that is killed again and again while its source changes. */
export interface CampaignOptions {
  readonly server: Server;
  /** How often the line's process is killed. */
  readonly times: number;
  /** After so many kills of the line the source server is killed and started too; 0: never. */
  readonly sourceKillEvery: number;
  /** After so many kills the line's connection to the source is cut first; 0: never. */
  readonly cutEvery: number;
  readonly progress?: (line: string) => void;
}

export interface CampaignResult {
  readonly kills: number;
  readonly transactions: number;
  readonly proof: Proof;
  readonly comparison: Comparison;
}

const MIN_LIFE_MS = 30;
const MAX_LIFE_MS = 1_600;
const DRAIN_DEADLINE_MS = 180_000;

const lineText = (server: Server): string => `ds: crash
source:
  url: mysql://${server.user}@${server.host}:${server.port}
  serverId: 3100000000
  start: earliest
schemas:
  ${CRASH_SCHEMA}: {}
  ${PROBE_SCHEMA}: {}
log:
  embedded: { dir: log, maxBytes: 16GB }
topics: { partitions: 3 }
`;

/** `umbus run` as a process of its own, its messages in a file. */
export function spawnLine(file: string, messages: string): ChildProcess {
  const output = openSync(messages, 'a');
  const child = spawn(process.execPath, ['src/cli/main.ts', 'run', '--line', file], {
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  return child;
}

/** Sends a process a signal and waits for its end. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Keeps the workload going over new connections until `signal` aborts: the source is killed under it. */
export async function keepWorking(server: Server, progress: Progress, signal: AbortSignal): Promise<void> {
  const login = {
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    tls: null,
  };
  while (!signal.aborted) {
    try {
      await using session = await connectSql(login);
      const pause = async (sql: string): Promise<unknown> => {
        if (sql === 'BEGIN') await delay(2);
        return session.query(sql);
      };
      await work(pause, progress, signal);
    } catch (error) {
      if (!/cannot be reached|cut|clos|lost|refused|gone|shutdown|answered an error/i.test(String(error)))
        throw error;
      await delay(50);
    }
  }
}

/** Cuts every connection that reads the binlog. */
export async function cutReplicas(server: Server): Promise<void> {
  const threads = await server.query(
    "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
  );
  for (const thread of threads) await server.query(`KILL ${Number(thread['id'])}`).catch(() => undefined);
}

/** Runs a campaign; its files are removed. Throws with the end of the line's messages when the line does not catch up. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const { server, progress = () => {} } = options;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-crash-'));
  try {
    const file = join(dir, 'line.yaml');
    const messages = join(dir, 'messages.log');
    await writeFile(file, lineText(server));
    await createWorkload(sql => server.query(sql));
    const stopWork = new AbortController();
    const done: Progress = { transactions: 0 };
    const working = keepWorking(server, done, stopWork.signal);
    for (let n = 1; n <= options.times; n++) {
      const child = spawnLine(file, messages);
      await Promise.race([delay(MIN_LIFE_MS + Math.random() * (MAX_LIFE_MS - MIN_LIFE_MS)), working]);
      if (options.cutEvery > 0 && n % options.cutEvery === 0) {
        await cutReplicas(server);
        await delay(400);
      }
      if (options.sourceKillEvery > 0 && n % options.sourceKillEvery === 0) {
        await server.kill9();
        await server.start();
        await delay(600);
      }
      if (child.exitCode !== null) throw new Error(`The line ended by itself.\n${lastOf(messages)}`);
      await kill(child, 'SIGKILL');
      if (n % 10 === 0) progress(`${n} kills, ${done.transactions} transactions`);
    }
    stopWork.abort();
    await working;
    const result = await catchUp(loadLine(file), file, messages, server);
    return { kills: options.times, transactions: done.transactions, ...result };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function catchUp(
  line: Line,
  file: string,
  messages: string,
  server: Server,
): Promise<{ readonly proof: Proof; readonly comparison: Comparison }> {
  const topic = `${line.ds}.${CRASH_SCHEMA}.result`;
  const end = await binlogEnd(server);
  await probe(server);
  const child = spawnLine(file, messages);
  try {
    await until('the log to open', () => canRead(line), DRAIN_DEADLINE_MS);
    await using log = await openReader(line);
    await until('the line to catch up', () => drainedTo(log, line, end), DRAIN_DEADLINE_MS);
    await using session = await connectSql(line.source);
    const proof = await prove(log, topic);
    const comparison = await compareWithSource({
      log,
      resultTopics: [topic],
      schemas: [CRASH_SCHEMA],
      session,
    });
    return { proof, comparison };
  } catch (cause) {
    throw new Error(`${String(cause)}\n${lastOf(messages)}`, { cause });
  } finally {
    await kill(child, 'SIGTERM');
  }
}

/** Reads the log of a line beside its process. */
export async function openReader({ log }: Line): Promise<Log> {
  if (log.kind !== 'embedded') throw new Error('This campaign is about embedded logs.');
  return await openEmbeddedLog({ ...log, mode: 'reader', clock: systemClock });
}

/** Whether the line has made its log. */
export async function canRead(line: Line): Promise<boolean> {
  try {
    await using log = await openReader(line);
    return (await log.topics()).length > 0;
  } catch {
    return false;
  }
}

/** The end of a process's messages. */
export function lastOf(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-30).join('\n');
}
