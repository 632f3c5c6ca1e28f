import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { publishedIn } from '../support/published.ts';
import { type RunningLine, startLine, type TestLineOptions } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { assertEachRowOnce } from '../support/whole-line.ts';

const TOPIC = 'test.shop.result';

async function createShop(server: Server): Promise<void> {
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.ledger (n INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))');
  await server.query('CREATE TABLE shop.keyless (v VARCHAR(100))');
}

/** A session that commits small and large transactions until it is told to stop. */
async function writeUntil(server: Server, signal: AbortSignal): Promise<void> {
  await using session = await connectSql({ ...server, tls: null });
  for (let n = 0; !signal.aborted; n++) {
    const rows = Array.from({ length: n % 50 === 49 ? 2_000 : 1 + (n % 5) }, (_, i) => `('row ${n}.${i}')`);
    await session.query('BEGIN');
    await session.query(`INSERT INTO shop.ledger (v) VALUES ${rows.join(', ')}`);
    await session.query(`INSERT INTO shop.keyless VALUES ('${n}')`);
    await session.query('COMMIT');
  }
}

/** Does `work` while a session writes. */
async function whileWriting(server: Server, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const writing = writeUntil(server, stop.signal);
  try {
    await Promise.race([work(), writing.then(() => assert.fail('The writer has ended.'))]);
  } finally {
    stop.abort();
    await writing;
  }
}

async function idsIn(line: RunningLine): Promise<readonly string[]> {
  const messages = await publishedIn(line.log, TOPIC);
  return messages.flatMap(({ table, rows }) => rows.map(({ op, uid }) => `${table} ${op} ${uid}`)).sort();
}

async function rowsIn(line: RunningLine): Promise<number> {
  const messages = await publishedIn(line.log, TOPIC);
  return messages.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** Starts a server with the shop in it, and gives a way to start lines on one and the same log. */
async function withShop(
  t: TestContext,
  kind: (typeof serverKinds)[number],
  work: (
    server: Server,
    start: (options?: Partial<TestLineOptions>) => Promise<RunningLine>,
  ) => Promise<void>,
): Promise<void> {
  await using server = await requireServer(t, kind);
  if (server === null) return;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-source-'));
  try {
    await createShop(server);
    await work(server, options => startLine({ server, schemas: ['shop'], dir, ...options }));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function inAnotherLog(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-other-'));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

for (const kind of serverKinds) {
  test(`on ${kind} a line that is stopped and started in the middle of a load gives the rows the ids of a line that never stopped`, async t => {
    await withShop(t, kind, async (server, start) => {
      await whileWriting(server, async () => {
        let rows = 0;
        for (let turn = 0; turn < 4; turn++) {
          await using line = await start();
          await until('more rows', async () => (await rowsIn(line)) > rows + 100);
          rows = await rowsIn(line);
        }
      });
      const ids = await (async () => {
        await using line = await start();
        await assertEachRowOnce(line, 'shop');
        return await idsIn(line);
      })();
      await inAnotherLog(async other => {
        await using line = await start({ dir: other, runBytes: 16 * 1024 });
        await line.drained();
        assert.deepEqual(await idsIn(line), ids);
      });
    });
  });

  test(`on ${kind} nothing is lost or doubled by killed connections, a storm of rotations, a stop and a crash of the source`, async t => {
    await withShop(t, kind, async (server, start) => {
      let connections = 0;
      await using line = await start({
        events: {
          connected: () => {
            connections += 1;
          },
        },
      });
      const connectedAgain = async (work: () => Promise<void>): Promise<void> => {
        const before = connections;
        await work();
        await until('the line to be connected again', () => connections > before);
      };
      await until('the line to be connected', () => connections > 0);
      await whileWriting(server, async () => {
        for (let turn = 0; turn < 3; turn++) await connectedAgain(() => killDumps(server));
        for (let turn = 0; turn < 30; turn++) await server.query('FLUSH BINARY LOGS');
        await connectedAgain(() => killDumps(server));
      });
      await connectedAgain(async () => {
        await server.stop();
        await server.start();
      });
      await whileWriting(server, async () => {
        const rows = await rowsIn(line);
        await until('rows after the stop', async () => (await rowsIn(line)) > rows);
      });
      await connectedAgain(async () => {
        await server.kill9();
        await server.start();
      });
      await server.query("INSERT INTO shop.ledger (v) VALUES ('after the crash')");
      await assertEachRowOnce(line, 'shop');
    });
  });

  test(`on ${kind} a line starts at the oldest change or with the next one, and goes on from its own log later`, async t => {
    await withShop(t, kind, async (server, start) => {
      await server.query("INSERT INTO shop.ledger (v) VALUES ('before')");
      let connected = false;
      const now = {
        start: 'now',
        events: {
          connected: () => {
            connected = true;
          },
        },
      } as const;
      {
        await using _line = await start(now);
        await until('the line to be connected', () => connected);
      }
      // The line was stopped before it saw a change: where it began is kept all the same.
      await server.query("INSERT INTO shop.ledger (v) VALUES ('while it was stopped')");
      {
        await using line = await start(now);
        await server.query("INSERT INTO shop.ledger (v) VALUES ('after')");
        await line.drained();
        const rows = (await publishedIn(line.log, TOPIC)).flatMap(message => message.rows);
        assert.deepEqual(
          rows.map(row => row.values['v']),
          ['while it was stopped', 'after'],
        );
      }
      const [row] = await server.query(
        `SELECT ${kind === 'mysql' ? '@@gtid_executed' : '@@gtid_binlog_pos'} AS gtid`,
      );
      await server.query("INSERT INTO shop.ledger (v) VALUES ('after the GTID')");
      await inAnotherLog(async other => {
        await using line = await start({ dir: other, start: { gtid: String(row?.['gtid']) } });
        await line.drained();
        const rows = (await publishedIn(line.log, TOPIC)).flatMap(message => message.rows);
        assert.deepEqual(
          rows.map(({ values }) => values['v']),
          ['after the GTID'],
        );
      });
      await inAnotherLog(async other => {
        await using line = await start({ dir: other, start: 'earliest' });
        await assertEachRowOnce(line, 'shop');
      });
    });
  });

  test(`on ${kind} a change on an idle line is published within milliseconds`, async t => {
    await withShop(t, kind, async (server, start) => {
      await using line = await start();
      await line.drained();
      const latencies: number[] = [];
      const partitions = [0, 1].map(partition => ({ topic: TOPIC, partition }));
      const ends = () => Promise.all(partitions.map(partition => line.log.offset(partition, 'latest')));
      for (let n = 0; n < 40; n++) {
        const before = String(await ends());
        await server.query(`INSERT INTO shop.ledger (v) VALUES ('${n}')`);
        const committedAt = performance.now();
        await until('the change', async () => String(await ends()) !== before);
        latencies.push(performance.now() - committedAt);
      }
      const sorted = latencies.toSorted((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
      t.diagnostic(`p50 ${median.toFixed(1)} ms, longest ${sorted.at(-1)?.toFixed(1)} ms`);
      assert.ok(median < 50, `p50 is ${median} ms`);
    });
  });
}

/** Kills the connections on which the server sends its binlog. */
async function killDumps(server: Server): Promise<void> {
  const dumps = await server.query(
    "SELECT id AS id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
  );
  for (const { id } of dumps) await server.query(`KILL ${Number(id)}`).catch(() => undefined);
}
