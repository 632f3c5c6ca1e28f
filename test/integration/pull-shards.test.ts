/** Shards of tables with keys of every kind, cut and read by real servers: each row is in exactly one, and they are of one size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { openPullSource } from '../../src/adapters/mysql/pull-source.ts';
import { PULL_SESSION_SQL, ResultReader } from '../../src/adapters/mysql/result-reader.ts';
import { readKey } from '../../src/adapters/mysql/shard-boundary.ts';
import type { PullSource } from '../../src/ports/pull-source.ts';
import { type KeyLiterals, type KeyRange, WHOLE_TABLE } from '../../src/sharding/key-range.ts';
import { chooseSplitKey } from '../../src/sharding/split-key.ts';
import { boundarySql, fromClause, splitStep } from '../../src/sharding/split-plan.ts';
import { definitionOf, loginOf, pulledTuples } from '../support/pulled-rows.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';

const ROWS = 1000;
const SHARD = 90;
const STEP = 250;

/** Columns and the primary key's values of row `n`, as an expression. Every kind is skewed, or has values that are easily compared wrong. */
const keys: readonly {
  readonly columns: string;
  readonly key: string;
  readonly values: string;
  readonly only?: string;
}[] = [
  { columns: 'k BIGINT', key: 'k', values: 'IF(n < 900, n - 450, n * 9007199254740)' },
  { columns: 'k BIGINT UNSIGNED', key: 'k', values: '18446744073709551615 - n' },
  { columns: 'k DECIMAL(30,10)', key: 'k', values: 'n / 7 - 50 + IF(n > 990, 1e15, 0)' },
  {
    columns: 'k VARCHAR(30) CHARACTER SET utf8mb4',
    key: 'k',
    values: "CONCAT(ELT(n % 4 + 1, 'a', 'É', 'z', '中'), ELT(n % 2 + 1, '''', '\\\\'), n)",
  },
  {
    columns: 'k VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_german2_ci',
    key: 'k',
    values: "CONCAT(ELT(n % 3 + 1, 'ß', 'ä', 'Z'), n)",
  },
  {
    columns: 'k CHAR(12) CHARACTER SET utf16 COLLATE utf16_bin',
    key: 'k',
    values: "CONCAT(ELT(n % 2 + 1, '', '😀'), n)",
  },
  { columns: 'k CHAR(40) CHARACTER SET ascii', key: 'k', values: 'UUID()' },
  { columns: 'k BINARY(16)', key: 'k', values: 'UNHEX(LEFT(SHA2(n, 256), 32))' },
  {
    columns: 'k VARBINARY(20)',
    key: 'k',
    values: "CONCAT(IF(n % 2, x'00', x'ff'), n, IF(n % 5, x'00', ''))",
  },
  {
    columns: 'k DATETIME(6)',
    key: 'k',
    values: "IF(n = 1, '0000-00-00', '2026-01-01 00:00:00' + INTERVAL n * 1000003 MICROSECOND)",
  },
  { columns: 'k TIMESTAMP(3)', key: 'k', values: "'2026-03-29 00:00:00' + INTERVAL n * 10 SECOND" },
  { columns: 'k DATE', key: 'k', values: "'2020-01-01' + INTERVAL n DAY" },
  { columns: 'k TIME(2)', key: 'k', values: 'SEC_TO_TIME((n - 500) * 3000)' },
  { columns: 'k BIT(40)', key: 'k', values: 'n * 1000000007' },
  { columns: 'k UUID', key: 'k', values: 'UUID()', only: 'mariadb' },
  { columns: 'k INET6', key: 'k', values: "CONCAT('::', HEX(n))", only: 'mariadb' },
  {
    columns: 'a VARCHAR(5), b INT, c DATE',
    key: 'a, b, c',
    values: "IF(n > 10, 'same', ''), IF(n > 500, 7, n), '2020-01-01' + INTERVAL n DAY",
  },
];

async function shardsOf(server: Server, table: string): Promise<KeyRange[]> {
  await using session = await connectSql(loginOf(server));
  await session.query(PULL_SESSION_SQL);
  const key = chooseSplitKey(await definitionOf(server, 'cut', table)) ?? assert.fail(table);
  const from = fromClause('cut', table, key);
  const shards: KeyRange[] = [];
  let after: KeyLiterals | null = null;
  for (;;) {
    const step = await splitStep(after, 4, each =>
      readKey(session, loginOf(server), key, boundarySql(from, key, each, SHARD)),
    );
    shards.push(...step.shards);
    if (step.next === null) return shards;
    after = step.next.after;
  }
}

/** Rows of a table read a few at a time, each time behind the last key of the time before, in how many reads. */
async function readInSteps(
  server: Server,
  table: string,
): Promise<{ readonly rows: number; readonly reads: number }> {
  await using source = openPullSource(loginOf(server), { ds: 'cut', signalSchema: 'dbus' });
  const pulled = await source.table('cut', table, [], []);
  let after: KeyLiterals | null = null;
  let rows = 0;
  for (let reads = 1; ; reads++) {
    await using result = await pulled.read({ after, upTo: null }, null, STEP);
    const page = await result.page(1024 * 1024);
    if (page === null) return { rows, reads };
    rows += page.rows;
    after = page.last;
    assert.equal(await result.page(1024 * 1024), null);
  }
}

for (const kind of serverKinds) {
  test(`tables of ${kind} with keys of every kind are cut into shards of one size that hold each row once`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query('CREATE DATABASE cut CHARACTER SET utf8mb4');
    await server.query("SET SESSION sql_mode = '', SESSION time_zone = '+00:00', NAMES utf8mb4");
    await server.query('CREATE TABLE cut.n (n INT PRIMARY KEY)');
    await server.query(
      `INSERT INTO cut.n VALUES ${Array.from({ length: ROWS }, (_, n) => `(${n + 1})`).join()}`,
    );
    await using reader = await ResultReader.open(loginOf(server));
    for (const [i, { columns, key, values, only }] of keys.entries()) {
      if (only !== undefined && only !== kind) continue;
      await server.query(`CREATE TABLE cut.t${i} (${columns}, n INT, PRIMARY KEY (${key}))`);
      await server.query(`INSERT INTO cut.t${i} SELECT ${values}, n FROM cut.n ORDER BY RAND()`);
      const shards = await shardsOf(server, `t${i}`);
      const definition = await definitionOf(server, 'cut', `t${i}`);
      const sizes: number[] = [];
      const seen = new Set<string>();
      for (const shard of shards) {
        const rows = await pulledTuples(reader, definition, shard);
        sizes.push(rows.length);
        for (const row of rows) seen.add(row);
      }
      assert.equal(seen.size, ROWS, columns);
      assert.deepEqual(sizes, [...Array.from({ length: 11 }, () => SHARD), ROWS - 11 * SHARD], columns);
      assert.deepEqual(await readInSteps(server, `t${i}`), { rows: ROWS, reads: ROWS / STEP + 1 }, columns);
      const key0 = chooseSplitKey(definition) ?? assert.fail();
      const [plan] = await server.query(
        `EXPLAIN FORMAT=TRADITIONAL ${boundarySql(fromClause('cut', `t${i}`, key0), key0, shards[2]?.after ?? null, SHARD)}`,
      );
      assert.equal(plan?.['type'], 'range', columns);
    }
    await readsWhatIsCommitted(server);
  });
}

/** Rows are those that are committed, and all of them, whatever the defaults of the server's sessions; and what is prepared is waited for. */
async function readsWhatIsCommitted(server: Server): Promise<void> {
  await server.query('SET GLOBAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED');
  await server.query('SET GLOBAL sql_select_limit = 7');
  await server.query('CREATE TABLE cut.heap (n INT)');
  await server.query('INSERT INTO cut.heap SELECT n FROM cut.n');
  await using source = openPullSource(loginOf(server), { ds: 'cut', signalSchema: 'dbus' });
  await using other = await connectSql(loginOf(server));
  const { signal } = new AbortController();
  await other.query("XA START 'one'; INSERT INTO cut.heap VALUES (0); XA END 'one'");
  await source.reached('w1', signal);
  assert.equal(await countOf(source), ROWS, 'no row that is not committed');
  await other.query("XA PREPARE 'one'");
  let reached = false;
  const waiting = source.reached('w2', signal).then(() => {
    reached = true;
  });
  // Another question to the same session is answered meanwhile.
  await source.table('cut', 'heap', [], []);
  assert.equal(reached, false, 'what is prepared is not over');
  await other.query("XA COMMIT 'one'");
  await waiting;
  assert.equal(await countOf(source), ROWS + 1);
  await forgetsOldWatermarks(server, source);
  // MariaDB has no such variable.
  if (server.flavor === 'mysql') {
    await server.query('SET GLOBAL binlog_order_commits = OFF');
    await assert.rejects(source.table('cut', 'heap', [], []), /binlog_order_commits/);
  }
}

/** A pull that begins deletes its line's watermarks of days ago, and no others. */
async function forgetsOldWatermarks(server: Server, source: PullSource): Promise<void> {
  const begin = { kind: 'begin', pull: 'p', schema: 'cut', table: 'heap', whole: true } as const;
  await source.signal(begin);
  await server.query(
    "INSERT INTO dbus.umbus_watermark (ds, kind, token, create_time) VALUES ('cut', 'low', 'old', NOW(6) - INTERVAL 2 DAY), ('other', 'low', 'old', NOW(6) - INTERVAL 2 DAY)",
  );
  await source.signal(begin);
  const left = await server.query('SELECT ds, kind FROM dbus.umbus_watermark ORDER BY id');
  assert.deepEqual(
    left.map(row => `${row['ds']} ${row['kind']}`),
    ['cut begin', 'other low', 'cut begin'],
  );
}

async function countOf(source: PullSource): Promise<number> {
  const heap = await source.table('cut', 'heap', [], []);
  await using rows = await heap.read(WHOLE_TABLE, null, Number.MAX_SAFE_INTEGER);
  let count = 0;
  for (let page = await rows.page(1024); page !== null; page = await rows.page(1024)) count += page.rows;
  return count;
}
