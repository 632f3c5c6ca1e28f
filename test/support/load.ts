/**
 * The loads that tests and benchmarks share, on MariaDB and MySQL alike: bulk (statements of 100 rows, five to a transaction, then updates
 * and deletes of ranges), OLTP (ten one-row statements a transaction) and single (one-row transactions). All rows have the same shape,
 * 255 to 290 bytes in the binlog.
 */

/** Runs one SQL statement on one and the same connection. */
export type Execute = (sql: string) => Promise<unknown>;

export const LOAD_SCHEMA = 'sb';

export type LoadKind = 'bulk' | 'oltp' | 'single';

const digits = (count: number): string =>
  `CONCAT_WS('-', ${Array.from({ length: count }, () => "LPAD(FLOOR(RAND() * 1e11), 11, '0')").join(', ')})`;

const table = (name: string): string => `CREATE TABLE ${name} (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  k INT NOT NULL DEFAULT 0,
  c CHAR(120) NOT NULL DEFAULT '',
  pad CHAR(60) NOT NULL DEFAULT '',
  amount DECIMAL(18,4),
  ts DATETIME(6),
  doc TEXT,
  name VARCHAR(100),
  KEY k_1 (k)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`;

/** One INSERT from the source rows `src`, whose rows are ASCII and a little text beyond it. */
const insert = (name: string, number: string, where: string): string =>
  `INSERT INTO ${name} (k, c, pad, amount, ts, doc, name)
   SELECT FLOOR(RAND() * 1000000), s.c, s.pad, ROUND(RAND() * 1000000 - 500000, 4), NOW(6),
          CONCAT('{"a":', ${number}, ',"b":"', LEFT(s.c, 20), '","tags":["x","y"]}'), CONCAT('user', ${number}, ' É中')
     FROM src s WHERE ${where}`;

const loop = (name: string, parameters: string, body: string): string =>
  `CREATE PROCEDURE ${name} (${parameters})
   BEGIN DECLARE i INT DEFAULT 0; DECLARE j INT; DECLARE p INT DEFAULT 1; ${body} END`;

const ranges = (name: string, statement: string): string =>
  loop(
    name,
    'IN tx INT, IN rows_ INT',
    `WHILE i < tx DO START TRANSACTION; SET j = 0;
       WHILE j < 5 DO ${statement} WHERE id BETWEEN p AND p + rows_ - 1; SET p = p + rows_; SET j = j + 1; END WHILE;
       COMMIT; SET i = i + 1; END WHILE;`,
  );

/** Creates the schema, its source rows (kept out of the binlog) and the procedures. */
export async function createLoad(execute: Execute): Promise<void> {
  await execute(`DROP DATABASE IF EXISTS ${LOAD_SCHEMA}`);
  await execute(`CREATE DATABASE ${LOAD_SCHEMA} CHARACTER SET utf8mb4`);
  await execute(`USE ${LOAD_SCHEMA}`);
  await execute('SET SESSION sql_log_bin = 0');
  await execute(
    'CREATE TABLE src (n INT PRIMARY KEY, c CHAR(120) CHARACTER SET latin1 NOT NULL, pad CHAR(60) CHARACTER SET latin1 NOT NULL)',
  );
  await execute(`INSERT INTO src WITH RECURSIVE t AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 99)
    SELECT a.n * 100 + b.n + 1, ${digits(10)}, ${digits(5)} FROM t a, t b`);
  await execute(
    loop(
      'fill',
      'IN tx INT, IN rows_ INT',
      `WHILE i < tx DO START TRANSACTION; SET j = 0;
       WHILE j < 5 DO SET p = 1 + MOD(i * 31 + j * 1700, 9900); ${insert('t1', 's.n', 's.n BETWEEN p AND p + rows_ - 1')}; SET j = j + 1; END WHILE;
       COMMIT; SET i = i + 1; END WHILE;`,
    ),
  );
  await execute(ranges('upd', 'UPDATE t1 SET k = k + 1, amount = amount + 1.5, ts = NOW(6)'));
  await execute(ranges('del', 'DELETE FROM t1'));
  await execute(
    loop(
      'single',
      'IN tx INT',
      `WHILE i < tx DO ${insert('t2', 'i', 's.n = 1 + MOD(i, 10000)')}; SET i = i + 1; END WHILE;`,
    ),
  );
  await execute(
    loop(
      'oltp',
      'IN tx INT',
      `WHILE i < tx DO START TRANSACTION; SET j = 0;
       WHILE j < 10 DO ${insert('t3', 'i', 's.n = 1 + MOD(i + j * 13, 10000)')}; SET j = j + 1; END WHILE;
       COMMIT; SET i = i + 1; END WHILE;`,
    ),
  );
  await execute('SET SESSION sql_log_bin = 1');
  for (const name of ['t1', 't2', 't3']) await execute(table(name));
}

/**
 * Runs one load. `rows`: how many rows it inserts, about; bulk then updates and deletes a fifth of them each.
 */
export async function runLoad(execute: Execute, kind: LoadKind, rows: number): Promise<void> {
  await execute(`USE ${LOAD_SCHEMA}`);
  switch (kind) {
    case 'bulk':
      await execute(`CALL fill(${Math.ceil(rows / 500)}, 100)`);
      await execute(`CALL upd(${Math.ceil(rows / 2500)}, 100)`);
      await execute(`CALL del(${Math.ceil(rows / 2500)}, 100)`);
      return;
    case 'oltp':
      await execute(`CALL oltp(${Math.ceil(rows / 10)})`);
      return;
    case 'single':
      await execute(`CALL single(${rows})`);
      return;
  }
}
