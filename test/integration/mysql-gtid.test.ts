import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMysqlSource, type MysqlSourceOptions, sourceStatus } from '../../src/adapters/mysql/index.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { ChangeConnection, OpenFrom, ResumePoint } from '../../src/ports/change-source.ts';
import { replicate } from '../support/replicate.ts';
import { DumpReader, isCommit } from '../support/servers/binlog-events.ts';
import { requireServer, type Server, type ServerKindName, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;
const TABLE_MAP = 19;

function optionsFor(server: Server): MysqlSourceOptions {
  return {
    host: server.host,
    port: server.port,
    user: 'root',
    password: '',
    serverId: 77,
    tls: null,
    heartbeatMs: 1_000,
  };
}

function open(server: Server, from: OpenFrom): Promise<ChangeConnection> {
  return createMysqlSource(optionsFor(server)).open(from, never);
}

async function createTables(server: Server, names: readonly string[]): Promise<void> {
  await server.query('CREATE DATABASE IF NOT EXISTS shop');
  for (const name of names) {
    await server.query(`CREATE TABLE shop.${name} (id INT PRIMARY KEY AUTO_INCREMENT)`);
  }
}

async function insertInto(server: Server, names: readonly string[]): Promise<void> {
  for (const name of names) await server.query(`INSERT INTO shop.${name} VALUES ()`);
}

/** The tables that the next transactions of a dump insert into, in order. */
async function tablesOf(connection: ChangeConnection, commits: number): Promise<readonly string[]> {
  const reader = new DumpReader(connection);
  const tables: string[] = [];
  for (let seen = 0; seen < commits; ) {
    const event = await reader.next();
    assert.ok(event !== null, 'the dump ended');
    if (isCommit(event)) seen += 1;
    // Table map: header 19, table id 6, flags 2, schema with length and end, table with length.
    if (event.type !== TABLE_MAP) continue;
    const schemaBytes = event.bytes[27] ?? 0;
    const at = 28 + schemaBytes + 1;
    tables.push(event.bytes.toString('utf8', at + 1, at + 1 + (event.bytes[at] ?? 0)));
  }
  return tables;
}

async function here(server: Server): Promise<ResumePoint> {
  const { file, position, gtid } = await sourceStatus(optionsFor(server));
  return { file, position, gtid };
}

async function identity(server: Server): Promise<string> {
  return (await sourceStatus(optionsFor(server))).server.id;
}

async function reset(server: Server): Promise<void> {
  await server.query(server.flavor === 'mariadb' ? 'RESET MASTER' : 'RESET BINARY LOGS AND GTIDS');
}

/** Lets a server copy another, and waits until it has all. */
async function replicated(replica: Server, from: Server): Promise<void> {
  await replicate(replica, from);
  const wanted = (await here(from)).gtid;
  await until('the replica to catch up', async () => (await here(replica)).gtid === wanted);
}

async function rejects(
  server: Server,
  from: OpenFrom,
  code: 'UMBUS_SOURCE_IDENTITY' | 'UMBUS_SOURCE_POSITION_GONE',
) {
  await assert.rejects(
    () => open(server, from),
    error => isUmbusError(error, code),
  );
}

function twoServers(
  title: string,
  run: (kind: ServerKindName, first: Server, second: Server) => Promise<void>,
): void {
  for (const kind of serverKinds) {
    test(`${kind}: ${title}`, { timeout: 120_000 }, async t => {
      const args = kind === 'mariadb' ? ['--log-slave-updates'] : [];
      await using first = await requireServer(t, kind, { args });
      if (first === null) return;
      await using second = await requireServer(t, kind, { args });
      if (second !== null) await run(kind, first, second);
    });
  }
}

for (const kind of serverKinds) {
  test(`${kind}: positions by GTID`, { timeout: 120_000 }, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await createTables(server, ['a', 'b', 'c', 'd']);
    await insertInto(server, ['a']);
    const afterA = await here(server);
    await server.query('FLUSH BINARY LOGS');
    await insertInto(server, ['b', 'c']);

    await t.test('the end of the binlog is told with its GTIDs', () => {
      assert.match(afterA.gtid, kind === 'mariadb' ? /^0-\d+-6$/ : /^[0-9a-f-]{36}:1-6$/);
    });

    await t.test('a start by GTID gives what comes after it', async () => {
      await using connection = await open(server, { kind: 'start', at: { gtid: afterA.gtid } });
      assert.equal(connection.switched, false);
      assert.deepEqual(await tablesOf(connection, 2), ['b', 'c']);
    });

    await t.test('a start by the empty GTID set gives everything', async () => {
      await using connection = await open(server, { kind: 'start', at: { gtid: '' } });
      assert.deepEqual(await tablesOf(connection, 3), ['a', 'b', 'c']);
    });

    await t.test('a start by file knows the GTIDs before it', async () => {
      await using connection = await open(server, {
        kind: 'start',
        at: { file: 'binlog.000002', position: 4 },
      });
      assert.deepEqual(connection.from, { file: 'binlog.000002', position: 4, gtid: afterA.gtid });
      assert.deepEqual(await tablesOf(connection, 2), ['b', 'c']);
    });

    await t.test('a start at a file and position where no event starts is refused', async () => {
      for (const position of [afterA.position - 3, afterA.position + 1_000_000]) {
        const at = { file: 'binlog.000001', position };
        await rejects(server, { kind: 'start', at }, 'UMBUS_SOURCE_POSITION_GONE');
      }
    });

    await t.test('a purged file does not matter when nothing after it is lost', async () => {
      await until('the server to purge', async () => {
        await server.query("PURGE BINARY LOGS TO 'binlog.000002'");
        return (await sourceStatus(optionsFor(server))).binlogs[0]?.name === 'binlog.000002';
      });
      await using connection = await open(server, {
        kind: 'resume',
        server: await identity(server),
        at: afterA,
      });
      assert.equal(connection.switched, false);
      assert.deepEqual(await tablesOf(connection, 2), ['b', 'c']);
    });

    await t.test('a start by GTID before the purged files says what is lost', async () => {
      await rejects(server, { kind: 'start', at: { gtid: '' } }, 'UMBUS_SOURCE_POSITION_GONE');
    });

    await t.test('GTIDs that the server does not have are another history', async () => {
      const ahead = afterA.gtid.replace(/6$/, '600');
      await rejects(server, { kind: 'start', at: { gtid: ahead } }, 'UMBUS_SOURCE_IDENTITY');
      await rejects(
        server,
        { kind: 'resume', server: await identity(server), at: { ...(await here(server)), gtid: ahead } },
        'UMBUS_SOURCE_IDENTITY',
      );
    });

    await t.test('a reset is noticed when an event starts at our place by chance', async () => {
      await reset(server);
      await insertInto(server, ['a', 'b', 'c', 'd']);
      const id = await identity(server);
      const at = await here(server);
      await reset(server);
      await insertInto(server, ['a', 'b', 'c', 'd', 'a', 'b']);
      const from = { kind: 'resume', server: id, at: { ...at, gtid: (await here(server)).gtid } } as const;
      await rejects(server, from, 'UMBUS_SOURCE_IDENTITY');
    });
  });
}

twoServers('goes on with a replica after a failover, by GTID', async (_kind, first, second) => {
  await createTables(first, ['a', 'b', 'c']);
  await insertInto(first, ['a', 'b']);
  const at = await here(first);
  const id = await identity(first);
  await insertInto(first, ['c']);
  await replicated(second, first);
  await first.kill9();
  await insertInto(second, ['a']);
  await using connection = await open(second, { kind: 'resume', server: id, at });
  assert.equal(connection.switched, true);
  assert.notEqual(connection.server.id, id);
  assert.deepEqual(await tablesOf(connection, 2), ['c', 'a']);
});

twoServers('refuses a server of another history', async (_kind, first, second) => {
  await createTables(first, ['a']);
  await insertInto(first, ['a']);
  await createTables(second, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  await reset(second);
  const at = await here(first);
  const id = await identity(first);
  await rejects(second, { kind: 'resume', server: id, at }, 'UMBUS_SOURCE_IDENTITY');
  await rejects(second, { kind: 'resume', server: id, at: { ...at, gtid: '' } }, 'UMBUS_SOURCE_IDENTITY');
});

test('mysql: a GTID set with tags', { timeout: 120_000 }, async t => {
  await using server = await requireServer(t, 'mysql');
  if (server === null) return;
  await createTables(server, ['a', 'b', 'c']);
  const id = await identity(server);
  for (const [gtid, table] of [
    [`${id}:alpha:1`, 'a'],
    [`${id}:alpha:3`, 'a'],
    [`${id}:beta_2:7`, 'a'],
  ]) {
    await server.query(
      `SET gtid_next = '${gtid}'; INSERT INTO shop.${table} VALUES (); SET gtid_next = 'AUTOMATIC'`,
    );
  }
  const { gtid } = await here(server);
  assert.match(gtid, /alpha.*beta_2/);
  await insertInto(server, ['b', 'c']);
  await using connection = await open(server, { kind: 'start', at: { gtid } });
  assert.deepEqual(await tablesOf(connection, 2), ['b', 'c']);
});

test('mysql: a server without GTIDs is read by file and position', { timeout: 120_000 }, async t => {
  await using server = await requireServer(t, 'mysql', {
    args: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'],
  });
  if (server === null) return;
  await createTables(server, ['a', 'b']);
  await insertInto(server, ['a']);
  const at = await here(server);
  assert.equal(at.gtid, '');
  await insertInto(server, ['b']);
  await using connection = await open(server, { kind: 'resume', server: await identity(server), at });
  assert.deepEqual(await tablesOf(connection, 1), ['b']);
  await assert.rejects(
    () => open(server, { kind: 'start', at: { gtid: '' } }),
    error => isUmbusError(error, 'UMBUS_SOURCE_SETTING'),
  );
});
