import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, publishedIn } from '../support/published.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { assertWhole } from '../support/whole-line.ts';

const SCHEMAS = ['s1', 's2', 's-three', 'S4', 's_5'];
const TABLES_EACH = 6;
const STATEMENTS = 1_500;

/** A column's type, and an expression of `n` that gives a value of it. */
const columnTypes: readonly (readonly [type: string, value: string])[] = [
  ['TINYINT', 'n % 128'],
  ['SMALLINT UNSIGNED', 'n * 31 % 65536'],
  ['MEDIUMINT', '-n * 77 % 8000000'],
  ['BIGINT UNSIGNED', '18446744073709551615 - n'],
  ['DECIMAL(20, 5)', 'n * 12345.67891 * POW(-1, n % 2)'],
  ['DOUBLE', 'n / 7'],
  ['FLOAT', 'n * 1.5'],
  ['BIT(11)', 'n % 2048'],
  ['CHAR(9)', "CONCAT('c', n)"],
  ['VARCHAR(300)', "REPEAT(CONCAT('é', n), n % 40)"],
  ['TEXT', 'REPEAT(\'中 "quoted" \\\\ \', n % 30)'],
  ['VARBINARY(40)', 'UNHEX(SHA2(n, 256))'],
  ['BLOB', "REPEAT(UNHEX('00ff0a'), n % 50)"],
  ["ENUM('a', 'b, c', 'ü')", '1 + n % 3'],
  ["SET('x', 'y', 'z')", 'n % 8'],
  ['DATE', "DATE '2020-01-01' + INTERVAL n DAY"],
  ['DATETIME(4)', "TIMESTAMP '2021-03-04 05:06:07.1234' + INTERVAL n MINUTE"],
  ['TIMESTAMP(2) NULL', "TIMESTAMP '2022-01-01 00:00:00' + INTERVAL n HOUR"],
  ['TIME(3)', 'SEC_TO_TIME(n % 3000000 - 1500000)'],
  ['YEAR', '1901 + n % 200'],
];

/** Numbers below `bound`, the same in every run. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return bound => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

interface Table {
  readonly name: string;
  readonly columns: readonly (readonly [type: string, value: string])[];
  readonly keyed: boolean;
}

function tableOf(schema: string, index: number, below: (bound: number) => number): Table {
  const columns = Array.from({ length: 1 + below(12) }, () => columnTypes[below(columnTypes.length)]);
  return {
    name: `\`${schema}\`.\`table ${index}\``,
    columns: columns.filter(column => column !== undefined),
    keyed: index % 3 !== 2,
  };
}

const created = ({ name, columns, keyed }: Table): string =>
  `CREATE TABLE ${name} (id INT NOT NULL${keyed ? ' PRIMARY KEY' : ''}, ${columns.map(([type], i) => `c${i} ${type}`).join(', ')})`;

/** A statement that changes some rows of a table. */
function changeOf({ name, columns }: Table, below: (bound: number) => number): string {
  const from = below(150);
  const sequence = `(WITH RECURSIVE r AS (SELECT ${from} AS n UNION ALL SELECT n + 1 FROM r WHERE n < ${from + below(8)}) SELECT n FROM r) s`;
  const nulled = below(columns.length * 2);
  const values = columns.map(([, value], i) => (i === nulled ? 'NULL' : value));
  switch (below(5)) {
    case 0:
      return `DELETE FROM ${name} WHERE id BETWEEN ${from} AND ${from + below(5)}`;
    case 1: {
      const column = below(columns.length);
      const value = (columns[column]?.[1] ?? 'NULL').replaceAll(/\bn\b/g, `(id + ${below(99)})`);
      return `UPDATE ${name} SET c${column} = ${value} WHERE id BETWEEN ${from} AND ${from + below(9)}`;
    }
    default:
      return `REPLACE INTO ${name} SELECT n, ${values.join(', ')} FROM ${sequence}`;
  }
}

for (const kind of serverKinds) {
  test(`on ${kind} tables of many shapes in many schemas, changed in mixed transactions, come out equal`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: SCHEMAS, partitions: 3, runBytes: 64 * 1024 });
    const below = numbers(20_261_121);
    const tables = SCHEMAS.flatMap(schema =>
      Array.from({ length: TABLES_EACH }, (_, index) => tableOf(schema, index, below)),
    );
    await server.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
    for (const schema of SCHEMAS) await server.query(`CREATE DATABASE \`${schema}\` CHARACTER SET utf8mb4`);
    await server.query('USE s1');
    for (const table of tables) await server.query(created(table));
    for (let n = 0; n < STATEMENTS; n++) {
      if (n % 5 === 0) await server.query('BEGIN');
      const table = tables[below(tables.length)];
      if (table !== undefined) await server.query(changeOf(table, below));
      if (n % 5 === 4) await server.query(n % 35 === 34 ? 'ROLLBACK' : 'COMMIT');
    }
    await assertWhole(line);
    const { rows } = await line.compare();
    assert.ok(rows > 1_000, `${rows} rows`);
    const partitions = new Set<number>();
    for (const schema of SCHEMAS) {
      for (const { partition } of await publishedIn(line.log, `test.${schema}.result`)) {
        partitions.add(partition);
      }
    }
    assert.deepEqual([...partitions].toSorted(), [0, 1, 2]);
  });

  test(`on ${kind} engines without transactions, temporary tables, views and routines leave the tables equal`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: ['shop'] });
    for (const sql of [
      'CREATE DATABASE shop',
      'USE shop',
      'CREATE TABLE memory (id INT PRIMARY KEY, v INT) ENGINE = MEMORY',
      'INSERT INTO memory VALUES (1, 1), (2, 2)',
      'CREATE TABLE myisam (id INT PRIMARY KEY, v INT) ENGINE = MyISAM',
      'INSERT INTO myisam VALUES (1, 1), (2, 2)',
      'UPDATE myisam SET v = v + 1',
      'CREATE TABLE t (id INT PRIMARY KEY, v INT)',
      'INSERT INTO t VALUES (1, 1), (2, 2)',
      // A temporary table hides the one of the same name: what empties it must not empty the other.
      'CREATE TEMPORARY TABLE t (id INT)',
      'INSERT INTO t VALUES (77), (78)',
      'TRUNCATE TABLE t',
      'DROP TEMPORARY TABLE t',
      'CREATE VIEW v AS SELECT * FROM t',
      'INSERT INTO v VALUES (50, 50)',
      'DROP VIEW v',
      'CREATE PROCEDURE p() BEGIN INSERT INTO t VALUES (60, 60); UPDATE t SET v = 61 WHERE id = 60; END',
      'CALL p()',
      'CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4',
      'INSERT INTO parts VALUES (1), (2), (3), (4), (5)',
      'UPDATE t JOIN parts ON parts.id = t.id SET t.v = 7, parts.id = parts.id + 10',
      'LOCK TABLES t WRITE',
      'INSERT INTO t VALUES (80, 80)',
      'UNLOCK TABLES',
    ]) {
      await server.query(sql);
    }
    await assertWhole(line);
    if (kind === 'mysql') await server.kill9();
    else await server.stop();
    await server.start();
    // The server empties its MEMORY tables at the first use after a start, and says so in the binlog.
    await server.query('INSERT INTO shop.memory VALUES (9, 9)');
    await assertWhole(line);
    assert.deepEqual(await changesOf(line.log, 'test.shop.result', 'memory', 'id'), [
      'i 1',
      'i 2',
      'end truncate',
      'i 9',
    ]);
  });
}
