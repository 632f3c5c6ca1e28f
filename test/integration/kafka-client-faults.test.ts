/** What kafkajs gets wrong by itself (see src/adapters/kafka/connections.ts) does not show in the log: each known fault has its case. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import type { KafkaLogOptions, KafkaNotice } from '../../src/adapters/kafka/options.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { Log } from '../../src/ports/log.ts';
import { append, forever, join, readAll, record, topic, values } from '../conformance/log-fixture.ts';
import { type KafkaCluster, startKafka } from '../support/servers.ts';
import { until } from '../support/until.ts';

let cluster: KafkaCluster | null = null;
before(async () => {
  cluster = await startKafka();
});
after(async () => await cluster?.[Symbol.asyncDispose]());

function broker(): KafkaCluster {
  assert.ok(cluster !== null);
  return cluster;
}

function openLog(options: Partial<KafkaLogOptions> = {}): Promise<Log> {
  return openKafkaLog({
    brokers: broker().bootstrap,
    tls: null,
    sasl: null,
    clientId: 'faults',
    replicationFactor: 1,
    compression: 'lz4',
    maxRecordBytes: 10 * 1_048_576,
    createTopics: true,
    transactions: false,
    sessionTimeoutMs: 6_000,
    clock: systemClock,
    ...options,
  });
}

function producerOf(transactionalId: string) {
  const kafka = new Kafka({ brokers: [...broker().bootstrap], logLevel: logLevel.NOTHING });
  const createPartitioner = Partitioners.DefaultPartitioner;
  return kafka.producer({ transactionalId, createPartitioner, maxInFlightRequests: 1, idempotent: true });
}

const at = (name: string, partition = 0) => ({ topic: name, partition });
const offset = (name: string, next: bigint, partition = 0) => ({
  ...at(name, partition),
  offset: next,
  metadata: '',
});

describe('what kafkajs gets wrong', () => {
  test('aborted records stay out: of transactions one in the other, and with keys of four zero bytes', async () => {
    await using log = await openLog();
    await log.ensureTopics([topic('aborted')]);
    const [one, other] = [producerOf('one'), producerOf('other')];
    await Promise.all([one.connect(), other.connect()]);
    const key = Buffer.alloc(4);
    const send = (value: string) => ({ topic: 'aborted', messages: [{ key, value, partition: 0 }] });
    const [first, second] = [await one.transaction(), await other.transaction()];
    await first.send(send('never 1'));
    await second.send(send('never 2'));
    await append(log, record('aborted', 'kept', { key: '\0\0\0\0' }));
    await first.send(send('never 3'));
    await first.abort();
    await second.send(send('never 4'));
    await second.abort();
    const third = await one.transaction();
    await third.send(send('kept too'));
    await third.commit();
    await Promise.all([one.disconnect(), other.disconnect()]);
    const wanted = ['kept', 'kept too'];
    await until('the last one is readable', async () => (await log.tail(at('aborted'), 1)).length === 1);
    assert.deepEqual(values(await readAll(log, at('aborted'))), wanted);
    assert.deepEqual(values(await log.tail(at('aborted'), 10)), wanted);
    await using member = await join(log, 'aborted', ['aborted'], 'm');
    const seen: (string | null)[] = [];
    while (seen.length < wanted.length)
      for (const batch of await member.poll()) seen.push(...values(batch.records));
    assert.deepEqual(seen, wanted);
  });

  test('commits that follow each other at once do not meet CONCURRENT_TRANSACTIONS', async () => {
    await using log = await openLog({ transactions: true });
    await log.ensureTopics([topic('quick'), topic('quick-out')]);
    await append(log, ...Array.from({ length: 60 }, (_, index) => record('quick', String(index))));
    await using member = await join(log, 'quick', ['quick'], 'm');
    await member.settle(1);
    for (let index = 0; index < 60; index++) {
      const outputs = [record('quick-out', String(index))];
      await member.membership.commit({ outputs, offsets: [offset('quick', BigInt(index + 1))] });
    }
    const out = values(await readAll(log, at('quick-out')));
    assert.deepEqual(
      out,
      Array.from({ length: 60 }, (_, index) => String(index)),
    );
  });

  test('writers of one id that are opened one upon the other all open, and only the last one writes', async () => {
    await using log = await openLog();
    await log.ensureTopics([topic('fenced')]);
    await using first = await log.openWriter('race');
    await first.append([record('fenced', 'first')]);
    const late = first.append([record('fenced', 'perhaps')]).catch(() => {});
    await using second = await log.openWriter('race');
    await using third = await log.openWriter('race');
    await late;
    await assert.rejects(first.append([record('fenced', 'never')]), fenced);
    await assert.rejects(second.append([record('fenced', 'never')]), fenced);
    await third.append([record('fenced', 'third')]);
    const written = values(await readAll(log, at('fenced')));
    assert.equal(written.at(-1), 'third');
    assert.ok(!written.includes('never'));
  });

  test('work that takes longer than the session keeps its partitions', async () => {
    await using log = await openLog({ sessionTimeoutMs: 1_500 });
    await log.ensureTopics([topic('long')]);
    await append(log, record('long', 'x'));
    await using member = await join(log, 'long', ['long'], 'm');
    await member.settle(1);
    const begun = performance.now();
    await until('three sessions have passed', () => performance.now() - begun > 4_500);
    await member.membership.commit({ outputs: [], offsets: [offset('long', 1n)] });
    await member.poll(10);
    assert.deepEqual(member.events, ['assigned long/0']);
  });

  test('a member without partitions stays in the group, and takes over when another leaves', async () => {
    await using log = await openLog({ sessionTimeoutMs: 1_500 });
    await log.ensureTopics([topic('idle')]);
    const one = await join(log, 'idle', ['idle'], 'one');
    await one.settle(1);
    await using two = await join(log, 'idle', ['idle'], 'two');
    const begun = performance.now();
    while (performance.now() - begun < 4_500) await Promise.all([one.poll(100), two.poll(100)]);
    assert.deepEqual(two.events, []);
    await one[Symbol.asyncDispose]();
    await two.settle(1);
    assert.deepEqual(two.events, ['assigned idle/0']);
  });

  test('a group comes to rest when members have come and gone, and who keeps partitions is not disturbed', async () => {
    const rebalances: string[] = [];
    const onNotice = (notice: KafkaNotice) => {
      if (notice.kind === 'rebalance') rebalances.push(notice.message);
    };
    await using log = await openLog({ onNotice });
    await log.ensureTopics([topic('rest', 4)]);
    await using one = await join(log, 'rest', ['rest'], 'one');
    await one.settle(4);
    await using two = await join(log, 'rest', ['rest'], 'two');
    await Promise.all([one.settle(2), two.settle(2)]);
    const three = await join(log, 'rest', ['rest'], 'three');
    await Promise.all([one.poll(50), two.poll(50), three.poll(50)]);
    await three[Symbol.asyncDispose]();
    let quiet = 0;
    await until('nothing has changed for thirty polls', async () => {
      const before = rebalances.length;
      await Promise.all([one.poll(50), two.poll(50)]);
      const settled = one.owned.size === 2 && two.owned.size === 2 && rebalances.length === before;
      quiet = settled ? quiet + 1 : 0;
      return quiet === 30;
    });
    assert.deepEqual([...one.owned, ...two.owned].sort(), [0, 1, 2, 3]);
  });

  test('a member ends at once in the middle of a poll and of a batch', async () => {
    await using log = await openLog();
    await log.ensureTopics([topic('stop')]);
    await append(log, record('stop', 'x'), record('stop', 'y'));
    const member = await join(log, 'stop', ['stop'], 'm');
    assert.equal((await member.poll(2_000, 1)).length, 1);
    await member.poll(2_000, 1);
    const polling = assert.rejects(
      member.membership.poll({ maxBytes: 1, maxWaitMs: 600_000 }, forever),
      error => isUmbusError(error, 'UMBUS_LOG_CLOSED'),
    );
    await member[Symbol.asyncDispose]();
    await polling;
  });

  test('records as large as allowed pass, larger ones are refused with what to set', async () => {
    await using log = await openLog({ compression: 'none' });
    await log.ensureTopics([topic('large'), topic('small')]);
    const large = Buffer.alloc(10 * 1_048_576, 'x');
    await append(log, { ...record('large', null), value: large });
    const [read] = await log.tail(at('large'), 1);
    assert.ok(large.equals(read?.value ?? Buffer.alloc(0)));
    const tooLarge = { ...record('large', null), value: Buffer.alloc(large.length + 1) };
    await assert.rejects(append(log, tooLarge), error => {
      assert.ok(isUmbusError(error, 'UMBUS_LOG_RECORD_SIZE'));
      assert.match(error.message, /large\/0.*log\.kafka\.maxRecordBytes/);
      return true;
    });
    const admin = new Kafka({ brokers: [...broker().bootstrap], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: 'small', configEntries: [{ name: 'max.message.bytes', value: '10000' }] }],
    });
    await admin.disconnect();
    const overTopic = { ...record('small', null), value: Buffer.alloc(20_000) };
    await until('the topic refuses it', async () => {
      const error = await append(log, overTopic).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error === null) return false;
      assert.ok(isUmbusError(error, 'UMBUS_LOG_RECORD_SIZE'));
      assert.match(error.message, /small\/0.*max\.message\.bytes/);
      return true;
    });
  });

  test('a broker that is killed and started again is waited for; reading and writing go on', async () => {
    const notices: KafkaNotice[] = [];
    await using log = await openLog({
      sessionTimeoutMs: 30_000,
      transactions: true,
      onNotice: notice => notices.push(notice),
    });
    await log.ensureTopics([topic('away')]);
    await using member = await join(log, 'away', ['away'], 'm');
    await member.settle(1);
    const [only] = broker().brokers;
    assert.ok(only !== undefined);
    await only.kill();
    await member.poll(200);
    assert.deepEqual(await member.poll(200), []);
    await assert.rejects(openLog(), error => isUmbusError(error, 'UMBUS_KAFKA_UNREACHABLE'));
    await only.start();
    await append(log, record('away', 'after'));
    const seen: (string | null)[] = [];
    await until('the record comes', async () => {
      for (const batch of await member.poll(500)) seen.push(...values(batch.records));
      return seen.length > 0;
    });
    assert.deepEqual(seen, ['after']);
    await member.membership.commit({ outputs: [], offsets: [offset('away', 1n)] });
    assert.deepEqual(
      member.events.filter(event => event.startsWith('lost')),
      [],
    );
    const kinds = notices.map(notice => notice.kind);
    assert.ok(kinds.includes('broker-unreachable') && kinds.includes('broker-back'), kinds.join());
  });
});

function fenced(error: unknown): boolean {
  return isUmbusError(error, 'UMBUS_LOG_FENCED');
}
