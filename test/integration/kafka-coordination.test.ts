import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import { openLogCoordination } from '../../src/adapters/log-coordination/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { describeCoordination } from '../conformance/coordination.ts';
import { abandon, type CoordinationFixture, hurried } from '../conformance/coordination-fixture.ts';
import { readAll } from '../conformance/log-fixture.ts';
import { requireKafka } from '../support/servers.ts';
import { startTold } from '../support/told-process.ts';
import { until } from '../support/until.ts';
import type { Run } from '../topologies/numbered-source.ts';

const missing: string[] = [];
const kafka = await requireKafka({ skip: message => missing.push(message ?? '') });
after(() => kafka?.[Symbol.asyncDispose]());

const openLog = (brokers: readonly string[]): Promise<Log> =>
  openKafkaLog({
    brokers,
    tls: null,
    sasl: null,
    clientId: 'suite',
    replicationFactor: null,
    compression: 'none',
    maxRecordBytes: 1_048_576,
    createTopics: true,
    transactions: false,
    clock: systemClock,
  });

let worlds = 0;

/** Each process has connections of its own. */
async function openWorld(brokers: readonly string[]): Promise<CoordinationFixture> {
  worlds += 1;
  const ds = `suite${worlds}`;
  const clock = hurried(5);
  const logs: Log[] = [];
  return {
    async open() {
      const log = await openLog(brokers);
      logs.push(log);
      return await openLogCoordination({ log, clock, ds });
    },
    crash: abandon,
    async [Symbol.asyncDispose]() {
      for (const log of logs) await log[Symbol.asyncDispose]();
    },
  };
}

if (kafka === null) {
  test('coordination: Kafka', t => t.skip(missing[0]));
} else {
  const { bootstrap } = kafka;
  describeCoordination('Kafka', () => openWorld(bootstrap), { ttlMs: 9_000 });

  test('a standby goes on where a killed process stopped: nothing is lost or doubled', async () => {
    const script = join(import.meta.dirname, '../support/standby-worker.ts');
    const broker = bootstrap[0] ?? '';
    await using log = await openLog(bootstrap);
    const landed = async (): Promise<number[]> => {
      const records = await readAll(log, { topic: 'runs', partition: 0 });
      return records.flatMap(({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as Run).values);
    };
    await using first = startTold(script, [broker, 'first']);
    await first.told('connected');
    await using second = startTold(script, [broker, 'second']);
    await second.told('standby first');
    await until('the first lands', async () => (await landed()).length > 100);
    await first.end('SIGKILL');
    const before = (await landed()).length;
    await second.told('connected');
    await using third = startTold(script, [broker, 'third']);
    await third.told('standby second');
    await until('the second lands', async () => (await landed()).length > before + 100);
    // In order, the lease passes on without the wait for its end.
    await second.end('SIGTERM');
    const between = (await landed()).length;
    await third.told('connected');
    await until('the third lands', async () => (await landed()).length > between + 100);
    await third.end('SIGTERM');
    const numbers = await landed();
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => index + 1),
    );
  });
}
