import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMysqlSource, type MysqlSourceOptions } from '../../src/adapters/mysql/index.ts';
import { freePort } from '../../src/cli/demo-server/server-process.ts';
import { type ErrorCode, isUmbusError, type UmbusError } from '../../src/core/errors.ts';
import type { OpenFrom } from '../../src/ports/change-source.ts';
import { DumpReader, isCommit } from '../support/servers/binlog-events.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';

const never = new AbortController().signal;
const EARLIEST: OpenFrom = { kind: 'start', at: 'earliest' };

function optionsFor(server: Pick<Server, 'host' | 'port'>, user = 'root', password = ''): MysqlSourceOptions {
  return {
    host: server.host,
    port: server.port,
    user,
    password,
    serverId: 77,
    tls: null,
    heartbeatMs: 1_000,
  };
}

async function refusal(options: MysqlSourceOptions, code: ErrorCode): Promise<UmbusError> {
  const connection = await createMysqlSource(options)
    .open(EARLIEST, never)
    .catch((error: unknown) => error);
  assert.ok(isUmbusError(connection, code), `expected ${code}, got ${connection}`);
  return connection;
}

/** Reads the dump up to a first commit of rows. */
async function assertReads(server: Server, options: MysqlSourceOptions): Promise<void> {
  await server.query('CREATE DATABASE IF NOT EXISTS shop');
  await server.query('CREATE TABLE IF NOT EXISTS shop.item (id INT PRIMARY KEY AUTO_INCREMENT)');
  await server.query('INSERT INTO shop.item VALUES ()');
  await using connection = await createMysqlSource(options).open(EARLIEST, never);
  const reader = new DumpReader(connection);
  for (let event = await reader.next(); event !== null; event = await reader.next()) {
    if (isCommit(event)) return;
  }
  assert.fail('the dump ended');
}

test('a port where nobody listens is an unreachable source', async () => {
  const port = await freePort();
  const error = await refusal(optionsFor({ host: '127.0.0.1', port }), 'UMBUS_SOURCE_UNREACHABLE');
  assert.ok(error.retryable);
  assert.ok(error.message.includes(`127.0.0.1:${port}`));
});

for (const kind of serverKinds) {
  test(`${kind}: access`, { timeout: 120_000 }, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;

    await t.test('a wrong password is refused, and is not in the message', async () => {
      const error = await refusal(optionsFor(server, 'root', 'not-the-password'), 'UMBUS_SOURCE_AUTH');
      assert.ok(!error.message.includes('not-the-password'));
      assert.ok(!error.retryable);
    });

    await t.test('an account without privileges learns the GRANT that mends it', async () => {
      await server.query("CREATE USER reader@'%' IDENTIFIED BY 'secret'");
      const options = optionsFor(server, 'reader', 'secret');
      const error = await refusal(options, 'UMBUS_SOURCE_GRANT');
      const statement = /Run: (GRANT [^;]+);/.exec(error.message)?.[1];
      assert.ok(statement !== undefined, error.message);
      await server.query(statement);
      await assertReads(server, options);
    });

    await t.test('the privilege to ship the binlog is told apart from the one to list it', async () => {
      await server.query("CREATE USER lister@'%' IDENTIFIED BY 'secret'");
      await server.query("GRANT REPLICATION CLIENT ON *.* TO lister@'%'");
      const error = await refusal(optionsFor(server, 'lister', 'secret'), 'UMBUS_SOURCE_GRANT');
      assert.match(error.message, /REPLICATION SLAVE/);
    });

    await t.test("the server's own id is refused", async () => {
      await refusal({ ...optionsFor(server), serverId: server.serverId }, 'UMBUS_SOURCE_SERVER_ID');
    });

    await t.test('statements instead of rows in the binlog are refused', async () => {
      await server.query("SET GLOBAL binlog_format = 'STATEMENT'");
      const error = await refusal(optionsFor(server), 'UMBUS_SOURCE_SETTING');
      const statement = /Run: (SET GLOBAL [^;]+);/.exec(error.message)?.[1];
      assert.ok(statement !== undefined, error.message);
      await server.query(statement);
      await assertReads(server, optionsFor(server));
    });

    await t.test('a server without a binlog is refused', async () => {
      await server.stop();
      await server.start(['--skip-log-bin']);
      const error = await refusal(optionsFor(server), 'UMBUS_SOURCE_SETTING');
      assert.match(error.message, /log_bin/);
    });
  });
}

test('mysql: a dump over TLS', { timeout: 120_000 }, async t => {
  await using server = await requireServer(t, 'mysql');
  if (server === null) return;
  await server.query("CREATE USER secure@'%' IDENTIFIED BY 'secret' REQUIRE SSL");
  await server.query("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO secure@'%'");
  const plain = optionsFor(server, 'secure', 'secret');

  await t.test('an account that requires TLS is refused without it', async () => {
    await refusal(plain, 'UMBUS_SOURCE_AUTH');
  });

  await t.test('is read when the certificate is not asked for', async () => {
    const tls = { ca: null, cert: null, key: null, verify: false };
    await assertReads(server, { ...plain, tls });
  });

  await t.test('is not read when the certificate is of another host', async () => {
    const ca = readFileSync(join(server.dataDir, 'ca.pem'), 'utf8');
    const error = await refusal(
      { ...plain, tls: { ca, cert: null, key: null, verify: true } },
      'UMBUS_SOURCE_UNREACHABLE',
    );
    assert.match(error.message, /certificate/i);
  });
});
