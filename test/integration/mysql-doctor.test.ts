import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Check,
  createMysqlSource,
  examine,
  inspect,
  type MysqlSourceOptions,
  sourceStatus,
} from '../../src/adapters/mysql/index.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';

const SERVER_ID = 77;

function optionsFor(server: Server, user = 'root', password = ''): MysqlSourceOptions {
  return {
    host: server.host,
    port: server.port,
    user,
    password,
    serverId: SERVER_ID,
    tls: null,
    heartbeatMs: 500,
  };
}

function examineShop(
  source: MysqlSourceOptions,
  now: () => number = () => Date.now(),
): Promise<readonly Check[]> {
  return examine(source, {
    schemas: ['shop', 'nowhere'],
    subscribed: (schema, table) => schema === 'shop' && !table.startsWith('tmp_'),
    now,
  });
}

function find(checks: readonly Check[], item: string): Check {
  const check = checks.find(candidate => candidate.item === item);
  assert.ok(
    check !== undefined,
    `no check of ${item} in ${checks.map(candidate => candidate.item).join(', ')}`,
  );
  return check;
}

async function makeShop(server: Server): Promise<void> {
  await server.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
  await server.query(
    "CREATE TABLE shop.item (id INT PRIMARY KEY, note VARCHAR(20), kind ENUM('COMPRESSED', 'it''s'))",
  );
  await server.query('CREATE TABLE shop.keyless (id INT)');
  await server.query(
    'CREATE TABLE shop.place (id INT PRIMARY KEY, at POINT, name VARCHAR(9) CHARACTER SET gbk)',
  );
  if (server.flavor === 'mariadb') await server.query('ALTER TABLE shop.place ADD own UUID');
  await server.query('CREATE TABLE shop.tmp_keyless (id INT, at POINT)');
  await server.query('CREATE VIEW shop.v AS SELECT id FROM shop.keyless');
}

for (const kind of serverKinds) {
  test(`${kind}: examining a server`, { timeout: 120_000 }, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await makeShop(server);

    await t.test('finds nothing that must change on a server set up for capture', async () => {
      const checks = await examineShop(optionsFor(server));
      assert.deepEqual(
        checks.filter(check => check.ok === false),
        [],
      );
      for (const item of [
        'version',
        'log_bin',
        'binlog_format',
        'binlog_row_image',
        'binlog_row_metadata',
        'gtid_mode',
      ]) {
        assert.equal(find(checks, item).ok, true);
      }
    });

    await t.test('tells which subscribed tables are limited, and why', async () => {
      const checks = await examineShop(optionsFor(server));
      assert.equal(find(checks, 'schema shop').found, '3 subscribed tables');
      assert.equal(find(checks, 'schema nowhere').ok, 'warn');
      assert.deepEqual(
        [find(checks, 'primary keys').ok, find(checks, 'primary keys').found],
        ['warn', 'none in shop.keyless'],
      );
      assert.equal(find(checks, 'character sets').found, 'all decoded');
      assert.equal(find(checks, 'column types').found, 'all decoded');
    });

    await t.test('gives for each wrong setting a statement that mends it', async () => {
      const wrong = [
        ['binlog_format', 'MIXED'],
        ['binlog_row_image', 'MINIMAL'],
        ['binlog_row_metadata', 'MINIMAL'],
        kind === 'mysql' ? ['binlog_row_value_options', 'PARTIAL_JSON'] : ['expire_logs_days', '1'],
        ['binlog_checksum', 'NONE'],
      ] as const;
      for (const [name, value] of wrong) {
        await server.query(`SET GLOBAL ${name} = ${value === '1' ? value : `'${value}'`}`);
      }
      const items = wrong.map(([name]) => (name === 'expire_logs_days' ? 'retention' : name));
      const before = await examineShop(optionsFor(server));
      for (const item of items) {
        const check = find(before, item);
        assert.notEqual(check.ok, true, item);
        assert.ok(check.statement !== null, item);
        await server.query(check.statement);
      }
      const after = await examineShop(optionsFor(server));
      for (const item of items) assert.equal(find(after, item).ok, true, item);
    });

    await t.test('gives for each missing privilege the GRANT that mends it', async () => {
      await server.query("CREATE USER 'o''reader'@'%' IDENTIFIED BY 'secret'");
      const options = optionsFor(server, "o'reader", 'secret');
      const missing = (checks: readonly Check[]) =>
        checks.filter(check => check.item.startsWith('grant ') && check.ok === false);
      await server.query("GRANT SHOW VIEW ON shop.* TO 'o''reader'@'%'");
      for (const check of missing(await examineShop(options))) await server.query(check.statement ?? '');
      for (const check of missing(await examineShop(options))) await server.query(check.statement ?? '');
      const checks = await examineShop(options);
      assert.deepEqual(missing(checks), []);
      for (const privilege of ['REPLICATION SLAVE', 'REPLICATION CLIENT', 'SELECT']) {
        assert.equal(find(checks, `grant ${privilege}`).ok, true);
      }
    });

    await t.test('names the clash of a server id', async () => {
      assert.equal(find(await examineShop(optionsFor(server)), 'server id').ok, true);
      const own = { ...optionsFor(server), serverId: server.serverId };
      assert.equal(find(await examineShop(own), 'server id').ok, false);
      await using connection = await createMysqlSource(optionsFor(server)).open(
        { kind: 'start', at: 'now' },
        new AbortController().signal,
      );
      assert.notEqual(await connection.read(), null);
      const check = find(await examineShop(optionsFor(server)), 'server id');
      assert.deepEqual([check.ok, check.found], ['warn', `${SERVER_ID}, connected now`]);
    });

    await t.test('measures the clock difference', async () => {
      assert.equal(find(await examineShop(optionsFor(server)), 'clock').ok, true);
      const late = find(await examineShop(optionsFor(server), () => Date.now() - 5_000), 'clock');
      assert.equal(late.ok, 'warn');
      const ahead = Number(/^the server is (\d+) ms ahead/.exec(late.found)?.[1]);
      assert.ok(ahead > 4_500 && ahead < 5_500, late.found);
    });

    await t.test('inspects what is there for a new line', async () => {
      const found = await inspect(optionsFor(server));
      assert.equal(found.server.flavor, kind);
      assert.deepEqual(found.schemas, [{ name: 'shop', tables: 4 }]);
      assert.notEqual(found.suggestedServerId, server.serverId);
      assert.ok(found.suggestedServerId > 0 && found.suggestedServerId < 2 ** 32);
    });

    await t.test('tells where the binlog stands', async () => {
      await server.query('FLUSH BINARY LOGS');
      const status = await sourceStatus(optionsFor(server));
      assert.ok(status.binlogs.length >= 2);
      const newest = status.binlogs.at(-1);
      assert.deepEqual([newest?.name, newest?.sizeBytes], [status.file, status.position]);
      assert.notEqual(status.gtid, '');
    });

    await t.test('examines a server whose binlog is off', async () => {
      await server.stop();
      await server.start(['--skip-log-bin']);
      const checks = await examineShop(optionsFor(server));
      assert.equal(find(checks, 'log_bin').ok, false);
      await assert.rejects(
        () => sourceStatus(optionsFor(server)),
        error => isUmbusError(error, 'UMBUS_SOURCE_SETTING'),
      );
    });
  });
}

test('examining MySQL 5.6 finds nothing that must change, and warns of what its binlog lacks', async t => {
  await using server = await requireServer(t, 'mysql56');
  if (server === null) return;
  await makeShop(server);
  const checks = await examineShop(optionsFor(server));
  assert.deepEqual(
    checks.filter(check => check.ok === false),
    [],
  );
  assert.equal(find(checks, 'binlog_row_metadata').ok, 'warn');
});
