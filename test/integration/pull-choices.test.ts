/** What may be asked of a full pull beside the table: some columns only, that changes wait; and tables that have no primary key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { PullJob } from '../../src/change/pull-job.ts';
import { isAbsent } from '../../src/ums/types.ts';
import { publishedIn } from '../support/published.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { type RunningLine, startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { validate } from '../unit/ums-schema/schema.ts';

const SCHEMA = 'shop';

test('some columns are pulled, with those of the key, and what readers have of the others stays', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(
    `CREATE TABLE ${SCHEMA}.wide (a INT, k VARCHAR(9), Note TEXT NULL, b INT, c DECIMAL(9,2), d DATE, e INT, f INT, g INT, PRIMARY KEY (k, b))`,
  );
  await server.query(
    `INSERT INTO ${SCHEMA}.wide SELECT seq, CONCAT('k', seq % 7), IF(seq % 3, 'x', NULL), seq, seq / 7, '2026-01-01', 1, 2, seq FROM ${SCHEMA}.seq_1_to_2000`,
  );
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({ server, schemas: [SCHEMA], start: 'now', coordination });
  const ask = async (pull: string, columns: readonly string[]) => {
    const cells = await askPull(coordination, line.line.ds, { pull, schema: SCHEMA, table: 'wide', columns });
    return await pullOver(cells, pull);
  };
  const unknown = await ask('unknown', ['note', 'nothing']);
  assert.deepEqual(unknown.failure, {
    code: 'UMBUS_PULL_COLUMN',
    message: 'The table shop.wide has no column nothing to pull.',
  });
  const some = await ask('some', ['note', 'g']);
  assert.deepEqual([some.status, some.rows, some.failure], ['ending', 2000, null]);
  const topic = `${line.line.ds}.${SCHEMA}.result`;
  const rows = (await publishedIn(line.log, topic)).flatMap(each => each.rows);
  assert.equal(rows.length, 2000);
  for (const { values } of rows) {
    const { a, k, Note, b, c, d, e, f, g } = values;
    assert.deepEqual([a, c, d, e, f], [{}, {}, {}, {}, {}]);
    assert.deepEqual([k, g, Note], [`k${Number(b) % 7}`, b, Number(b) % 3 === 0 ? null : 'x']);
  }
  assert.equal((await ask('whole', [])).status, 'ending');
  await server.query(`UPDATE ${SCHEMA}.wide SET a = -a, c = NULL WHERE b % 10 = 0`);
  await server.query(`DELETE FROM ${SCHEMA}.wide WHERE b % 10 = 1`);
  const over = await ask('over', ['g']);
  assert.deepEqual([over.status, over.rows, over.batchId], ['ending', 1800, 3]);
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
});

/** The messages of a table in short: `begin`, `end`, `abort`, `rows`, `changes`, or why its version ended; what follows itself is told once. */
async function storyOf(line: RunningLine, table: string): Promise<readonly string[]> {
  const story: string[] = [];
  for (const each of await publishedIn(line.log, `${line.line.ds}.${SCHEMA}.result`)) {
    if (each.table !== table) continue;
    const { protocol, schema } = each.message;
    const initial = protocol.type === 'data_initial_data' ? 'rows' : 'changes';
    const what = schema.batch?.state ?? schema.reason ?? initial;
    if (what !== story.at(-1)) story.push(what);
  }
  return story;
}

/** Changes a table until it is stopped; gives how many statements there were. */
async function changing(
  server: Server,
  statement: (turn: number) => string,
  signal: AbortSignal,
  pauseMs = 4,
): Promise<number> {
  const { host, port, user, password } = server;
  await using session = await connectSql({ host, port, user, password, tls: null });
  let turn = 0;
  while (!signal.aborted) {
    await session.query(statement(turn++));
    if (pauseMs > 0) await delay(pauseMs);
  }
  return turn;
}

for (const kind of serverKinds) {
  test(`tables of ${kind} without a primary key are pulled while they change, by a unique key or as a whole`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query(`CREATE DATABASE ${SCHEMA}`);
    await server.query(`CREATE TABLE ${SCHEMA}.bag (n INT, v VARCHAR(30) NULL)`);
    await server.query(
      `CREATE TABLE ${SCHEMA}.named (b INT NOT NULL, a VARCHAR(9) NOT NULL, z INT NULL, v INT, UNIQUE KEY k3 (z), UNIQUE KEY k2 (a, b), UNIQUE KEY k1 (b))`,
    );
    const numbers = Array.from({ length: 2000 }, (_, n) => n);
    await server.query(
      `INSERT INTO ${SCHEMA}.bag VALUES ${numbers.map(n => `(${n % 50}, ${n % 3 === 0 ? 'NULL' : `'v${n % 7}'`})`).join()}`,
    );
    await server.query(
      `INSERT INTO ${SCHEMA}.named VALUES ${numbers.map(n => `(${n}, 'a${n % 9}', NULL, ${n})`).join()}`,
    );
    await using coordination = createMemoryCoordination({ clock: systemClock }).open();
    await using line = await startLine({ server, schemas: [SCHEMA], start: 'now', coordination });
    const stop = new AbortController();
    const working = changing(
      server,
      turn =>
        [
          `INSERT INTO ${SCHEMA}.bag VALUES (${turn % 50}, 'new'), (${turn % 50}, 'new')`,
          `DELETE FROM ${SCHEMA}.bag WHERE n = ${turn % 50} LIMIT 1`,
          `UPDATE ${SCHEMA}.bag SET v = 'v1' WHERE n = ${turn % 50} LIMIT 3`,
          `UPDATE ${SCHEMA}.named SET v = v + 1, a = CONCAT('b', v % 5) WHERE b = ${(turn * 37) % 2000}`,
          `DELETE FROM ${SCHEMA}.named WHERE b = ${(turn * 41) % 2000}`,
        ][turn % 5] ?? '',
      stop.signal,
    );
    const ask = (pull: string, table: string, more: Partial<PullJob> = {}) =>
      askPull(coordination, line.line.ds, { pull, schema: SCHEMA, table, ...more });
    const cells = await ask('named', 'named', { shardRows: 300 });
    // So slowly that changes wait.
    await cells.setControl('bag', { state: 'run', rowsPerSecond: 2000 });
    await ask('bag', 'bag');
    for (const pull of ['named', 'bag']) {
      const { status, failure } = await pullOver(cells, pull);
      assert.deepEqual([status, failure], ['ending', null], pull);
    }
    for (const [pull, more, code] of [
      ['part', { condition: 'n > 3' }, 'UMBUS_PULL_TABLE'],
      ['columns', { columns: ['n'] }, 'UMBUS_PULL_COLUMN'],
      ['cut', { splitBy: ['n'] }, 'UMBUS_PULL_COLUMN'],
    ] as const) {
      await ask(pull, 'bag', more);
      assert.equal((await pullOver(cells, pull)).failure?.code, code);
    }
    // It never rests, and is locked for the moment that it takes to begin.
    const restless = [1, 2].map(n =>
      changing(
        server,
        turn => `UPDATE ${SCHEMA}.bag SET v = '${turn}' WHERE n = ${n} LIMIT 1`,
        stop.signal,
        0,
      ),
    );
    await ask('again', 'bag', { mode: 'blocking' });
    assert.equal((await pullOver(cells, 'again')).status, 'ending');
    const lows = `SELECT COUNT(*) AS n FROM dbus.umbus_watermark WHERE kind = 'low' AND packet LIKE '%"again"%'`;
    assert.equal(Number((await server.query(lows))[0]?.['n']), 1, 'the first try is the last');
    stop.abort();
    await Promise.all(restless);
    assert.ok((await working) > 20);
    await line.drained();
    const { differences, examples, rows } = await line.compare();
    assert.deepEqual([differences, examples], [0, []]);
    assert.ok(rows > 3000);
    const messages = await publishedIn(line.log, `${line.line.ds}.${SCHEMA}.result`);
    const keys = new Set(
      messages.map(each => JSON.stringify([each.table, each.version, each.message.schema.primaryKey])),
    );
    assert.deepEqual([...keys].filter(key => !key.endsWith(',null]')).sort(), ['["named",0,["a","b"]]']);
    const story = await storyOf(line, 'bag');
    assert.equal(
      story.slice(story.indexOf('rows')).join(' ').startsWith('rows end changes'),
      true,
      story.join(' '),
    );
  });
}

test('changes of a table wait for a pull that blocks, and come behind its end, also when it is cancelled or too much waits', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  for (const table of ['a', 'b', 'c', 'd']) {
    await server.query(`CREATE TABLE ${SCHEMA}.${table} (id INT PRIMARY KEY, v VARCHAR(2000))`);
    await server.query(`INSERT INTO ${SCHEMA}.${table} SELECT seq, 'old' FROM ${SCHEMA}.seq_1_to_2000`);
  }
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({
    server,
    schemas: [SCHEMA],
    start: 'now',
    coordination,
    heldBytes: 200_000,
  });
  const stop = new AbortController();
  const working = changing(
    server,
    turn => {
      const id = 1 + ((turn * 37) % 2000);
      return (
        [
          `UPDATE ${SCHEMA}.a SET v = '${turn}' WHERE id = ${id}`,
          `DELETE FROM ${SCHEMA}.a WHERE id = ${id}`,
          `UPDATE ${SCHEMA}.a SET id = -id WHERE id = ${id}`,
          `INSERT IGNORE INTO ${SCHEMA}.a VALUES (${id}, 'again')`,
          `UPDATE ${SCHEMA}.b SET v = '${turn}' WHERE id = ${id}`,
        ][turn % 5] ?? ''
      );
    },
    stop.signal,
  );
  const ask = (pull: string, table: string) =>
    askPull(coordination, line.line.ds, { pull, schema: SCHEMA, table, mode: 'blocking', shardRows: 500 });
  const cells = await ask('none', 'none');
  for (const [pull, rowsPerSecond] of [
    ['a', 1500],
    ['b', 100],
    ['c', 100],
    ['d', 100],
  ] as const) {
    await cells.setControl(pull, { state: 'run', rowsPerSecond });
    await ask(pull, pull);
  }
  const begun = async (pull: string): Promise<boolean> => ((await cells.record(pull))?.batchId ?? 0) > 0;
  for (const pull of ['b', 'c', 'd']) await until(`${pull} to begin`, () => begun(pull));
  // More than may wait, and a change of the table as a whole.
  await server.query(`UPDATE ${SCHEMA}.c SET v = REPEAT('x', 2000) WHERE id <= 500`);
  await server.query(`UPDATE ${SCHEMA}.d SET v = 'new' WHERE id < 10`);
  await server.query(`TRUNCATE TABLE ${SCHEMA}.d`);
  await server.query(`INSERT INTO ${SCHEMA}.d VALUES (1, 'newer')`);
  assert.equal((await pullOver(cells, 'c')).failure?.code, 'UMBUS_PULL_HELD');
  assert.equal((await pullOver(cells, 'd')).failure?.code, 'UMBUS_PULL_CHANGED');
  await cells.setControl('b', { state: 'cancel', rowsPerSecond: null });
  assert.equal((await pullOver(cells, 'b')).failure?.code, 'UMBUS_PULL_CANCELLED');
  const a = await pullOver(cells, 'a');
  assert.deepEqual([a.status, a.failure], ['ending', null]);
  stop.abort();
  await working;
  for (const table of ['b', 'c', 'd']) {
    await askPull(coordination, line.line.ds, { pull: `${table}2`, schema: SCHEMA, table });
    assert.equal((await pullOver(cells, `${table}2`)).status, 'ending');
  }
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
  const story = (await storyOf(line, 'a')).join(' ');
  assert.match(story, /^(changes )?begin rows end changes$/);
  assert.match(
    (await storyOf(line, 'd')).join(' '),
    /^begin (rows )?changes truncate (changes )?abort (changes )?begin rows end$/,
  );
});

test('an independent pull writes to a topic of its own, masked and with places in the stream, which goes on untouched', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(`CREATE TABLE ${SCHEMA}.people (id INT PRIMARY KEY, name VARCHAR(20), v INT)`);
  await server.query(`CREATE TABLE ${SCHEMA}.bag (n INT)`);
  await server.query(
    `INSERT INTO ${SCHEMA}.people SELECT seq, CONCAT('n', seq), 0 FROM ${SCHEMA}.seq_1_to_3000`,
  );
  await server.query(`INSERT INTO ${SCHEMA}.bag SELECT seq % 5 FROM ${SCHEMA}.seq_1_to_100`);
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  const masks = [{ pattern: 'people.name', mask: { type: 'replace', with: 'x' } as const }];
  await using line = await startLine({
    server,
    schemas: [SCHEMA],
    schema: { masks },
    start: 'now',
    coordination,
  });
  await line.drained();
  await server.query(`UPDATE ${SCHEMA}.people SET v = 1 WHERE id = 1`);
  const ask = async (pull: string, table: string, to: string, more: Partial<PullJob> = {}) => {
    const job = { pull, schema: SCHEMA, table, mode: 'independent', to, shardRows: 400, ...more } as const;
    return await pullOver(await askPull(coordination, line.line.ds, job), pull);
  };
  const [people, bag, own] = await Promise.all([
    ask('people', 'people', 'copies', { condition: 'id > 1000', columns: ['name'] }),
    ask('bag', 'bag', 'copies'),
    ask('own', 'bag', `${line.line.ds}.${SCHEMA}.result`),
  ]);
  assert.deepEqual([people.status, people.rows, people.shards, people.failure], ['ending', 2000, 8, null]);
  assert.deepEqual([bag.status, bag.rows], ['ending', 100]);
  assert.equal(own.failure?.code, 'UMBUS_PULL_TOPIC');
  await server.query(`UPDATE ${SCHEMA}.people SET v = 2 WHERE id = 2000`);
  await line.drained();
  const copies = await publishedIn(line.log, 'copies');
  const states = copies.flatMap(({ table, message: { schema } }) =>
    schema.batch === undefined
      ? []
      : [`${table} ${schema.batch.state} ${schema.batch.whole} ${schema.batch.rows}`],
  );
  assert.deepEqual(states.sort(), [
    'bag begin true undefined',
    'bag end true 100',
    'people begin false undefined',
    'people end false 2000',
  ]);
  for (const { message } of copies) assert.ok(validate(message), JSON.stringify(validate.errors));
  const rows = copies.filter(({ table }) => table === 'people').flatMap(each => each.rows);
  assert.deepEqual(
    rows.map(({ values }) => Number(values['id'])).sort((a, b) => a - b),
    Array.from({ length: 2000 }, (_, i) => 1001 + i),
  );
  assert.ok(rows.every(({ values }) => values['name'] === 'x' && isAbsent(values['v'] ?? null)));
  const stream = await publishedIn(line.log, `${line.line.ds}.${SCHEMA}.result`);
  assert.deepEqual(
    stream.map(({ message: { protocol, schema } }) => [protocol.type, schema.batchId]),
    [
      ['data_increment_data', 0],
      ['data_increment_data', 0],
    ],
  );
  const [before, after] = stream.flatMap(each => each.rows.map(row => row.uid));
  assert.ok(
    rows.every(({ uid }) => before !== undefined && after !== undefined && uid > before && uid < after),
  );
});

test('a table in partitions is pulled by ranges of its key, which lie across them', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(
    `CREATE TABLE ${SCHEMA}.parts (id INT, day DATE, v INT, PRIMARY KEY (id, day)) PARTITION BY RANGE (YEAR(day)) SUBPARTITION BY HASH (id) SUBPARTITIONS 3
       (PARTITION old VALUES LESS THAN (2025), PARTITION new VALUES LESS THAN MAXVALUE)`,
  );
  await server.query(
    `INSERT INTO ${SCHEMA}.parts SELECT seq, '2024-01-01' + INTERVAL seq % 900 DAY, 0 FROM ${SCHEMA}.seq_1_to_3000`,
  );
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({ server, schemas: [SCHEMA], start: 'now', coordination });
  const stop = new AbortController();
  const working = changing(
    server,
    turn =>
      turn % 2 === 0
        ? `UPDATE ${SCHEMA}.parts SET v = v + 1 WHERE id % 100 = ${turn % 100}`
        : `UPDATE ${SCHEMA}.parts SET day = day + INTERVAL 1 YEAR WHERE id = ${turn}`,
    stop.signal,
  );
  const cells = await askPull(coordination, line.line.ds, { pull: 'parts', schema: SCHEMA, table: 'parts' });
  const { status, shards, failure } = await pullOver(cells, 'parts');
  stop.abort();
  await working;
  assert.deepEqual([status, failure], ['ending', null]);
  assert.ok(Number(shards) >= 6, `${shards} shards`);
  await line.drained();
  const { differences, examples, rows } = await line.compare();
  assert.deepEqual([differences, examples, rows], [0, [], 3000]);
});
