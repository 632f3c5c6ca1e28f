import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { type Admin, Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { isUmbusError } from '../../src/core/errors.ts';
import { alive, assertDiesWithOwner, isFrozen } from '../support/servers/left-behind.ts';
import { type KafkaBroker, type KafkaCluster, requireKafka, startKafka } from '../support/servers.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 180_000 };
const alice = { username: 'alice', password: 'so-so-secret' };
/** New options each time: the client keeps the first password in those it was given. */
const logins: readonly ((password: string) => SASLOptions)[] = [
  password => ({ mechanism: 'plain', username: alice.username, password }),
  password => ({ mechanism: 'scram-sha-256', username: alice.username, password }),
  password => ({ mechanism: 'scram-sha-512', username: alice.username, password }),
];

function client(brokers: readonly string[], more: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 10 }, ...more });
}

async function asAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function write(kafka: Kafka, topic: string, values: readonly (string | Buffer)[]): Promise<void> {
  const producer = kafka.producer();
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: values.map(value => ({ value })) });
  } finally {
    await producer.disconnect();
  }
}

async function read(kafka: Kafka, topic: string, count: number): Promise<readonly (string | undefined)[]> {
  const consumer = kafka.consumer({ groupId: `reader-${Math.random()}` });
  const values: (string | undefined)[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value?.toString());
      },
    });
    await until('the records to be read', () => values.length >= count);
  } finally {
    await consumer.disconnect();
  }
  return values;
}

function firstOf({ brokers }: KafkaCluster): KafkaBroker {
  const [first] = brokers;
  assert.ok(first);
  return first;
}

test('one throw-away Kafka broker', LIMIT, async t => {
  const cluster = await requireKafka(t);
  if (cluster === null) return;
  await using single = cluster;
  const broker = firstOf(single);
  const kafka = client(single.bootstrap);

  await t.test('keeps what was committed through a kill and through a stop', async () => {
    await asAdmin(kafka, admin => admin.createTopics({ topics: [{ topic: 'changes', numPartitions: 1 }] }));
    await write(kafka, 'changes', ['before the kill']);
    await broker.kill();
    assert.equal(broker.pid, 0);
    await broker.start();
    await write(kafka, 'changes', ['after the kill']);
    await broker.stop();
    await broker.start();
    assert.deepEqual(await read(kafka, 'changes', 2), ['before the kill', 'after the kill']);
    assert.deepEqual(single.bootstrap, [broker.address]);
  });

  await t.test('takes records of 10 MB', async () => {
    await write(kafka, 'changes', [Buffer.alloc(10_000_000)]);
    const [partition] = await asAdmin(kafka, admin => admin.fetchTopicOffsets('changes'));
    assert.equal(partition?.high, '3');
  });

  await t.test('makes no topic that nobody asked for', async () => {
    await assert.rejects(write(client(single.bootstrap, { retry: { retries: 0 } }), 'unasked', ['lost']));
    const topics = await asAdmin(kafka, admin => admin.listTopics());
    assert.ok(!topics.includes('unasked'));
  });

  await t.test('answers nobody while it is paused, and goes on', async () => {
    broker.pause();
    await until('it to be frozen', () => isFrozen(broker.pid));
    broker.resume();
    await write(kafka, 'changes', ['after the pause']);
  });

  await t.test('shares neither ports nor identity nor topics with another one', async () => {
    await using other = await startKafka();
    const addresses = [
      ...single.bootstrap,
      ...single.plainBootstrap,
      ...other.bootstrap,
      ...other.plainBootstrap,
    ];
    assert.equal(new Set(addresses).size, 4);
    assert.notEqual(other.clusterId, single.clusterId);
    assert.deepEqual(await asAdmin(client(other.bootstrap), admin => admin.listTopics()), []);
  });

  await t.test('leaves no process and no data when it is disposed', async () => {
    const { pid, logDir } = broker;
    await single[Symbol.asyncDispose]();
    assert.equal(alive(pid), false);
    assert.equal(existsSync(dirname(dirname(logDir))), false);
  });

  await t.test('leaves no process and no data when its owner is killed', () => assertDiesWithOwner('kafka'));
});

test('three throw-away brokers serve on while one is away, which then comes back', LIMIT, async t => {
  const cluster = await requireKafka(t, { brokers: 3, config: { 'broker.session.timeout.ms': '3000' } });
  if (cluster === null) return;
  await using three = cluster;
  const kafka = client(three.bootstrap);
  await asAdmin(kafka, admin => admin.createTopics({ topics: [{ topic: 'changes', numPartitions: 3 }] }));
  const [one] = await asAdmin(
    kafka,
    async admin => (await admin.fetchTopicMetadata({ topics: ['changes'] })).topics,
  );
  assert.ok(one?.partitions.every(({ replicas }) => replicas.length === 3));
  const first = firstOf(three);
  await first.kill();
  const others = client(three.bootstrap.slice(1));
  await until('the others to lead all partitions', async () => {
    const [topic] = await asAdmin(
      others,
      async admin => (await admin.fetchTopicMetadata({ topics: ['changes'] })).topics,
    );
    return topic?.partitions.every(({ leader }) => leader === 2 || leader === 3) ?? false;
  });
  await write(others, 'changes', ['a', 'b', 'c']);
  await first.start();
  await until('all three to be live', async () => {
    const { brokers } = await asAdmin(kafka, admin => admin.describeCluster());
    return brokers.length === 3;
  });
  assert.deepEqual([...(await read(kafka, 'changes', 3))].sort(), ['a', 'b', 'c']);
});

test('a throw-away broker asks for TLS, a login and rights where told to', LIMIT, async t => {
  const cluster = await requireKafka(t, { tls: 'client-certificate', sasl: { users: [alice] }, acls: true });
  if (cluster === null) return;
  await using secured = cluster;
  assert.ok(secured.certificates);
  const { ca, cert, key } = secured.certificates;
  const login = (more: Partial<KafkaConfig>) => client(secured.bootstrap, { retry: { retries: 0 }, ...more });
  const topicsSeen = (kafka: Kafka) => asAdmin(kafka, admin => admin.listTopics());

  await asAdmin(client(secured.plainBootstrap), admin =>
    admin.createTopics({ topics: [{ topic: 'closed' }] }),
  );
  for (const saslOf of logins) {
    const right = { ssl: { ca, cert, key }, sasl: saslOf(alice.password) };
    assert.deepEqual(await topicsSeen(login(right)), [], 'no right to see the topic');
    const wrong = { ssl: { ca, cert, key }, sasl: saslOf('wrong') };
    await assert.rejects(topicsSeen(login(wrong)), /authentication failed/i);
  }
  const [plain] = logins;
  assert.ok(plain);
  for (const ssl of [{ ca }, { cert, key }]) {
    await assert.rejects(topicsSeen(login({ ssl, sasl: plain(alice.password) })), /certificate/);
  }
  assert.deepEqual(await topicsSeen(client(secured.plainBootstrap)), ['closed']);
});

test(
  'a throw-away broker ends when its disk is full, and goes on with its data on a larger one',
  LIMIT,
  async t => {
    if (process.getuid?.() !== 0) {
      const refused = startKafka({ logDirMaxBytes: 4_000_000 });
      await assert.rejects(refused, error => isUmbusError(error, 'UMBUS_KAFKA_SETTING'));
      return;
    }
    const cluster = await requireKafka(t, { logDirMaxBytes: 8_000_000 });
    if (cluster === null) return;
    await using small = cluster;
    const broker = firstOf(small);
    const kafka = client(small.bootstrap, { retry: { retries: 0 } });
    await asAdmin(kafka, admin => admin.createTopics({ topics: [{ topic: 'changes' }] }));
    let taken = 0;
    await assert.rejects(async () => {
      for (; taken < 30; taken += 1) await write(kafka, 'changes', [Buffer.alloc(500_000, taken)]);
    });
    assert.ok(taken > 5, `took ${taken} records`);
    await broker.exited;
    await broker.stop();
    await broker.resizeLogDir(64_000_000);
    await broker.start();
    await write(client(small.bootstrap), 'changes', ['after']);
    const [partition] = await asAdmin(kafka, admin => admin.fetchTopicOffsets('changes'));
    assert.ok(Number(partition?.high) > taken, `${partition?.high} records after ${taken}`);
  },
);
