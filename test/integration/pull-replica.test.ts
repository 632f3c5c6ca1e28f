/** Pulls that read a replica: rows are never older than their watermark, and a replica that is late ends them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { examinePulls } from '../../src/adapters/mysql/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { PullJob } from '../../src/change/pull-job.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { replicate } from '../support/replicate.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';

const GTIDS = ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'];

const about = {
  schemas: ['shop'],
  subscribed: (schema: string) => schema === 'shop',
  replica: null,
  signals: 'dbus',
  needed: true,
};

/** What `umbus check` says of a replica for pulls, and of the source as far as pulls need it. */
function examined(
  { host, port, user, password }: Login,
  replica: Login,
  timeoutMs = 1500,
): ReturnType<typeof examinePulls> {
  const login = { host: replica.host, port: replica.port, user: replica.user, password: replica.password };
  return examinePulls(
    { host, port, user, password, tls: null },
    { ...about, replica: { login: { ...login, tls: null }, timeoutMs } },
  );
}

interface Login extends Pick<Server, 'host' | 'port'> {
  readonly user: string;
  readonly password: string;
}

for (const kind of serverKinds) {
  test(`tables are pulled from a replica of ${kind} while they change, and none from the source`, async t => {
    const args = kind === 'mysql' ? GTIDS : [];
    await using server = await requireServer(t, kind, { args });
    if (server === null) return;
    await using replica = await requireServer(t, kind, { args });
    if (replica === null) return;
    await using load = await startSteadyLoad(server, 'shop');
    await replicate(replica, server);
    await using coordination = createMemoryCoordination({ clock: systemClock }).open();
    const { host, port, user, password } = replica;
    await using line = await startLine({
      server,
      schemas: ['shop'],
      start: 'now',
      coordination,
      replica: { host, port, user, password, timeoutMs: 15_000 },
    });
    const ask = (pull: string, table: string, more: Partial<PullJob> = {}) =>
      askPull(coordination, line.line.ds, { pull, schema: 'shop', table, shardRows: 50, ...more });
    const cells = await ask('t0', 't0');
    for (const table of ['t1', 't2', 't3', 't4', 't5']) await ask(table, table);
    for (const table of ['t0', 't1', 't2', 't3', 't4', 't5']) {
      const { status, failure } = await pullOver(cells, table);
      assert.deepEqual([status, failure], ['ending', null], table);
    }
    const checks = await examined(server, { ...replica, user, password }, 15_000);
    assert.deepEqual(
      checks.filter(({ ok }) => ok !== true),
      [],
    );
    assert.match(checks.find(({ item }) => item === 'watermark on replica')?.found ?? '', /^it came within /);
    const [reads] = await replica.query(`SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'`);
    assert.ok(Number(reads?.['Value']) >= 6, 'rows are read from the replica');
    const [none] = await server.query(`SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'`);
    assert.equal(Number(none?.['Value']), 0, 'and none from the source');
    load.assertGoing();
    await load.stop();
    await line.drained();
    const { differences, examples } = await line.compare();
    assert.deepEqual([differences, examples], [0, []]);
  });
}

test('a pull from a replica that stands still ends with a code, and the next one goes on when it has caught up', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await using replica = await requireServer(t, 'mariadb');
  if (replica === null) return;
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.a (id INT PRIMARY KEY, v INT)');
  await server.query('INSERT INTO shop.a SELECT seq, 0 FROM shop.seq_1_to_1000');
  await replicate(replica, server);
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  const { host, port, user, password } = replica;
  await using line = await startLine({
    server,
    schemas: ['shop'],
    start: 'now',
    coordination,
    replica: { host, port, user, password, timeoutMs: 1500 },
  });
  const ask = async (pull: string) => {
    const cells = await askPull(coordination, line.line.ds, { pull, schema: 'shop', table: 'a' });
    return await pullOver(cells, pull);
  };
  assert.equal((await ask('good')).status, 'ending');
  const wrong = async (login: Parameters<typeof examined>[1]) =>
    (await examined(server, login))
      .filter(({ ok }) => ok !== true)
      .map(({ item, ok, code, found }) => [item, ok, code ?? found]);
  assert.deepEqual(await wrong({ host, port: 1, user, password }), [
    ['replica', false, 'UMBUS_SOURCE_UNREACHABLE'],
  ]);
  assert.deepEqual(await wrong(server), [['replica of the source', 'warn', 'it is the source itself']]);
  await replica.query("SET sql_log_bin = 0; CREATE USER blind@'%' IDENTIFIED BY 'secret'");
  assert.deepEqual(await wrong({ host, port, user: 'blind', password: 'secret' }), [
    ['replica of the source', 'warn', 'not to be seen by the account'],
    ['replica tables', false, 'UMBUS_PULL_TABLE'],
    ['watermark on replica', false, 'UMBUS_SOURCE_GRANT'],
  ]);
  await server.query("CREATE USER poor@'%' IDENTIFIED BY 'secret'");
  const poor = await examinePulls({ ...server, user: 'poor', password: 'secret', tls: null }, about);
  const [lacking, ...none] = poor;
  assert.deepEqual([lacking?.ok, lacking?.code, none], [false, 'UMBUS_SOURCE_GRANT', []]);
  assert.match(lacking?.statement ?? '', /GRANT SELECT, INSERT, DELETE ON `dbus`\.\* TO 'poor'@'%'$/);
  await replica.query('STOP SLAVE');
  assert.deepEqual(await wrong({ host, port, user, password }), [
    ['replica lag', false, 'UMBUS_PULL_REPLICA'],
    ['watermark on replica', false, 'UMBUS_PULL_REPLICA'],
  ]);
  await server.query('UPDATE shop.a SET v = 1');
  assert.equal((await ask('late')).failure?.code, 'UMBUS_PULL_REPLICA');
  await replica.query('START SLAVE');
  assert.equal((await ask('again')).status, 'ending');
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
});
