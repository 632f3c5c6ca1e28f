/** TLS, logins and rights of the kafkajs adapter: what is refused is told by code, with no secret in it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import type { KafkaConnection, KafkaLogOptions } from '../../src/adapters/kafka/options.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { type ErrorCode, isUmbusError } from '../../src/core/errors.ts';
import { append, readAll, record, topic, values } from '../conformance/log-fixture.ts';
import { type KafkaCluster, startKafka } from '../support/servers.ts';

const username = 'carla';
const password = 'pa55-Word-secret';
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

let cluster: KafkaCluster | null = null;
before(async () => {
  cluster = await startKafka({ tls: true, sasl: { users: [{ username, password }] }, acls: true });
});
after(async () => await cluster?.[Symbol.asyncDispose]());

function options(connection: Partial<KafkaConnection>): KafkaLogOptions {
  assert.ok(cluster !== null);
  return {
    brokers: cluster.bootstrap,
    tls: { ca: cluster.certificates?.ca ?? null, cert: null, key: null, verify: true },
    sasl: null,
    clientId: 'logins',
    replicationFactor: 1,
    compression: 'none',
    maxRecordBytes: 1_048_576,
    createTopics: true,
    transactions: false,
    clock: systemClock,
    ...connection,
  };
}

/** Opens with what is to be refused, and makes sure that neither message nor cause nor details tell the password. */
async function refused(connection: Partial<KafkaConnection>, code: ErrorCode): Promise<void> {
  await assert.rejects(openKafkaLog(options(connection)), error => {
    assert.ok(isUmbusError(error, code), inspect(error));
    assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes('secret'));
    return true;
  });
}

describe('logins', () => {
  for (const mechanism of mechanisms) {
    test(`by ${mechanism} over TLS: the right password opens, the wrong one is refused`, async () => {
      await using log = await openKafkaLog(options({ sasl: { mechanism, username, password } }));
      assert.deepEqual(await log.topics(), []);
      await refused({ sasl: { mechanism, username, password: 'wrong-secret' } }, 'UMBUS_KAFKA_AUTH');
    });
  }

  test('a CA that did not sign the broker is refused, and a certificate need not be verified', async () => {
    const sasl = { mechanism: 'plain', username, password } as const;
    await refused({ sasl, tls: { ca: null, cert: null, key: null, verify: true } }, 'UMBUS_KAFKA_TLS');
    await using log = await openKafkaLog(
      options({ sasl, tls: { ca: null, cert: null, key: null, verify: false } }),
    );
    assert.deepEqual(await log.topics(), []);
  });

  test('no TLS on a listener that wants it, and no login on one that wants that, are told as such', async () => {
    await refused({ tls: null }, 'UMBUS_KAFKA_UNREACHABLE');
    await refused({}, 'UMBUS_KAFKA_UNREACHABLE');
  });

  test('a user without rights is told what it lacks', async () => {
    assert.ok(cluster !== null);
    const admin = options({ brokers: cluster.plainBootstrap, tls: null });
    await using all = await openKafkaLog(admin);
    await all.ensureTopics([topic('mine')]);
    await append(all, record('mine', 'x'));
    await using none = await openKafkaLog(options({ sasl: { mechanism: 'plain', username, password } }));
    const lacks = (error: unknown) => isUmbusError(error, 'UMBUS_KAFKA_ACL') && /needs/.test(error.message);
    await assert.rejects(none.ensureTopics([topic('theirs')]), lacks);
    await assert.rejects(none.openWriter('theirs'), lacks);
    await assert.rejects(none.tail({ topic: 'mine', partition: 0 }, 1), lacks);
    await assert.rejects(none.committed('theirs', [{ topic: 'mine', partition: 0 }]), lacks);
    assert.deepEqual(values(await readAll(all, { topic: 'mine', partition: 0 })), ['x']);
  });
});
