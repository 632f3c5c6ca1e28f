import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guarantee } from '../../src/config/line.ts';
import { type RunningLine, startLine } from '../support/running-line.ts';
import {
  type KafkaBroker,
  type KafkaCluster,
  requireKafka,
  requireServer,
  type Server,
} from '../support/servers.ts';
import { type SteadyLoad, startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';
import { assertWholeOnKafka } from '../support/whole-line.ts';

const SCHEMA = 'steady';
const PAUSE_MS = 15_000;
/** Longest time in which a line that was disturbed has to go on by itself. */
const GO_ON_MS = 60_000;
const guarantees: readonly Guarantee[] = ['at-least-once', 'exactly-once'];

/** A line of each guarantee on one cluster and one source. */
async function startLines(
  server: Server,
  kafka: KafkaCluster,
  name: string,
): Promise<readonly RunningLine[]> {
  return await Promise.all(
    guarantees.map(guarantee =>
      startLine({
        server,
        ds: `${name}-${guarantee}`,
        kafka: { brokers: kafka.bootstrap, guarantee },
        schemas: [SCHEMA],
        partitions: 3,
      }),
    ),
  );
}

/** Rows that the appender of a line has made so far. */
function outputs({ topologies }: RunningLine): number {
  return topologies.find(({ name }) => name === 'appender')?.snapshot().counts.outputs ?? 0;
}

/** Waits until each line has put out more than it had when this was called. */
async function goOn(lines: readonly RunningLine[], load: SteadyLoad): Promise<void> {
  const before = lines.map(outputs);
  const more = (): boolean => {
    load.assertGoing();
    return lines.every((line, index) => outputs(line) > (before[index] ?? 0));
  };
  await until('each line to go on', more, GO_ON_MS);
}

/** Runs both lines under load, does what `disturb` does, and proves that nothing was lost or doubled. */
async function disturbed(
  server: Server,
  kafka: KafkaCluster,
  name: string,
  disturb: (settle: () => Promise<void>) => Promise<void>,
): Promise<string> {
  await server.query(`DROP DATABASE IF EXISTS ${SCHEMA}`);
  // Lines begin where the source is now, so that the test before is not theirs.
  await server.query('RESET MASTER');
  await using load = await startSteadyLoad(server, SCHEMA);
  const lines = await startLines(server, kafka, name);
  try {
    await goOn(lines, load);
    await disturb(() => goOn(lines, load));
    await goOn(lines, load);
    await load.stop();
    const told: string[] = [];
    for (const line of lines) {
      const counted = (await assertWholeOnKafka(line, GO_ON_MS))[SCHEMA];
      told.push(`${line.line.guarantee}: ${counted?.raw} rows, ${counted?.repeats} repeats`);
    }
    assert.ok(load.transactions > 100, `${load.transactions} transactions`);
    return told.join('; ');
  } finally {
    for (const line of lines) await line[Symbol.asyncDispose]();
  }
}

function brokerOf({ brokers }: KafkaCluster, index: number): KafkaBroker {
  const broker = brokers[index];
  assert.ok(broker !== undefined);
  return broker;
}

test('lines on a single broker', async t => {
  await using server = await requireServer(t, 'mariadb');
  await using kafka = await requireKafka(t);
  if (server === null || kafka === null) return;
  const broker = brokerOf(kafka, 0);

  await t.test('go on by themselves when the broker was killed and comes back', async t => {
    const told = await disturbed(server, kafka, 'killed', async () => {
      await broker.kill();
      await broker.start();
    });
    t.diagnostic(told);
  });

  await t.test('go on by themselves when the broker was frozen', async t => {
    const told = await disturbed(server, kafka, 'frozen', async () => {
      broker.pause();
      await delay(PAUSE_MS);
      broker.resume();
    });
    t.diagnostic(told);
  });
});

test('lines on three brokers go on while one is away, and another after it has come back', async t => {
  await using server = await requireServer(t, 'mariadb');
  await using kafka = await requireKafka(t, { brokers: 3 });
  if (server === null || kafka === null) return;
  const told = await disturbed(server, kafka, 'three', async settle => {
    for (const index of [1, 2]) {
      const broker = brokerOf(kafka, index);
      await broker.kill();
      await settle();
      await broker.start();
    }
  });
  t.diagnostic(told);
});
