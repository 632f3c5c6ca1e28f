import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guarantee } from '../../src/config/line.ts';
import { kafkaLineText } from '../support/kafka-line-file.ts';
import { LineProcess } from '../support/line-process.ts';
import { longestOverlap, type Ownership, ownershipsOf } from '../support/ownership.ts';
import { startLine } from '../support/running-line.ts';
import { requireKafka, requireServer } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { assertWholeOnKafka } from '../support/whole-line.ts';

const SCHEMA = 'steady';
const PARTITIONS = 6;
const CHANGE_MS = 2_500;
/** `sessionTimeout` of the line file: after it a member that is silent is fenced. */
const SESSION_MS = 3_000;
/** How far apart two processes may tell one and the same moment on a busy machine. */
const TELLING_MS = 1_000;
/** How often an appender comes or goes. */
const campaigns: readonly { readonly guarantee: Guarantee; readonly changes: number }[] = [
  { guarantee: 'exactly-once', changes: 8 },
  { guarantee: 'at-least-once', changes: 4 },
];

/** Appender processes that come and go; knows who owned what when. */
class Appenders implements AsyncDisposable {
  readonly ownerships: Ownership[] = [];
  readonly running: LineProcess[] = [];
  readonly #file: string;
  #started = 0;

  constructor(file: string) {
    this.#file = file;
  }

  start(): void {
    this.#started += 1;
    const appender = new LineProcess(`appender ${this.#started}`, this.#file, ['appender']);
    appender.start();
    this.running.push(appender);
  }

  /** Ends the one that runs longest. */
  async endOldest(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const oldest = this.running.shift();
    if (oldest === undefined) return;
    oldest.assertRunning();
    if (signal === 'SIGTERM') await oldest.stop();
    else await oldest.end(signal);
    this.ownerships.push(...ownershipsOf(oldest.name, oldest.told, Date.now()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.running) await each[Symbol.asyncDispose]();
  }
}

test('on Kafka appenders that come and go under load', async t => {
  await using kafka = await requireKafka(t);
  if (kafka === null) return;
  const brokers = kafka.bootstrap;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-rebalance-'));
  t.after(() => rm(dir, { recursive: true, force: true }));

  for (const { guarantee, changes } of campaigns) {
    await t.test(
      `${guarantee}: every row comes once, in order, and no partition has two owners at a time`,
      async t => {
        await using server = await requireServer(t, 'mariadb');
        if (server === null) return;
        const ds = `rebalance-${guarantee}`;
        const file = join(dir, `${ds}.yaml`);
        const where = { brokers, guarantee };
        await writeFile(
          file,
          kafkaLineText({ server, ds, schemas: [SCHEMA], kafka: where, partitions: PARTITIONS }),
        );
        await using load = await startSteadyLoad(server, SCHEMA);
        await using line = await startLine({
          server,
          ds,
          kafka: where,
          schemas: [SCHEMA],
          partitions: PARTITIONS,
          topologies: ['mysql-extractor', 'dispatcher'],
        });
        await using appenders = new Appenders(file);
        appenders.start();
        appenders.start();
        for (let change = 0; change < changes; change += 1) {
          await delay(CHANGE_MS);
          if (change % 3 !== 2) appenders.start();
          if (appenders.running.length > 2)
            await appenders.endOldest(change % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
        }
        await load.stop();
        const counted = (await assertWholeOnKafka(line))[SCHEMA];
        while (appenders.running.length > 0) await appenders.endOldest('SIGTERM');

        const { ms, who } = longestOverlap(appenders.ownerships);
        const owners = new Set(appenders.ownerships.map(({ owner }) => owner)).size;
        t.diagnostic(
          `${load.transactions} transactions, ${counted?.raw} rows, ${counted?.repeats} repeats; ${owners} owners, overlap ${ms} ms`,
        );
        assert.ok(owners > changes / 3, `${owners} owners`);
        assert.ok(ms <= SESSION_MS + TELLING_MS, `${who} for ${ms} ms`);
        assert.ok(load.transactions > 100, `${load.transactions} transactions`);
      },
    );
  }
});
