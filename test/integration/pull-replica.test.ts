/** Pulls that read a replica: rows are never older than their watermark, and a replica that is late ends them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { PullJob } from '../../src/change/pull-job.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { replicate } from '../support/replicate.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';

const GTIDS = ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'];

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
  await replica.query('STOP SLAVE');
  await server.query('UPDATE shop.a SET v = 1');
  assert.equal((await ask('late')).failure?.code, 'UMBUS_PULL_REPLICA');
  await replica.query('START SLAVE');
  assert.equal((await ask('again')).status, 'ending');
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
});
