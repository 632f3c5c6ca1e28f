import { after, before } from 'node:test';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { type KafkaCluster, startKafka } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { describeLog, type LogFixture } from './log.ts';

let cluster: KafkaCluster | null = null;
let admin: Admin | null = null;
before(async () => {
  cluster = await startKafka();
  admin = new Kafka({ brokers: [...cluster.bootstrap], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
after(async () => {
  await admin?.disconnect();
  await cluster?.[Symbol.asyncDispose]();
});

async function openFixture(transactions: boolean): Promise<LogFixture> {
  if (cluster === null) throw new Error('The broker was not started.');
  const brokers = cluster.bootstrap;
  const open = () =>
    openKafkaLog({
      brokers,
      tls: null,
      sasl: null,
      clientId: 'suite',
      replicationFactor: 1,
      compression: 'none',
      maxRecordBytes: 24 * 1_048_576,
      createTopics: true,
      transactions,
      sessionTimeoutMs: 1_000,
      handOverMs: 300,
      clock: systemClock,
    });
  let log = await open();
  return {
    log,
    async reopen() {
      await log[Symbol.asyncDispose]();
      log = await open();
      return log;
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      await clear();
    },
  };
}

/** Deletes all topics and groups. A broker takes a little to be rid of either. */
async function clear(): Promise<void> {
  const client = admin;
  if (client === null) return;
  await until('all topics and groups are gone', async () => {
    const topics = (await client.listTopics()).filter(name => !name.startsWith('__'));
    if (topics.length > 0) await client.deleteTopics({ topics }).catch(() => {});
    const { groups } = await client.listGroups();
    const ids = groups.map(group => group.groupId);
    if (ids.length > 0) await client.deleteGroups(ids).catch(() => {});
    return topics.length === 0 && ids.length === 0;
  });
}

const traits = { reopens: true, maintains: false, expels: true, markers: true, remote: true };
describeLog('Kafka by kafkajs', () => openFixture(false), traits);
describeLog('Kafka by kafkajs, with transactions', () => openFixture(true), traits);
