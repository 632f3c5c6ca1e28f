/**
 * A load whose every change can be proved to have arrived, once and in order: each row carries a number that grows by one with each change,
 * so a lost, doubled or exchanged change shows as a gap, a repeat or a step back in the result topics.
 */

/** Runs one SQL statement on one and the same connection. */
export type Execute = (sql: string) => Promise<unknown>;

export const CRASH_SCHEMA = 'proof';

const COUNTERS = 50;

export async function createWorkload(execute: Execute): Promise<void> {
  await execute(`CREATE DATABASE ${CRASH_SCHEMA} DEFAULT CHARSET utf8mb4`);
  await execute(`USE ${CRASH_SCHEMA}`);
  // Every row ever inserted stays: a lost transaction is a gap in n.
  await execute('CREATE TABLE ledger (n INT NOT NULL PRIMARY KEY, body VARCHAR(300) NULL)');
  // Every update adds one: a lost update is a gap in n of that id.
  await execute('CREATE TABLE counters (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)');
  // Rows come, change their key and go; without a primary key in the second.
  await execute('CREATE TABLE moving (id INT NOT NULL PRIMARY KEY, n INT NOT NULL, t DATETIME(6) NULL)');
  await execute('CREATE TABLE keyless (a INT NOT NULL, b VARCHAR(20) NULL)');
  for (let id = 1; id <= COUNTERS; id++) await execute(`INSERT INTO counters VALUES (${id}, 0)`);
}

/** How far the workload got; the caller keeps it, so that it can go on over a new connection. */
export interface Progress {
  /** The number of the last transaction that was answered; one more may have been committed when a connection broke. */
  transactions: number;
}

const below = (n: number): number => Math.floor(Math.random() * n);

/**
 * Commits transactions one after another until `signal` aborts or the connection breaks (then it throws). A transaction inserts one to
 * twenty ledger rows, advances counters and shuffles the other tables; sometimes it is large, sometimes it changes a table's shape first.
 */
export async function work(execute: Execute, progress: Progress, signal: AbortSignal): Promise<void> {
  await execute(`USE ${CRASH_SCHEMA}`);
  while (!signal.aborted) {
    const turn = progress.transactions + 1;
    if (turn % 400 === 0) await execute('ALTER TABLE ledger ADD COLUMN extra INT NULL').catch(alreadyDone);
    if (turn % 400 === 200) await execute('ALTER TABLE ledger DROP COLUMN extra').catch(alreadyDone);
    await execute('BEGIN');
    const rows = turn % 97 === 0 ? 900 : 1 + below(20);
    await execute(
      `INSERT INTO ledger (n, body) SELECT base.n + s.k, REPEAT(CHAR(97 + s.k % 26), s.k % 300)
         FROM (SELECT COALESCE(MAX(n), 0) AS n FROM ledger) base,
              (WITH RECURSIVE r AS (SELECT 1 AS k UNION ALL SELECT k + 1 FROM r WHERE k < ${rows}) SELECT k FROM r) s`,
    );
    const first = 1 + below(COUNTERS - 5);
    await execute(`UPDATE counters SET n = n + 1 WHERE id BETWEEN ${first} AND ${first + below(5)}`);
    const id = below(200);
    await execute(`REPLACE INTO moving VALUES (${id}, ${turn}, NOW(6))`);
    if (turn % 3 === 0) await execute(`UPDATE IGNORE moving SET id = id + 1000 WHERE id = ${below(200)}`);
    if (turn % 5 === 0) await execute(`DELETE FROM moving WHERE id > 1000 LIMIT 3`);
    await execute(`INSERT INTO keyless VALUES (${turn % 7}, 'x${turn % 11}')`);
    if (turn % 4 === 0) await execute(`UPDATE keyless SET b = 'changed' WHERE a = ${turn % 7} LIMIT 1`);
    if (turn % 6 === 0) await execute(`DELETE FROM keyless WHERE a = ${below(7)} LIMIT 2`);
    await execute('COMMIT');
    progress.transactions = turn;
  }
}

/** A shape change that was made before the connection broke is not made again (server errors 1060 and 1091). */
function alreadyDone(error: unknown): void {
  const text = error instanceof Error ? error.message : '';
  if (!/Duplicate column name|Can't DROP/.test(text)) throw error;
}
