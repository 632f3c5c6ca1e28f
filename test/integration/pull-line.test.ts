/** Full pulls on real servers, by the topologies of the line: under load, aborted, asked for twice, and by processes that go away meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';

const SCHEMA = 'shop';

for (const kind of serverKinds) {
  test(`tables of ${kind} that the line never saw are pulled while they change, and end equal`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using load = await startSteadyLoad(server, SCHEMA, 3);
    await server.query(`CREATE TABLE ${SCHEMA}.skewed (a VARCHAR(20), b INT, v TEXT, PRIMARY KEY (a, b))`);
    for (let i = 0; i < 10; i++) {
      const rows = Array.from(
        { length: 500 },
        (_, k) => `('${k % 10 === 0 ? `k${i}` : 'same'}', ${i * 500 + k}, REPEAT('v', ${k}))`,
      );
      await server.query(`INSERT INTO ${SCHEMA}.skewed VALUES ${rows.join()}`);
    }
    await using coordination = createMemoryCoordination({ clock: systemClock }).open();
    await using line = await startLine({ server, schemas: [SCHEMA], start: 'now', coordination });
    await server.query(`DELETE FROM ${SCHEMA}.skewed WHERE b % 100 = 0`);
    const cells = await askPull(coordination, line.line.ds, {
      pull: 'skewed',
      schema: SCHEMA,
      table: 'skewed',
    });
    for (let table = 0; table < 6; table++) {
      await askPull(coordination, line.line.ds, {
        pull: `t${table}`,
        schema: SCHEMA,
        table: `t${table}`,
        shardRows: 40,
      });
    }
    await server.query(`UPDATE ${SCHEMA}.skewed SET a = 'moved' WHERE b % 300 = 1`);
    for (const name of ['skewed', 't0', 't1', 't2', 't3', 't4', 't5']) {
      const record = await pullOver(cells, name);
      assert.deepEqual([record.status, record.failure, record.batchId], ['ending', null, 1], name);
    }
    assert.ok((await cells.record('skewed'))?.shards === 10, 'shards of 500 rows');
    // Once more, over what is there.
    await askPull(coordination, line.line.ds, { pull: 'again', schema: SCHEMA, table: 't1', shardRows: 25 });
    assert.equal((await pullOver(cells, 'again')).batchId, 2);
    load.assertGoing();
    await load.stop();
    await line.drained();
    const { differences, examples, rows } = await line.compare();
    assert.deepEqual([differences, examples], [0, []]);
    assert.ok(rows > 4000);
  });
}

test('what cannot be pulled is refused with its reason, and the line goes on', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(`CREATE TABLE ${SCHEMA}.keyless (n INT)`);
  await server.query(`CREATE TABLE ${SCHEMA}.good (n INT PRIMARY KEY, v INT)`);
  await server.query(`INSERT INTO ${SCHEMA}.good SELECT seq, seq FROM ${SCHEMA}.seq_1_to_3000`);
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({ server, schemas: [SCHEMA], start: 'now', coordination });
  const { ds } = line.line;
  const ask = (pull: string, table: string, more = {}) =>
    askPull(coordination, ds, { pull, schema: SCHEMA, table, ...more });
  const cells = await ask('keyless', 'keyless', { condition: 'n = 1' });
  await ask('missing', 'missing');
  await ask('column', 'good', { condition: 'nothing = 1' });
  await ask('unsafe', 'good', { condition: 'SLEEP(10) = 0' });
  await ask('split', 'good', { splitBy: ['v'] });
  const codes: unknown[] = [];
  for (const pull of ['keyless', 'missing', 'column', 'unsafe', 'split']) {
    const { status, failure } = await pullOver(cells, pull);
    codes.push([pull, status, failure?.code]);
  }
  assert.deepEqual(codes, [
    ['keyless', 'abort', 'UMBUS_PULL_TABLE'],
    ['missing', 'abort', 'UMBUS_PULL_TABLE'],
    ['column', 'abort', 'UMBUS_PULL_CONDITION'],
    ['unsafe', 'abort', 'UMBUS_PULL_CONDITION'],
    ['split', 'abort', 'UMBUS_PULL_COLUMN'],
  ]);
  // A pull that is slow, paused, cancelled; and one of the same table while it runs.
  await cells.setControl('slow', { state: 'run', rowsPerSecond: 500 });
  await ask('slow', 'good', { shardRows: 100 });
  await ask('twice', 'good');
  assert.equal((await pullOver(cells, 'twice')).failure?.code, 'UMBUS_PULL_RUNNING');
  await cells.setControl('slow', { state: 'cancel', rowsPerSecond: null });
  assert.equal((await pullOver(cells, 'slow')).failure?.code, 'UMBUS_PULL_CANCELLED');
  await ask('part', 'good', { condition: 'n <= 100 OR n > 2990', shardRows: 1000 });
  assert.equal((await pullOver(cells, 'part')).status, 'ending');
  await ask('whole', 'good');
  assert.equal((await pullOver(cells, 'whole')).status, 'ending');
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
});
