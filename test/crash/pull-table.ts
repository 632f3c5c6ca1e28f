/** A large table with skewed keys, and a load that changes it. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import type { Server } from '../support/servers.ts';

export const PULL_SCHEMA = 'pulled';
const ROWS_A_STATEMENT = 20_000;

/** Nine rows of ten share the first column of the key, and half of the numbers are in a corner of their range. */
export async function makeTable(server: Server, rows: number): Promise<void> {
  await server.query(`CREATE DATABASE ${PULL_SCHEMA} CHARACTER SET utf8mb4`);
  await server.query(`CREATE TABLE ${PULL_SCHEMA}.n (n INT PRIMARY KEY)`);
  const numbers = Array.from({ length: ROWS_A_STATEMENT }, (_, n) => `(${n})`);
  await server.query(`INSERT INTO ${PULL_SCHEMA}.n VALUES ${numbers.join()}`);
  await server.query(
    `CREATE TABLE ${PULL_SCHEMA}.big (region VARCHAR(10), id BIGINT, v INT NOT NULL, body VARCHAR(60), PRIMARY KEY (region, id))`,
  );
  for (let first = 0; first < rows; first += ROWS_A_STATEMENT) {
    await server.query(
      `INSERT INTO ${PULL_SCHEMA}.big SELECT IF(n % 10 = 0, CONCAT('r', n % 7), 'Main'), IF(n % 2, n + ${first}, (n + ${first}) * 1000003), 0, REPEAT('x', n % 60)
         FROM ${PULL_SCHEMA}.n WHERE n < ${Math.min(ROWS_A_STATEMENT, rows - first)}`,
    );
  }
}

/** Changes rows until `signal` aborts; gives how many statements there were. `began`: told the connection that it does so on. */
export async function change(
  server: Server,
  rows: number,
  signal: AbortSignal,
  began: (connection: number) => void,
): Promise<number> {
  const { host, port, user, password } = server;
  await using session = await connectSql({ host, port, user, password, tls: null });
  const [own] = await session.query('SELECT CONNECTION_ID() AS id');
  began(Number(own?.['id']));
  const below = (n: number): number => Math.floor(Math.random() * n);
  let changes = 0;
  while (!signal.aborted) {
    const id = below(rows);
    const statements = [
      `UPDATE ${PULL_SCHEMA}.big SET v = v + 1 WHERE region = 'Main' AND id BETWEEN ${id} AND ${id + 20}`,
      `DELETE FROM ${PULL_SCHEMA}.big WHERE region = 'Main' AND id BETWEEN ${id} AND ${id + 3}`,
      `INSERT IGNORE INTO ${PULL_SCHEMA}.big VALUES ('Main', ${id}, 1, 'new'), ('r${below(7)}', ${id}, 1, 'new')`,
      `UPDATE IGNORE ${PULL_SCHEMA}.big SET region = 'moved' WHERE region = 'Main' AND id BETWEEN ${id} AND ${id + 5}`,
      `UPDATE IGNORE ${PULL_SCHEMA}.big SET id = -id WHERE region = 'moved' AND id BETWEEN ${id} AND ${id + 900} LIMIT 4`,
    ];
    await session.query(statements[below(statements.length)] ?? '');
    changes++;
    await delay(2);
  }
  return changes;
}
