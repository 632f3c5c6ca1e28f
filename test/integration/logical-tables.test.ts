import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { pulledTables } from '../../src/cli/pull/pulled-tables.ts';
import { rebuild } from '../../src/cli/quickstart/compare.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { publishedIn } from '../support/published.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { assertWhole } from '../support/whole-line.ts';

const TOPIC = 'test.shop.result';

for (const placeBy of ['table', 'primary-key'] as const) {
  test(`tables that are published as one stay apart in their rows and versions, placed by ${placeBy}`, async t => {
    await using server = await requireServer(t, 'mariadb');
    if (server === null) return;
    await using line = await startLine({
      server,
      schemas: ['shop'],
      partitions: 3,
      schema: {
        logical: { orders: ['orders_????', 'orders_old'] },
        result: { partitions: 4, placeBy, placeColumns: {}, format: 'json' },
      },
    });
    const shards = ['orders_2024', 'orders_2025', 'orders_2026'];
    const run = async (...statements: readonly string[]): Promise<void> => {
      for (const sql of statements) await server.query(sql);
    };
    await run('CREATE DATABASE shop');
    for (const [n, name] of shards.entries()) {
      await run(
        `CREATE TABLE shop.${name} (id INT PRIMARY KEY, note VARCHAR(20))`,
        `INSERT INTO shop.${name} VALUES ${[1, 2, 3, 4, 5, 6].map(id => `(${id}, 'of ${name}')`).join()}`,
        `UPDATE shop.${name} SET note = 'changed' WHERE id = ${n + 1}`,
        `DELETE FROM shop.${name} WHERE id = ${n + 4}`,
      );
    }
    await run(
      'CREATE TABLE shop.orders (id INT PRIMARY KEY, other INT)',
      'INSERT INTO shop.orders VALUES (1, 10), (2, 20)',
      'CREATE TABLE shop.customers (id INT PRIMARY KEY)',
      'INSERT INTO shop.customers VALUES (1)',
    );
    await assertWhole(line);
    await run(
      'TRUNCATE TABLE shop.orders_2024',
      "INSERT INTO shop.orders_2024 VALUES (1, 'again')",
      'ALTER TABLE shop.orders_2025 ADD COLUMN more INT',
      "INSERT INTO shop.orders_2025 VALUES (20, 'wide', 5)",
      "INSERT INTO shop.orders_2026 VALUES (20, 'narrow')",
      "UPDATE shop.orders_2026 SET id = 30, note = 'moved' WHERE id = 1",
    );
    await assertWhole(line);
    await run(
      'ALTER TABLE shop.orders_2026 ADD COLUMN more INT',
      'UPDATE shop.orders_2026 SET more = 7 WHERE id = 30',
      'DROP TABLE shop.orders_2024',
      'RENAME TABLE shop.orders_2025 TO shop.orders_old',
      "UPDATE shop.orders_old SET note = 'after' WHERE id = 2",
      'CREATE TABLE shop.orders_2024 (id INT PRIMARY KEY, note VARCHAR(20))',
      "INSERT INTO shop.orders_2024 VALUES (2, 'new')",
    );
    await assertWhole(line);
    const { tables } = await rebuild(line.log, [TOPIC]);
    const counted = await server.query(
      'SELECT (SELECT COUNT(*) FROM shop.orders_2024) + (SELECT COUNT(*) FROM shop.orders_2026) + (SELECT COUNT(*) FROM shop.orders_old) + (SELECT COUNT(*) FROM shop.orders) AS n',
    );
    assert.match(JSON.stringify(counted), new RegExp(`"?${tables.get('shop.orders')?.size}"?`));
    const names = new Set((await publishedIn(line.log, TOPIC)).map(({ table }) => table));
    assert.deepEqual([...names].sort(), ['customers', 'orders']);
    const messages = await publishedIn(line.log, TOPIC);
    if (placeBy === 'table') {
      const home = new Set(
        messages.filter(({ table }) => table === 'orders').map(({ partition }) => partition),
      );
      assert.equal(home.size, 1);
    }
  });
}

test('all tables of a logical one are pulled by its name, and have one heartbeat a round on each partition', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query('CREATE DATABASE shop');
  for (const name of ['orders_2024', 'orders_2025', 'orders_2026']) {
    await server.query(`CREATE TABLE shop.${name} (id INT PRIMARY KEY, note VARCHAR(20))`);
    await server.query(`INSERT INTO shop.${name} SELECT seq, '${name}' FROM shop.seq_1_to_500`);
  }
  await createSignalTables(sql => server.query(sql));
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({
    server,
    schemas: ['shop'],
    start: 'now',
    coordination,
    heartbeat: { every: { kind: 'interval', ms: 100 } },
    schema: { logical: { orders: ['orders_????'] } },
  });
  const tables = await pulledTables(line.line, ['shop.orders'], AbortSignal.timeout(20_000));
  assert.deepEqual(tables.map(({ table }) => table).sort(), ['orders_2024', 'orders_2025', 'orders_2026']);
  await server.query("UPDATE shop.orders_2025 SET note = 'changed' WHERE id % 7 = 0");
  for (const { schema, table } of tables) {
    const pull = table.replace('_', '-');
    const cells = await askPull(coordination, line.line.ds, { pull, schema, table, shardRows: 100 });
    const { status, failure } = await pullOver(cells, pull, 20_000);
    assert.deepEqual([status, failure], ['ending', null]);
  }
  await server.query('DELETE FROM shop.orders_2026 WHERE id % 5 = 0');
  await line.drained();
  const { differences, examples, rows } = await line.compare();
  assert.deepEqual([differences, examples, rows], [0, [], 1_400]);
  const beats = async () =>
    (await publishedIn(line.log, TOPIC)).filter(
      ({ message }) => message.protocol.type === 'data_increment_heartbeat',
    );
  await until('heartbeats', async () => (await beats()).length >= 5);
  const found = await beats();
  assert.deepEqual([...new Set(found.map(({ table, part }) => `${table} ${part}`))], ['orders *']);
  const rounds = found.map(({ key }) => key.split('|')[1]);
  assert.equal(new Set(rounds).size, rounds.length);
});
