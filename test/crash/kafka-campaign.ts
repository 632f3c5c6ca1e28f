import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { drainedTo } from '../../src/cli/drained.ts';
import { type Comparison, compareWithSource } from '../../src/cli/quickstart/compare.ts';
import type { Guarantee, Line } from '../../src/config/line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import type { Log } from '../../src/ports/log.ts';
import { kafkaLineText } from '../support/kafka-line-file.ts';
import { LineProcess, lastOf } from '../support/line-process.ts';
import { binlogEnd, openTestLog, probe, unlessAway } from '../support/running-line.ts';
import type { KafkaCluster, Server, ZookeeperServer } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { cutReplicas, keepWorking } from './campaign.ts';
import { type Proof, proveIndependently } from './invariants.ts';
import { CRASH_SCHEMA, createWorkload, type Progress } from './workload.ts';

/** A crash campaign on Kafka: topologies in processes of their own, any of which is killed again and again while the source changes. */
export interface KafkaCampaignOptions {
  readonly server: Server;
  readonly kafka: KafkaCluster;
  /** Where the processes agree who reads the source; null: on Kafka itself. */
  readonly zookeeper: ZookeeperServer | null;
  readonly guarantee: Guarantee;
  /** How often a process is killed. */
  readonly times: number;
  /** After so many kills a broker, and ZooKeeper, is killed and started too; 0: never. */
  readonly serverKillEvery: number;
  /** After so many kills the connection to the source is cut first; 0: never. */
  readonly cutEvery: number;
  /** After so many kills new rows must come out before the next. */
  readonly progressEvery: number;
  readonly progress?: (line: string) => void;
}

export interface KafkaCampaignResult {
  /** How often each process was killed, and `broker` and `zookeeper`. */
  readonly kills: Readonly<Record<string, number>>;
  readonly transactions: number;
  readonly proof: Proof;
  readonly comparison: Comparison;
}

const PARTITIONS = 3;
/** Most time between two kills. */
const MAX_LIFE_MS = 1_000;
/** Most time before another process takes the place of a killed one; often it is there at once. */
const MAX_GONE_MS = 1_000;
const DEADLINE_MS = 60_000;

const processes: readonly (readonly [name: string, topology: string])[] = [
  ['extractor', 'mysql-extractor'],
  ['standby', 'mysql-extractor'],
  ['dispatcher', 'dispatcher'],
  ['appender 1', 'appender'],
  ['appender 2', 'appender'],
];

/** Runs a campaign; what it leaves on the cluster are the topics of the line. Throws with the end of the processes' messages when the line does not catch up. */
export async function kafkaCampaign(options: KafkaCampaignOptions): Promise<KafkaCampaignResult> {
  const { server, kafka, zookeeper, guarantee } = options;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-crash-'));
  const file = join(dir, 'line.yaml');
  const ds = `crash-${guarantee}`;
  const where = { brokers: kafka.bootstrap, guarantee };
  await writeFile(
    file,
    kafkaLineText({
      server,
      ds,
      schemas: [CRASH_SCHEMA],
      kafka: where,
      partitions: PARTITIONS,
      ...(zookeeper === null ? {} : { zookeeper: zookeeper.address }),
    }),
  );
  const line = loadLine(file);
  const running = processes.map(([name, topology]) => new LineProcess(name, file, [topology]));
  const stopWork = new AbortController();
  try {
    await createWorkload(sql => server.query(sql));
    const done: Progress = { transactions: 0 };
    const working = keepWorking(server, done, stopWork.signal);
    for (const each of running) each.start();
    await using log = await openTestLog(line);
    const kills = await Promise.race([
      killing(options, line, log, running, () => done.transactions),
      working.then(() => ({})),
    ]);
    stopWork.abort();
    await working;
    const result = await catchUp(options, line, log);
    for (const each of running) await each.stop();
    return { kills, transactions: done.transactions, ...result };
  } catch (cause) {
    const told = running.map(each => `${each.name}:\n${lastOf(each.told)}`).join('\n');
    throw new Error(`${String(cause)}\n${told}`, { cause });
  } finally {
    stopWork.abort();
    for (const each of running) await each[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  }
}

function oneOf<T>(all: readonly T[]): T {
  const one = all[Math.floor(Math.random() * all.length)];
  if (one === undefined) throw new Error('There is none to choose from.');
  return one;
}

async function killing(
  options: KafkaCampaignOptions,
  line: Line,
  log: Log,
  running: readonly LineProcess[],
  transactions: () => number,
): Promise<Readonly<Record<string, number>>> {
  const { times, serverKillEvery, cutEvery, progressEvery, server, progress = () => {} } = options;
  const kills: Record<string, number> = {};
  const count = (name: string): void => {
    kills[name] = (kills[name] ?? 0) + 1;
  };
  const due = (n: number, every: number): boolean => every > 0 && n % every === 0;
  let before = 0n;
  for (let n = 1; n <= times; n += 1) {
    await delay(Math.random() * MAX_LIFE_MS);
    for (const each of running) each.assertRunning();
    if (due(n, cutEvery)) await cutReplicas(server);
    const victim = oneOf(running);
    await victim.end('SIGKILL');
    count(victim.name);
    if (due(n, serverKillEvery)) for (const name of await restartServers(options)) count(name);
    if (n % 2 === 0) await delay(Math.random() * MAX_GONE_MS);
    victim.start();
    if (due(n, progressEvery)) {
      await until(
        'rows to come out between kills',
        async () => {
          for (const each of running) each.assertRunning();
          return (await published(log, line)) > before;
        },
        DEADLINE_MS,
      );
      before = await published(log, line);
      progress(`${n} kills, ${transactions()} transactions, ${before} messages`);
    }
  }
  return kills;
}

/** Kills a broker and ZooKeeper, starts them again, and gives their names. */
async function restartServers({ kafka, zookeeper }: KafkaCampaignOptions): Promise<readonly string[]> {
  const broker = oneOf(kafka.brokers);
  await Promise.all([broker.kill(), zookeeper?.kill()]);
  await Promise.all([broker.start(), zookeeper?.start()]);
  return zookeeper === null ? ['broker'] : ['broker', 'zookeeper'];
}

/** Offsets of the result topic so far, all partitions together; -1 while nobody can tell. */
async function published(log: Log, { ds }: Line): Promise<bigint> {
  const topic = `${ds}.${CRASH_SCHEMA}.result`;
  try {
    let sum = 0n;
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      sum += await log.offset({ topic, partition }, 'latest');
    }
    return sum;
  } catch {
    return -1n;
  }
}

async function catchUp(
  { server, kafka, guarantee }: KafkaCampaignOptions,
  line: Line,
  log: Log,
): Promise<{ readonly proof: Proof; readonly comparison: Comparison }> {
  const topic = `${line.ds}.${CRASH_SCHEMA}.result`;
  const end = await binlogEnd(server);
  await probe(server);
  const drained = () => drainedTo(log, line, end).catch(unlessAway);
  await until('the line to catch up', drained, DEADLINE_MS);
  await using session = await connectSql(line.source);
  const proof = await proveIndependently(kafka.bootstrap, topic, guarantee !== 'exactly-once');
  const comparison = await compareWithSource({
    log,
    resultTopics: [topic],
    schemas: [CRASH_SCHEMA],
    session,
  });
  return { proof, comparison };
}
