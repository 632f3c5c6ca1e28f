import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import type { KafkaCompression, KafkaLogOptions, KafkaNotice } from '../../src/adapters/kafka/options.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { type ErrorCode, isUmbusError } from '../../src/core/errors.ts';
import type { Log, LogRecord } from '../../src/ports/log.ts';
import { append, forever, join, readAll, record, topic, values } from '../conformance/log-fixture.ts';
import { type KafkaCluster, requireKafka } from '../support/servers.ts';
import { until } from '../support/until.ts';

const options: KafkaLogOptions = {
  brokers: [],
  tls: null,
  sasl: null,
  clientId: 'test',
  replicationFactor: null,
  compression: 'none',
  maxRecordBytes: 10 * 1_048_576,
  createTopics: true,
  transactions: false,
  sessionTimeoutMs: 3_000,
  handOverMs: 1_000,
  clock: systemClock,
};

function open(cluster: KafkaCluster, more: Partial<KafkaLogOptions> = {}): Promise<Log> {
  return openKafkaLog({ ...options, brokers: cluster.bootstrap, ...more });
}

const coded =
  (code: ErrorCode, text = '') =>
  (error: unknown) =>
    isUmbusError(error, code) && error.message.includes(text);

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('says that no broker can be reached, at once', async () => {
  const brokers = [`127.0.0.1:${await freePort()}`];
  await assert.rejects(
    openKafkaLog({ ...options, brokers }),
    coded('UMBUS_KAFKA_UNREACHABLE', 'ECONNREFUSED'),
  );
});

test('on one broker', async t => {
  await using cluster = await requireKafka(t);
  if (cluster === null) return;
  await t.test('writes and reads with every compression, what the others wrote too', async () => {
    const codecs: readonly KafkaCompression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    const text = 'umbus '.repeat(50_000);
    for (const transactions of [false, true]) {
      for (const compression of codecs) {
        await using log = await open(cluster, { compression, transactions });
        await log.ensureTopics([topic('in'), topic('out')]);
        await using member = await join(log, `g-${compression}-${transactions}`, ['in'], 'm');
        await member.settle(1);
        await member.membership.commit({
          outputs: [record('out', `${compression} ${text}`), record('out', 'small')],
          offsets: [],
        });
      }
    }
    await using log = await open(cluster);
    const expected = codecs.flatMap(codec => [`${codec} ${text}`, 'small']);
    const all = values(await readAll(log, { topic: 'out', partition: 0 }));
    assert.equal(all.length, 20);
    assert.deepEqual(all, [...expected, ...expected]);
  });

  await t.test('says which setting a record is too large for, and takes one of 10 MB', async () => {
    const large = Buffer.alloc(10 * 1_048_576 - 1_000, 7);
    {
      await using small = await open(cluster, { maxRecordBytes: 1_048_576 });
      await small.ensureTopics([topic('small')]);
      await assert.rejects(
        append(small, { ...record('small', null), value: large }),
        coded('UMBUS_LOG_RECORD_SIZE', 'maxRecordBytes'),
      );
    }
    await using log = await open(cluster);
    await assert.rejects(
      append(log, { ...record('small', null), value: large }),
      coded('UMBUS_LOG_RECORD_SIZE', 'max.message.bytes'),
    );
    await append(
      log,
      ...Array.from({ length: 30 }, (_, index) => record('small', `${index}`.padEnd(50_000))),
    );
    assert.equal((await log.tail({ topic: 'small', partition: 0 }, 100)).length, 30, 'batches are split');
    await log.ensureTopics([topic('large')]);
    await append(log, { ...record('large', null), value: large });
    await using member = await join(log, 'g', ['large'], 'm');
    const [batch] = await member.poll(30_000, 1_000);
    assert.ok(large.equals(batch?.records[0]?.value ?? Buffer.alloc(0)));
  });

  await t.test('makes no topics where it must not, and says how to', async () => {
    await using log = await open(cluster, { createTopics: false });
    const wanted = log.ensureTopics([topic('orders', 3)]);
    await assert.rejects(
      wanted,
      coded('UMBUS_LOG_UNKNOWN_TOPIC', 'kafka-topics.sh --create --topic orders --partitions 3'),
    );
  });
});

test('logs in over TLS, names refused logins and missing rights, and tells no secret', async t => {
  const users = [{ username: 'umbus', password: 'a-secret-password' }];
  await using cluster = await requireKafka(t, { tls: true, sasl: { users }, acls: true });
  if (cluster === null) return;
  const tls = { ca: cluster.certificates?.ca ?? null, cert: null, key: null, verify: true };
  const [user = { username: '', password: '' }] = users;
  const outcomes: unknown[] = [];
  const refused = async (more: Partial<KafkaLogOptions>, code: ErrorCode): Promise<void> => {
    const outcome = await open(cluster, more).then(
      async log => await log[Symbol.asyncDispose](),
      error => error,
    );
    outcomes.push(outcome);
    assert.ok(isUmbusError(outcome, code), `${code}: ${outcome}`);
  };
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    const sasl = { mechanism, ...user };
    await using log = await open(cluster, { tls, sasl });
    await assert.rejects(log.ensureTopics([topic('orders')]), error => {
      outcomes.push(error);
      return isUmbusError(error, 'UMBUS_KAFKA_ACL');
    });
    await refused({ tls, sasl: { ...sasl, password: 'a-wrong-secret' } }, 'UMBUS_KAFKA_AUTH');
  }
  const sasl = { mechanism: 'plain' as const, ...user };
  await refused({ tls: { ...tls, ca: null }, sasl }, 'UMBUS_KAFKA_TLS');
  for (const outcome of outcomes) {
    const shown = `${String(outcome)} ${JSON.stringify(outcome)} ${outcome instanceof Error ? String(outcome.cause) : ''}`;
    assert.ok(!shown.includes('secret'), shown);
  }
});

for (const transactions of [false, true]) {
  const how = transactions ? 'with transactions' : 'without transactions';
  test(`goes on by itself when the broker was killed and comes back, ${how}`, async t => {
    await using cluster = await requireKafka(t);
    if (cluster === null) return;
    const [broker] = cluster.brokers;
    assert.ok(broker !== undefined);
    const notices: KafkaNotice[] = [];
    await using log = await open(cluster, { transactions, onNotice: notice => notices.push(notice) });
    await log.ensureTopics([topic('in'), topic('out')]);
    const count = 300;
    await append(log, ...Array.from({ length: count }, (_, index) => record('in', String(index))));
    const stop = new AbortController();
    const copying = copy(log, stop.signal);
    await until('some are copied', async () => (await lengthOf(log)) > 20);
    await broker.kill();
    await until('the outage is noticed', () => notices.some(({ kind }) => kind === 'broker-unreachable'));
    await broker.start();
    const copied = async () => new Set(values(await tailOf(log))).size;
    await until('all are copied', async () => (await copied()) === count, 60_000);
    await until('that is told', () => notices.some(({ kind }) => kind === 'broker-back'));
    stop.abort();
    await copying;
    const seen = values(await readAll(log, { topic: 'out', partition: 0 }));
    if (transactions) assert.equal(seen.length, count, 'none twice');
    assert.deepEqual(
      [...new Set(seen)],
      Array.from({ length: count }, (_, index) => String(index)),
    );
    const kinds = notices.map(({ kind }) => kind).filter(kind => kind.startsWith('broker'));
    assert.deepEqual([...new Set(kinds)], ['broker-unreachable', 'broker-back']);
  });
}

async function tailOf(log: Log): Promise<readonly LogRecord[]> {
  return await log.tail({ topic: 'out', partition: 0 }, 1_000);
}

async function lengthOf(log: Log): Promise<number> {
  return (await tailOf(log)).length;
}

/** Copies `in` to `out` as a session of the runtime does: when a commit fails, it leaves and joins anew. */
async function copy(log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await using member = await join(log, 'copy', ['in'], 'm');
      while (!signal.aborted) {
        const batches = await member.membership.poll({ maxBytes: 3, maxWaitMs: 100 }, forever);
        for (const batch of batches) {
          const outputs = values(batch.records).map(value => record('out', value));
          const offsets = [{ topic: 'in', partition: 0, offset: batch.nextOffset, metadata: '' }];
          await member.membership.commit({ outputs, offsets });
        }
      }
    } catch (error) {
      if (!isUmbusError(error) || !(error.retryable || error.code === 'UMBUS_LOG_FENCED')) throw error;
    }
  }
}
