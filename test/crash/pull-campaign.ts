/**
 * Full pulls of a large table with skewed keys while a load changes it and the line's process is killed at random: extractor, splitter, puller and appender at once. In the end what was published is the
 * source's table.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { pullRequest } from '../../src/change/pull-job.ts';
import { drainedTo } from '../../src/cli/drained.ts';
import { openPulls } from '../../src/cli/pull/open-pulls.ts';
import { isOver } from '../../src/cli/pull/pull-text.ts';
import { type Comparison, compareWithSource } from '../../src/cli/quickstart/compare.ts';
import type { Line } from '../../src/config/line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import { binlogEnd, PROBE_SCHEMA, probe } from '../support/running-line.ts';
import type { Server } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { canRead, cutReplicas, kill, lastOf, openReader, spawnLine } from './campaign.ts';

const SCHEMA = 'pulled';
const DEADLINE_MS = 3_600_000;
const ROWS_A_STATEMENT = 20_000;

export interface PullCampaignOptions {
  readonly server: Server;
  /** Kills at least; pulls follow each other until then. */
  readonly times: number;
  readonly rows: number;
  readonly progress?: (line: string) => void;
}

export interface PullCampaignResult {
  readonly kills: number;
  readonly pulls: number;
  readonly changes: number;
  readonly comparison: Comparison;
}

const lineText = (server: Server): string => `ds: pulled
source:
  url: mysql://${server.user}@${server.host}:${server.port}
  serverId: 3100000001
  start: now
schemas:
  ${SCHEMA}: {}
  ${PROBE_SCHEMA}: {}
log:
  embedded: { dir: log, maxBytes: 64GB }
topics: { partitions: 2, retentionBytes: none }
`;

/** Nine rows of ten share the first column of the key, and half of the numbers are in a corner of their range. */
async function makeTable(server: Server, rows: number): Promise<void> {
  await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
  await server.query(`CREATE TABLE ${SCHEMA}.n (n INT PRIMARY KEY)`);
  const numbers = Array.from({ length: ROWS_A_STATEMENT }, (_, n) => `(${n})`);
  await server.query(`INSERT INTO ${SCHEMA}.n VALUES ${numbers.join()}`);
  await server.query(
    `CREATE TABLE ${SCHEMA}.big (region VARCHAR(10), id BIGINT, v INT NOT NULL, body VARCHAR(60), PRIMARY KEY (region, id))`,
  );
  for (let first = 0; first < rows; first += ROWS_A_STATEMENT) {
    await server.query(
      `INSERT INTO ${SCHEMA}.big SELECT IF(n % 10 = 0, CONCAT('r', n % 7), 'Main'), IF(n % 2, n + ${first}, (n + ${first}) * 1000003), 0, REPEAT('x', n % 60)
         FROM ${SCHEMA}.n WHERE n < ${Math.min(ROWS_A_STATEMENT, rows - first)}`,
    );
  }
}

/** Changes rows until `signal` aborts; gives how many statements there were. */
async function change(server: Server, rows: number, signal: AbortSignal): Promise<number> {
  const { host, port, user, password } = server;
  await using session = await connectSql({ host, port, user, password, tls: null });
  const below = (n: number): number => Math.floor(Math.random() * n);
  let changes = 0;
  while (!signal.aborted) {
    const id = below(rows);
    const statements = [
      `UPDATE ${SCHEMA}.big SET v = v + 1 WHERE region = 'Main' AND id BETWEEN ${id} AND ${id + 20}`,
      `DELETE FROM ${SCHEMA}.big WHERE region = 'Main' AND id BETWEEN ${id} AND ${id + 3}`,
      `INSERT IGNORE INTO ${SCHEMA}.big VALUES ('Main', ${id}, 1, 'new'), ('r${below(7)}', ${id}, 1, 'new')`,
      `UPDATE IGNORE ${SCHEMA}.big SET region = 'moved' WHERE region = 'Main' AND id BETWEEN ${id} AND ${id + 5}`,
      `UPDATE IGNORE ${SCHEMA}.big SET id = -id WHERE region = 'moved' AND id BETWEEN ${id} AND ${id + 900} LIMIT 4`,
    ];
    await session.query(statements[below(statements.length)] ?? '');
    changes++;
    await delay(2);
  }
  return changes;
}

/** Runs a campaign; its files are removed. Throws with the end of the line's messages when a pull does not end. */
export async function pullCampaign(options: PullCampaignOptions): Promise<PullCampaignResult> {
  const { server, times, rows, progress = () => {} } = options;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-pull-crash-'));
  const messages = join(dir, 'messages.log');
  const stop = new AbortController();
  try {
    const file = join(dir, 'line.yaml');
    await writeFile(file, lineText(server));
    await makeTable(server, rows);
    const line = loadLine(file);
    let child = spawnLine(file, messages);
    await until('the log to open', () => canRead(line), 60_000);
    const working = change(server, rows, stop.signal);
    let kills = 0;
    let pulls = 0;
    do {
      const pull = `pull-${++pulls}`;
      await ask(line, pull, Math.max(1000, Math.round(rows / 40)));
      while (!(await over(line, pull))) {
        await Promise.race([delay(400 + Math.random() * 2500), working]);
        if (kills >= times) continue;
        if (kills % 4 === 3) await cutReplicas(server);
        if (child.exitCode !== null) throw new Error('The line ended by itself.');
        await kill(child, 'SIGKILL');
        kills++;
        child = spawnLine(file, messages);
        progress(`${kills} kills, pull ${pulls}`);
      }
    } while (kills < times);
    stop.abort();
    const changes = await working;
    const comparison = await compared(line, server);
    await kill(child, 'SIGTERM');
    return { kills, pulls, changes, comparison };
  } catch (cause) {
    throw new Error(`${String(cause)}\n${lastOf(messages)}`, { cause });
  } finally {
    stop.abort();
    await rm(dir, { recursive: true, force: true });
  }
}

async function ask(line: Line, pull: string, shardRows: number): Promise<void> {
  await using pulls = await openPulls(line, systemClock);
  const job = {
    pull,
    schema: SCHEMA,
    table: 'big',
    condition: null,
    splitBy: [],
    columns: [],
    mode: 'watermark' as const,
    shardRows,
    askedMs: Date.now(),
  };
  await pulls.cells.change(job, {});
  await pulls.cells.request(pull, pullRequest(job));
}

/** Throws for a pull that was aborted. */
async function over(line: Line, pull: string): Promise<boolean> {
  await using pulls = await openPulls(line, systemClock);
  const record = await pulls.cells.record(pull);
  if (record === null || !isOver(record)) return false;
  if (record.failure !== null) throw new Error(`${pull}: ${record.failure.code}: ${record.failure.message}`);
  return true;
}

async function compared(line: Line, server: Server): Promise<Comparison> {
  const end = await binlogEnd(server);
  await probe(server);
  await using log = await openReader(line);
  await until('the line to catch up', () => drainedTo(log, line, end), DEADLINE_MS);
  await server.query(`DROP TABLE ${SCHEMA}.n`);
  await using session = await connectSql(line.source);
  return await compareWithSource({
    log,
    resultTopics: [`${line.ds}.${SCHEMA}.result`],
    schemas: [SCHEMA],
    session,
  });
}
