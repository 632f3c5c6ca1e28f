import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { isUmbusError, type UmbusError } from '../../src/core/errors.ts';
import { changesOf } from '../support/published.ts';
import { type RunningLine, startLine, type TestLineOptions } from '../support/running-line.ts';
import {
  requireServer,
  type Server,
  type ServerKindName,
  type ServerOptions,
  serverKinds,
} from '../support/servers.ts';
import { until } from '../support/until.ts';
import { assertEachRowOnce, assertWhole } from '../support/whole-line.ts';

const TOPIC = 'test.shop.result';

type Start = (options?: Partial<TestLineOptions>) => Promise<RunningLine>;

/** Starts a server with a small shop in it, and gives a way to start lines on one and the same log. */
async function withShop(
  t: TestContext,
  kind: ServerKindName,
  options: ServerOptions,
  work: (server: Server, start: Start) => Promise<void>,
): Promise<void> {
  await using server = await requireServer(t, kind, options);
  if (server === null) return;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-halts-'));
  try {
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE TABLE shop.a (n INT PRIMARY KEY, v VARCHAR(600))');
    await server.query('CREATE TABLE shop.b (n INT PRIMARY KEY, v VARCHAR(600), doc TEXT)');
    await server.query("INSERT INTO shop.a VALUES (1, 'one')");
    await work(server, more => startLine({ server, schemas: ['shop'], dir, ...more }));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function haltOf(line: RunningLine): Promise<UmbusError> {
  const error = await line.halted();
  assert.ok(isUmbusError(error), String(error));
  return error;
}

/** Purges files; a server keeps those that a connection still reads. */
async function purgeTo(server: Server, file: string): Promise<void> {
  await until(`${file} to be the oldest binlog`, async () => {
    await server.query(`PURGE BINARY LOGS TO '${file}'`);
    const [oldest] = await server.query('SHOW BINARY LOGS');
    if (oldest?.['Log_name'] === file) return true;
    const dumps = await server.query(
      "SELECT id AS id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
    );
    for (const { id } of dumps) await server.query(`KILL ${Number(id)}`).catch(() => undefined);
    return false;
  });
}

const resetBinlogs = (kind: ServerKindName): string =>
  kind === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';

for (const kind of serverKinds) {
  test(`on ${kind} a line whose next binlog was purged halts and says what is lost, and one that has read it goes on`, async t => {
    await withShop(t, kind, {}, async (server, start) => {
      {
        await using line = await start();
        await line.drained();
        await server.query('FLUSH BINARY LOGS');
        await purgeTo(server, 'binlog.000002');
        await server.query("INSERT INTO shop.a VALUES (2, 'two')");
        await line.drained();
      }
      {
        await using line = await start();
        await line.drained();
        assert.deepEqual(await changesOf(line.log, TOPIC, 'a', 'n'), ['i 1', 'i 2']);
      }
      await server.query("INSERT INTO shop.a VALUES (3, 'three')");
      await server.query('FLUSH BINARY LOGS');
      await purgeTo(server, 'binlog.000003');
      await using line = await start();
      const error = await haltOf(line);
      assert.equal(error.code, 'UMBUS_SOURCE_POSITION_GONE');
      assert.match(error.message, /binlog\.000002:\d+ is needed.* its oldest binlog is binlog\.000003/);
      assert.deepEqual(await changesOf(line.log, TOPIC, 'a', 'n'), ['i 1', 'i 2']);
    });
  });

  test(`on ${kind} a line halts when the binlogs are reset under it, and when they were while it was away`, async t => {
    await withShop(t, kind, {}, async (server, start) => {
      await using line = await start();
      await line.drained();
      await server.query(resetBinlogs(kind));
      for (let n = 10; n < 60; n++) await server.query(`INSERT INTO shop.a VALUES (${n}, 'new history')`);
      const error = await haltOf(line);
      assert.match(error.code, /^UMBUS_SOURCE_(POSITION_GONE|IDENTITY)$/);
      assert.match(error.message, /reset|written anew|does not have/);
      assert.deepEqual(await changesOf(line.log, TOPIC, 'a', 'n'), ['i 1']);
      await line[Symbol.asyncDispose]();
      await using again = await start();
      assert.equal((await haltOf(again)).code, error.code);
    });
  });

  test(`on ${kind} a server without checksums is read all the same, over restarts and rotations`, async t => {
    await withShop(t, kind, { args: ['--binlog-checksum=NONE'] }, async (server, start) => {
      {
        await using line = await start();
        await line.drained();
        await server.query("INSERT INTO shop.a VALUES (2, 'two')");
        await line.drained();
      }
      await server.query("INSERT INTO shop.a VALUES (3, 'three')");
      await using line = await start();
      await server.query('SET GLOBAL binlog_checksum = CRC32');
      await server.query("INSERT INTO shop.a VALUES (4, 'four')");
      await server.query('SET GLOBAL binlog_checksum = NONE');
      await server.query("INSERT INTO shop.a VALUES (5, 'five')");
      await assertEachRowOnce(line, 'shop');
    });
  });

  test(`on ${kind} rows that lack column names or columns come out all the same`, async t => {
    await withShop(t, kind, {}, async (server, start) => {
      const parked: string[] = [];
      await using line = await start({
        events: { parked: ({ key, code, message }) => parked.push(`${key} ${code} ${message}`) },
      });
      await server.query('SET GLOBAL binlog_row_metadata = MINIMAL');
      await server.query("INSERT INTO shop.b VALUES (1, 'one', 'x')");
      await server.query('SET GLOBAL binlog_row_metadata = FULL');
      await server.query("INSERT INTO shop.a VALUES (2, 'two')");
      await server.query("INSERT INTO shop.b VALUES (2, 'two', 'x')");
      await server.query('CREATE TABLE shop.c (n INT PRIMARY KEY, v INT, doc TEXT)');
      await server.query("INSERT INTO shop.c VALUES (1, 1, 'text'), (2, 2, 'text')");
      await server.query('SET SESSION binlog_row_image = MINIMAL');
      await server.query('UPDATE shop.c SET v = 3 WHERE n = 1');
      await server.query('SET SESSION binlog_row_image = FULL');
      await server.query('UPDATE shop.c SET v = 4 WHERE n = 2');
      await server.query("INSERT INTO shop.a VALUES (3, 'three')");
      await line.drained();
      assert.deepEqual(await changesOf(line.log, TOPIC, 'a', 'n'), ['i 1', 'i 2', 'i 3']);
      assert.deepEqual(await changesOf(line.log, TOPIC, 'b', 'n'), ['i 1', 'i 2']);
      assert.deepEqual(await changesOf(line.log, TOPIC, 'c', 'n', 'v'), ['i 1 1', 'i 2 2', 'u 1 3', 'u 2 4']);
      assert.equal((await line.compare()).differences, 0);
      assert.deepEqual(parked, []);
    });
  });

  test(`on ${kind} a line halts at rows that the binlog has as statements only`, async t => {
    await withShop(t, kind, {}, async (server, start) => {
      await using line = await start();
      await server.query('SET SESSION binlog_format = STATEMENT');
      await server.query("INSERT INTO shop.a VALUES (2, 'a secret')");
      const error = await haltOf(line);
      assert.equal(error.code, 'UMBUS_SOURCE_SETTING');
      assert.match(error.message, /schema 'shop' at binlog\.000001:\d+.*binlog_format = 'ROW'/);
      assert.ok(!error.message.includes('secret'));
    });
  });

  test(`on ${kind} changes that the binlog has in a compressed form come out once each, over restarts too`, async t => {
    await withShop(t, kind, {}, async (server, start) => {
      const setting = kind === 'mysql' ? 'SESSION binlog_transaction_compression' : 'GLOBAL log_bin_compress';
      await using session = await connectSql({ ...server, tls: null });
      await session.query('CREATE TABLE shop.same (n INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(400))');
      await session.query(`SET ${setting} = ON`);
      for (let round = 0; round < 3; round++) {
        await using line = await start({ runBytes: 4096 });
        await session.query(`INSERT INTO shop.a VALUES (${round + 2}, REPEAT('b', 600))`);
        await session.query("INSERT INTO shop.same (v) VALUES (REPEAT('c', 400)), (REPEAT('c', 400))");
        for (let i = 0; i < 4; i++)
          await session.query('INSERT INTO shop.same (v) SELECT v FROM shop.same LIMIT 50');
        await session.query('DELETE FROM shop.same ORDER BY n LIMIT 3');
        await assertWhole(line);
      }
    });
  });
}

test('on mysql without GTIDs nothing is lost over restarts, cuts and rotations, and reset binlogs halt the line', async t => {
  await withShop(t, 'mysql', { args: ['--gtid-mode=OFF'] }, async (server, start) => {
    {
      await using line = await start();
      await line.drained();
    }
    await using session = await connectSql({ ...server, tls: null });
    let connections = 0;
    {
      await using line = await start({
        events: {
          connected: () => {
            connections += 1;
          },
        },
      });
      for (let n = 2; n < 500; n++) {
        await session.query(`INSERT INTO shop.a VALUES (${n}, 'v')`);
        if (n % 100 === 0) await session.query('FLUSH BINARY LOGS');
        if (n % 150 === 0) {
          const [dump] = await session.query(
            "SELECT id AS id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
          );
          if (dump !== undefined) await session.query(`KILL ${Number(dump['id'])}`);
        }
      }
      await assertEachRowOnce(line, 'shop');
      await until('a second connection', () => connections > 1);
    }
    await session.query('RESET BINARY LOGS AND GTIDS');
    await session.query("INSERT INTO shop.a VALUES (1000, 'new history')");
    await using line = await start();
    assert.equal((await haltOf(line)).code, 'UMBUS_SOURCE_POSITION_GONE');
  });
});
