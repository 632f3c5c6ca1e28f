/** Bad luck in the middle of a pull: each has its code, what was published stays right, and the next pull, or the same one, goes on. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import type { PullCells } from '../../src/adapters/pull/pull-cells.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { newestByKey } from '../../src/cli/status/table-store.ts';
import { startAlarmReceiver } from '../support/alarm-receiver.ts';
import { watchLine } from '../support/alarm-watch.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { type RunningLine, startLine } from '../support/running-line.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const SCHEMA = 'shop';

/** Waits until rows of a pull are published, and its table is cut. */
async function published(cells: PullCells, pull: string): Promise<void> {
  await until(`rows of ${pull}`, async () => {
    const shards = (await cells.record(pull))?.shards ?? null;
    return shards !== null && ((await cells.counts(pull))?.rows ?? 0) > 0;
  });
}

/** Waits until nobody reads a pull that was paused: its shards are whole, or wait. */
async function stands(line: RunningLine, cells: PullCells, pull: string): Promise<void> {
  await until(`${pull} to stand`, async () => {
    const name = `umbus.${line.line.ds}.puller-paused-changelog`;
    const topic = (await line.log.topics()).find(each => each.name === name);
    if (topic === undefined) return false;
    const waiting = [...(await newestByKey(line.log, topic, never)).keys()];
    const done = (await cells.counts(pull))?.done ?? 0;
    return waiting.filter(key => key.startsWith(`${pull}/`)).length + done === 3;
  });
}

const never = new AbortController().signal;

test('a table that is dropped, altered, emptied or withdrawn in the middle of its pull ends it with a code, and is pulled again', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query("CREATE USER reader@'%' IDENTIFIED BY 'secret'");
  await server.query(`GRANT SELECT ON dbus.* TO reader@'%'`);
  const tables = ['dropped', 'altered', 'emptied', 'withdrawn', 'paused'];
  for (const table of tables) {
    await server.query(`CREATE TABLE ${SCHEMA}.${table} (id INT PRIMARY KEY, v INT)`);
    await server.query(`INSERT INTO ${SCHEMA}.${table} SELECT seq, seq FROM ${SCHEMA}.seq_1_to_2000`);
    await server.query(`GRANT SELECT ON ${SCHEMA}.${table} TO reader@'%'`);
  }
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  const { host, port } = server;
  await using line = await startLine({
    server,
    schemas: [SCHEMA],
    start: 'now',
    coordination,
    // All shards at a time.
    concurrency: 16,
    // Rows are read by an account of their own.
    replica: { host, port, user: 'reader', password: 'secret', timeoutMs: 1500 },
  });
  await using receiver = await startAlarmReceiver();
  await using _watch = await watchLine(line, receiver, { everyMs: 300, clearMs: 600 }, coordination);
  const ask = (pull: string, table: string) =>
    askPull(coordination, line.line.ds, { pull, schema: SCHEMA, table, shardRows: 700 });
  const cells = await ask('missing', 'missing');
  assert.equal((await pullOver(cells, 'missing')).failure?.code, 'UMBUS_PULL_TABLE');
  for (const table of tables) {
    await cells.setControl(table, { state: 'run', rowsPerSecond: 200 });
    await ask(table, table);
  }
  for (const table of tables) {
    await published(cells, table);
    await cells.setControl(table, { state: 'pause' });
  }
  for (const table of tables) await stands(line, cells, table);
  await server.query(`DROP TABLE ${SCHEMA}.dropped`);
  await server.query(`ALTER TABLE ${SCHEMA}.altered ADD COLUMN w INT NOT NULL DEFAULT 7`);
  await server.query(`TRUNCATE TABLE ${SCHEMA}.emptied`);
  await server.query(`INSERT INTO ${SCHEMA}.emptied VALUES (1, 1), (5000, 2)`);
  await server.query(`REVOKE SELECT ON ${SCHEMA}.withdrawn FROM reader@'%'`);
  for (const table of tables.slice(0, 4)) await cells.setControl(table, { state: 'run' });
  const ends: unknown[] = [];
  for (const table of tables.slice(0, 4)) {
    const { status, failure } = await pullOver(cells, table);
    ends.push([table, status, failure?.code ?? null]);
  }
  assert.deepEqual(ends, [
    ['dropped', 'abort', 'UMBUS_PULL_TABLE'],
    ['altered', 'abort', 'UMBUS_PULL_CHANGED'],
    ['emptied', 'ending', null],
    ['withdrawn', 'abort', 'UMBUS_PULL_REPLICA'],
  ]);
  const told = (state: string) =>
    receiver.alarms
      .filter(alarm => alarm.state === state && alarm.details['where'] === 'pull')
      .map(({ details }) => `${details['table']} ${details['code']}`)
      .sort();
  const alarms = [
    'shop.altered UMBUS_PULL_CHANGED',
    'shop.dropped UMBUS_PULL_TABLE',
    'shop.missing UMBUS_PULL_TABLE',
    'shop.withdrawn UMBUS_PULL_REPLICA',
  ];
  await until('the alarms of what failed', () => told('raised').length === alarms.length, 20_000);
  const kept = (await cells.counts('paused'))?.rows ?? 0;
  assert.ok(kept > 0 && kept < 2000, `${kept} rows`);
  await server.query(`GRANT SELECT ON ${SCHEMA}.withdrawn TO reader@'%'`);
  await cells.setControl('paused', { state: 'run' });
  for (const table of ['altered', 'withdrawn']) await ask(`${table}2`, table);
  for (const pull of ['altered2', 'withdrawn2', 'paused']) {
    const { status, failure, rows } = await pullOver(cells, pull);
    assert.deepEqual([status, failure, rows], ['ending', null, 2000], pull);
  }
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
  await until('the end of what was pulled again', () => told('recovered').length === 2, 20_000);
  assert.deepEqual(told('raised'), alarms, 'each once');
  assert.deepEqual(told('recovered'), [alarms[0], alarms[3]]);
});

test('a pull waits while the log is full, and goes on where it was when there is room', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(`CREATE TABLE ${SCHEMA}.large (id INT PRIMARY KEY, v VARCHAR(2000))`);
  await server.query(
    `INSERT INTO ${SCHEMA}.large SELECT seq, REPEAT('v', 2000) FROM ${SCHEMA}.seq_1_to_10000`,
  );
  const dir = await mkdtemp(join(tmpdir(), 'umbus-pull-full-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const coordination = createMemoryCoordination({ clock: systemClock });
  const options = { server, schemas: [SCHEMA], start: 'now', dir } as const;
  const full = new Set<string>();
  let kept = 0;
  await using cellsOf = coordination.open();
  {
    await using line = await startLine({
      ...options,
      coordination: coordination.open(),
      maxBytes: 12 * 1024 * 1024,
      events: {
        restarted: ({ code }) => full.add(code ?? ''),
        reconnecting: ({ code }) => full.add(code ?? ''),
      },
    });
    const cells = await askPull(cellsOf, line.line.ds, { pull: 'large', schema: SCHEMA, table: 'large' });
    await until('the log to be full', () => full.has('UMBUS_LOG_FULL'));
    const record = await cells.record('large');
    assert.deepEqual([record?.status === 'abort', record?.failure], [false, null]);
    kept = (await cells.counts('large'))?.rows ?? 0;
  }
  await using line = await startLine({ ...options, coordination: coordination.open() });
  const cells = await askPull(cellsOf, line.line.ds, {
    pull: 'twice',
    schema: SCHEMA,
    table: 'large',
  });
  assert.equal((await pullOver(cells, 'twice')).failure?.code, 'UMBUS_PULL_RUNNING');
  const { status, failure, rows } = await pullOver(cells, 'large');
  assert.deepEqual([status, failure, rows], ['ending', null, 10_000]);
  assert.ok(kept < 10_000, `${kept} rows before`);
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
});
