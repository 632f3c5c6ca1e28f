import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import kafkajs from 'kafkajs';
import { drainedTo } from '../../src/cli/drained.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { Guarantee } from '../../src/config/line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import { messageOf } from '../../src/core/errors.ts';
import { kafkaLineText } from '../support/kafka-line-file.ts';
import { LineProcess, lastOf } from '../support/line-process.ts';
import { countRows } from '../support/row-count.ts';
import { binlogEnd, openTestLog, probe, unlessAway } from '../support/running-line.ts';
import { type KafkaCluster, requireKafka, requireServer, type Server } from '../support/servers.ts';
import { until } from '../support/until.ts';

const SCHEMA = 'shop';
const GO_ON_MS = 60_000;
/** More rows than the small disk holds. */
const MOST_ROWS = 40;
const PASSWORD = 'not-to-be-told';

/** A line of a test, from a file that the test writes again when its owner would. */
class FileLine {
  readonly ds: string;
  readonly file: string;
  readonly #server: Server;
  readonly #brokers: readonly string[];
  readonly #guarantee: Guarantee;

  constructor(
    dir: string,
    ds: string,
    server: Server,
    brokers: readonly string[],
    guarantee: Guarantee = 'exactly-once',
  ) {
    this.#guarantee = guarantee;
    this.ds = ds;
    this.file = join(dir, `${ds}.yaml`);
    this.#server = server;
    this.#brokers = brokers;
  }

  /** Writes the file with these lines in `log.kafka`, and starts the whole line on it. */
  async start(...kafkaLines: readonly string[]): Promise<LineProcess> {
    const kafka = { brokers: this.#brokers, guarantee: this.#guarantee };
    await writeFile(
      this.file,
      kafkaLineText({
        server: this.#server,
        ds: this.ds,
        schemas: [SCHEMA],
        kafka,
        partitions: 2,
        kafkaLines,
      }),
    );
    const process = new LineProcess(this.ds, this.file, []);
    process.start();
    return process;
  }

  /** Waits until `process` has published all that its source has committed by now. */
  async drained(process: LineProcess): Promise<void> {
    const line = loadLine(this.file);
    const end = await binlogEnd(this.#server);
    await probe(this.#server);
    await using log = await openTestLog(line);
    const drained = (): Promise<boolean> => {
      process.assertRunning();
      return drainedTo(log, line, end).catch(unlessAway);
    };
    try {
      await until('the line to drain', drained, GO_ON_MS);
    } catch (cause) {
      throw new Error(`${messageOf(cause)} The line told last:\n${lastOf(process.told)}`, { cause });
    }
  }

  /** Waits until the result topic has so many messages, or `over`. For a line whose messages hold a row each. */
  async published(brokers: readonly string[], messages: number, over: () => boolean): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    const topic = `${this.ds}.${SCHEMA}.result`;
    const count = async (): Promise<boolean> => {
      if (over()) return true;
      const ends = await admin.fetchTopicOffsets(topic).catch(() => []);
      return ends.reduce((sum, { offset }) => sum + Number(offset), 0) >= messages;
    };
    try {
      await admin.connect().catch(() => undefined);
      await until(`${messages} messages`, count, GO_ON_MS);
    } finally {
      await admin.disconnect();
    }
  }

  /** Asserts that a reader that is none of ours finds so many inserted rows of the table `t`, each once. */
  async assertPublished(plainBootstrap: readonly string[], rows: number): Promise<void> {
    const { counts, repeated, disorder } = await countRows(plainBootstrap, `${this.ds}.${SCHEMA}.result`);
    assert.deepEqual(counts, { t: { i: rows } });
    assert.deepEqual([...repeated, ...disorder], []);
  }
}

/** A source with a table, and a directory for line files. */
async function surroundings(
  t: TestContext,
): Promise<{ readonly server: Server; readonly dir: string } | null> {
  const server = await requireServer(t, 'mariadb');
  if (server === null) return null;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-kafka-errors-'));
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(`CREATE TABLE ${SCHEMA}.t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)`);
  await server.query(`INSERT INTO ${SCHEMA}.t (v) VALUES ('first')`);
  return { server, dir };
}

const adminOf = (kafka: KafkaCluster) =>
  new kafkajs.Kafka({ brokers: [...kafka.plainBootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();

/** Sets the largest batch of every topic of a line. */
async function setMaxMessageBytes(kafka: KafkaCluster, ds: string, bytes: number): Promise<void> {
  const admin = adminOf(kafka);
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter(name => name === ds || name.startsWith(`${ds}.`));
    await admin.alterConfigs({
      validateOnly: false,
      resources: topics.map(name => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configEntries: [{ name: 'max.message.bytes', value: String(bytes) }],
      })),
    });
  } finally {
    await admin.disconnect();
  }
}

test('a line and a broker without login', async t => {
  const around = await surroundings(t);
  await using kafka = await requireKafka(t);
  if (around === null || kafka === null) return;
  const { server, dir } = around;
  const lineOf = (ds: string) => new FileLine(dir, ds, server, kafka.bootstrap);
  const [broker] = kafka.brokers;
  assert.ok(broker !== undefined);

  await t.test(
    'wait for each other: a broker that is not there yet is told, and the line goes on when it comes',
    async () => {
      await broker.stop();
      const line = lineOf('unreachable');
      await using process = await line.start();
      await process.tells(/"level":"warn".*UMBUS_KAFKA_UNREACHABLE/);
      await process.tells(/umbus keeps trying/);
      await broker.start();
      await line.drained(process);
      await line.assertPublished(kafka.plainBootstrap, 1);
      await process.stop();
    },
  );

  await t.test('a line that may not make topics says how to make them', async () => {
    const line = lineOf('topicless');
    await using refused = await line.start('    createTopics: false');
    assert.equal(await refused.ended(), exitCodes.failed);
    assert.match(refused.told, /UMBUS_LOG_UNKNOWN_TOPIC/);
    assert.match(refused.told, /kafka-topics\.sh --create --topic [\w.]*topicless[\w.]* --partitions \d/);

    await using maker = await line.start();
    await line.drained(maker);
    await maker.stop();
    await using user = await line.start('    createTopics: false');
    await line.drained(user);
    await line.assertPublished(kafka.plainBootstrap, 1);
    await user.stop();
  });

  await t.test(
    'a record that is too large halts the line; it goes on when the limits are raised, and nothing is lost',
    async () => {
      const line = lineOf('large');
      const small = ['    compression: none', '    maxRecordBytes: 1MB'];
      await using before = await line.start(...small);
      await line.drained(before);
      await server.query(`INSERT INTO ${SCHEMA}.t (v) VALUES ('small'), (REPEAT('x', 3000000)), ('after')`);
      assert.equal(await before.ended(), exitCodes.log);
      assert.match(before.told, /UMBUS_LOG_RECORD_SIZE/);
      assert.match(before.told, /maxRecordBytes/);

      await using raised = await line.start('    compression: none', '    maxRecordBytes: 8MB');
      assert.equal(await raised.ended(), exitCodes.log);
      assert.match(raised.told, /UMBUS_LOG_RECORD_SIZE/);
      assert.match(raised.told, /\blarge\b[^"]*max\.message\.bytes/);

      await setMaxMessageBytes(kafka, 'large', 8 * 1024 ** 2 + 65_536);
      await using after = await line.start('    compression: none', '    maxRecordBytes: 8MB');
      await line.drained(after);
      await line.assertPublished(kafka.plainBootstrap, 4);
      await after.stop();
    },
  );
});

test('a line and a broker with TLS and login', async t => {
  const around = await surroundings(t);
  await using kafka = await requireKafka(t, {
    tls: true,
    sasl: { users: [{ username: 'umbus', password: PASSWORD }] },
  });
  if (around === null || kafka === null || kafka.certificates === null) return;
  const { server, dir } = around;
  const lineOf = (ds: string) => new FileLine(dir, ds, server, kafka.bootstrap);
  const ca = join(dir, 'ca.pem');
  const otherCa = join(dir, 'other-ca.pem');
  await writeFile(ca, kafka.certificates.ca);
  await writeFile(join(dir, 'password'), `${PASSWORD}\n`);
  await writeFile(join(dir, 'wrong'), `${PASSWORD}-at-all\n`);
  const tls = (file: string) => `    tls: { ca: ${file} }`;
  const login = (file: string, mechanism = 'scram-sha-512') =>
    `    sasl: { mechanism: ${mechanism}, username: umbus, password: { file: ${join(dir, file)} } }`;

  await t.test('a line with the right CA and password publishes', async () => {
    const line = lineOf('secured');
    await using process = await line.start(tls(ca), login('password'));
    await line.drained(process);
    await line.assertPublished(kafka.plainBootstrap, 1);
    await process.stop();
    assert.ok(!process.told.includes(PASSWORD), 'the password is not told');
  });

  for (const mechanism of ['plain', 'scram-sha-256']) {
    await t.test(`a password that ${mechanism} refuses halts the line, and is not told`, async () => {
      await using process = await lineOf(`refused-${mechanism}`).start(tls(ca), login('wrong', mechanism));
      assert.equal(await process.ended(), exitCodes.log);
      assert.match(process.told, /UMBUS_KAFKA_AUTH/);
      assert.ok(!process.told.includes(PASSWORD), process.told);
    });
  }

  await t.test('a CA that did not sign the broker halts the line', async () => {
    const { rootCertificates } = await import('node:tls');
    await writeFile(otherCa, rootCertificates[0] ?? '');
    await using process = await lineOf('untrusted').start(tls(otherCa), login('password'));
    assert.equal(await process.ended(), exitCodes.log);
    assert.match(process.told, /UMBUS_KAFKA_TLS/);
  });
});

test('a line whose broker has a full disk waits, and goes on when there is room', async t => {
  const around = await surroundings(t);
  const full = 48 * 1024 ** 2;
  await using kafka = await requireKafka(t, { logDirMaxBytes: full });
  if (around === null || kafka === null) return;
  const { server, dir } = around;
  const [broker] = kafka.brokers;
  assert.ok(broker !== undefined);
  const line = new FileLine(dir, 'full', server, kafka.bootstrap, 'at-least-once');
  await using process = await line.start('    compression: none');
  await line.drained(process);
  let ended = false;
  const exited = broker.exited.then(() => {
    ended = true;
  });
  let rows = 1;
  // One after another, so that the disk is full in the middle of one write and not of many.
  while (!ended && rows < MOST_ROWS) {
    await server.query(`INSERT INTO ${SCHEMA}.t (v) VALUES (REPEAT('${rows % 10}', 1500000))`);
    rows += 1;
    await line.published(kafka.plainBootstrap, rows, () => ended);
  }
  // Kafka ends a broker whose only log directory has failed.
  await exited;
  await process.tells(/"level":"warn".*(UMBUS_LOG_FULL|UMBUS_KAFKA_UNREACHABLE)/);
  await broker.resizeLogDir(8 * full);
  await broker.stop();
  await broker.start();
  await line.drained(process);
  // Rows may come again, with the same ids.
  const { counts, disorder } = await countRows(kafka.plainBootstrap, `full.${SCHEMA}.result`);
  assert.deepEqual(counts, { t: { i: rows } });
  assert.deepEqual(disorder, []);
  await process.stop();
});
