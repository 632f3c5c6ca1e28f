/** Tables that are pulled when the line first finds them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { PullCells } from '../../src/adapters/pull/pull-cells.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { initialPullOf } from '../../src/cli/run/initial-pulls.ts';
import { pullOver } from '../support/pulls.ts';
import { startLine, type TestLineOptions } from '../support/running-line.ts';
import { requireServer } from '../support/servers.ts';

test('tables are pulled when the line first finds them, once, and by one of its processes', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE DATABASE outside');
  for (const name of ['shop.a', 'shop.left_out', 'outside.late']) {
    await server.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, v INT)`);
    await server.query(`INSERT INTO ${name} SELECT seq, seq FROM shop.seq_1_to_1000`);
  }
  const coordination = createMemoryCoordination({ clock: systemClock });
  const dir = await mkdtemp(join(tmpdir(), 'umbus-initial-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const schema = { initial: 'pull', exclude: ['left_out'] } as const;
  const options = { server, schemas: ['shop'], schema, start: 'now', dir } as const;
  const cells = new PullCells(coordination.open(), 'test');
  const run = async (work: (line: Awaited<ReturnType<typeof startLine>>) => Promise<void>) => {
    const each: TestLineOptions = { ...options, coordination: coordination.open() };
    await using line = await startLine(each);
    await work(line);
  };
  const names = async () => (await cells.records()).map(({ job }) => job.table).sort();
  await run(async line => {
    assert.equal((await pullOver(cells, initialPullOf('shop', 'a'))).rows, 1000);
    await server.query('RENAME TABLE outside.late TO shop.late');
    assert.equal((await pullOver(cells, initialPullOf('shop', 'late'))).rows, 1000);
    await server.query('DELETE FROM shop.late WHERE id > 900');
    await line.drained();
    await server.query('DROP TABLE shop.left_out');
    const { differences, examples } = await line.compare();
    assert.deepEqual([differences, examples], [0, []]);
  });
  const before = await cells.records();
  await run(async line => {
    await server.query('CREATE TABLE shop.b (id INT PRIMARY KEY)');
    assert.equal((await pullOver(cells, initialPullOf('shop', 'b'))).rows, 0);
    await line.drained();
  });
  assert.deepEqual(await names(), ['a', 'b', 'late']);
  const after = new Map((await cells.records()).map(record => [record.job.pull, record]));
  for (const record of before) assert.deepEqual(after.get(record.job.pull), record);
});
