import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { subscribe } from '../../src/consumer/index.ts';
import { type RunningLine, startLine, type TestLineOptions } from '../support/running-line.ts';
import { type AnyServerKind, requireServer, type Server } from '../support/servers.ts';

interface Source {
  readonly kind: AnyServerKind;
  readonly args: readonly string[];
}

/** Servers whose binlog does not name columns. */
const nameless: readonly Source[] = [
  { kind: 'mysql56', args: [] },
  { kind: 'mysql', args: ['--binlog-row-metadata=MINIMAL'] },
  { kind: 'mariadb', args: ['--binlog-row-metadata=NO_LOG'] },
];

/** Runs statements in the schema `shop`. */
async function shop(server: Server, ...statements: readonly string[]): Promise<void> {
  for (const sql of ['USE shop', ...statements]) await server.query(sql);
}

/** Tables with two columns of one type, so that a wrong name shows in no table map. */
const tables = [
  "CREATE TABLE a (id INT PRIMARY KEY, x INT, y INT, s VARCHAR(20), e ENUM('one', 'two') CHARACTER SET utf8, u BIGINT UNSIGNED) CHARACTER SET utf8mb4",
  'CREATE TABLE b LIKE a',
  'CREATE TABLE ghost (id INT PRIMARY KEY, y INT, x INT, s VARCHAR(20) CHARACTER SET latin1) CHARACTER SET utf8mb4',
  "INSERT INTO a VALUES (1, 10, 11, 'größe', 'one', 18446744073709551615), (2, 20, 21, 'thé', 'two', 0)",
  "INSERT INTO b VALUES (1, 1, 2, 'b', 'two', 3)",
];

/** Definitions of every kind, and rows that come out wrong when one is not followed. */
const changes = [
  'ALTER TABLE a CHANGE x z INT, CHANGE y x INT',
  "INSERT INTO a VALUES (3, 30, 31, 'x', 'one', 1)",
  'ALTER TABLE a MODIFY z INT AFTER x',
  "INSERT INTO a VALUES (4, 40, 41, 'y', 'two', 2)",
  'ALTER TABLE a ADD COLUMN (n INT, m INT), ADD COLUMN f INT FIRST, DROP COLUMN u',
  "INSERT INTO a VALUES (1, 5, 50, 51, 's', 'one', 6, 7)",
  "ALTER TABLE a MODIFY e ENUM('two', 'one', 'three') CHARACTER SET latin1, MODIFY n INT UNSIGNED",
  "INSERT INTO a VALUES (1, 6, 60, 61, 's', 'three', 4294967295, -1)",
  'ALTER TABLE a CONVERT TO CHARACTER SET latin1',
  "INSERT INTO a VALUES (1, 7, 70, 71, 'größe', 'one', 1, 1)",
  'ALTER TABLE a DEFAULT CHARACTER SET utf8mb4, ADD t TEXT',
  "INSERT INTO a VALUES (1, 8, 80, 81, 'é', 'two', 1, 1, '茶')",
  'ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (id, x)',
  'UPDATE a SET z = z + 1',
  'RENAME TABLE b TO b_old, ghost TO b',
  "INSERT INTO b VALUES (9, 90, 91, 'é')",
  "INSERT INTO b_old VALUES (9, 90, 91, 'é', 'one', 5)",
  'RENAME TABLE b TO swap, b_old TO b, swap TO b_old',
  "INSERT INTO b VALUES (10, 100, 101, 'é', 'one', 5)",
  'ALTER TABLE b_old RENAME TO old, ADD w INT',
  "INSERT INTO old VALUES (10, 100, 101, 'é', 7)",
  'DROP TABLE old',
  'CREATE TABLE old (y INT, x INT)',
  'INSERT INTO old VALUES (1, 2)',
  'TRUNCATE TABLE old',
  'INSERT INTO old VALUES (3, 4)',
  'CREATE INDEX by_x ON a (x)',
  'ALTER TABLE a ENGINE = InnoDB, ALGORITHM = COPY',
  'CREATE TABLE parted (id INT, x INT, y INT) PARTITION BY HASH (id) PARTITIONS 2',
  'INSERT INTO parted VALUES (1, 2, 3)',
  'ALTER TABLE parted REMOVE PARTITIONING',
  'INSERT INTO parted VALUES (2, 3, 4)',
  'DELETE FROM a WHERE id = 2',
];

/** A line on a server, as a test starts it again and again. */
interface Bench {
  readonly server: Server;
  start(options?: Partial<TestLineOptions>): Promise<RunningLine>;
}

async function withServer(
  t: TestContext,
  source: Source,
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-columns-'));
  try {
    await using server = await requireServer(t, source.kind, { args: source.args });
    if (server === null) return;
    await server.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
    await run({
      server,
      start: options => startLine({ server, schemas: ['shop'], partitions: 1, dir, ...options }),
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What a line has published, by table: each list of columns when it is new, the values of each row, and what ended. */
async function published(line: RunningLine): Promise<Readonly<Record<string, readonly string[]>>> {
  const lines: Record<string, string[]> = {};
  const heads = new Map<string, string>();
  for await (const { message } of subscribe({ log: line.log, topics: ['test.shop.result'], follow: false })) {
    const { protocol, schema, payload } = message;
    const table = schema.namespace.split('.')[3] ?? '';
    const mine = lines[table] ?? [];
    lines[table] = mine;
    if (protocol.type === 'data_increment_termination') mine.push(`ended: ${schema.reason}`);
    if (protocol.type !== 'data_increment_data') continue;
    const head = schema.fields
      .slice(4)
      .map(({ name, type, nullable }) => `${name} ${type}${nullable ? '?' : ''}`);
    const text = `${head.join(', ')} by ${schema.primaryKey?.join(', ') ?? 'none'}`;
    if (heads.get(table) !== text) mine.push(text);
    heads.set(table, text);
    for (const { tuple } of payload) mine.push(`${tuple[2]} ${JSON.stringify(tuple.slice(4))}`);
  }
  return lines;
}

/** What is parked, as sentences. */
async function parkedIn(line: RunningLine): Promise<readonly string[]> {
  const records = await line.log.tail({ topic: 'test_dead', partition: 0 }, 1_000);
  return records.map(({ headers }) => Buffer.from(headers['dead.message'] ?? []).toString());
}

/** Does what a test does on every server, and asserts that all publish the same as one whose binlog names all. */
function onEveryServer(
  title: string,
  run: (bench: Bench) => Promise<Readonly<Record<string, readonly string[]>>>,
) {
  let expected: Promise<Readonly<Record<string, readonly string[]>>> | null = null;
  const withNames = (t: TestContext) =>
    new Promise<Readonly<Record<string, readonly string[]>>>((resolve, reject) => {
      withServer(t, { kind: 'mysql', args: [] }, async bench => resolve(await run(bench))).catch(reject);
    });
  for (const source of nameless) {
    test(`${[source.kind, ...source.args].join(' ')}: ${title}`, async t => {
      expected ??= withNames(t);
      const wanted = await expected;
      await withServer(t, source, async bench => assert.deepEqual(await run(bench), wanted));
    });
  }
}

onEveryServer(
  'definitions of every kind are followed in order while the line runs',
  async ({ server, start }) => {
    await using line = await start();
    await shop(server, ...tables, ...changes);
    await line.drained();
    assert.deepEqual(await parkedIn(line), []);
    return await published(line);
  },
);

onEveryServer(
  'definitions that come while the line is down are followed when it goes on',
  async ({ server, start }) => {
    await shop(server, ...tables);
    {
      await using line = await start();
      await line.drained();
    }
    await shop(server, ...changes);
    await using line = await start();
    await line.drained();
    assert.deepEqual(await parkedIn(line), []);
    return await published(line);
  },
);

onEveryServer(
  'a line that is stopped between any two statements goes on as if it had not been',
  async ({ server, start }) => {
    await shop(server, ...tables);
    for (let i = 0; i < changes.length; i += 4) {
      await using line = await start();
      await shop(server, ...changes.slice(i, i + 3));
      await line.drained();
      await shop(server, ...changes.slice(i + 3, i + 4));
    }
    await using line = await start();
    await line.drained();
    assert.deepEqual(await parkedIn(line), []);
    return await published(line);
  },
);

onEveryServer(
  'a line that starts late asks the server for the columns of the tables that are there',
  async ({ server, start }) => {
    await shop(server, ...tables);
    await using line = await start({ start: 'now' });
    await line.drained();
    await shop(server, ...changes);
    await line.drained();
    assert.deepEqual(await parkedIn(line), []);
    return await published(line);
  },
);
