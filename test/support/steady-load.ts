import { setTimeout as delay } from 'node:timers/promises';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import type { Server } from './servers.ts';

/** Changes that go on until they are stopped. */
export interface SteadyLoad extends AsyncDisposable {
  /** Transactions committed so far. */
  readonly transactions: number;
  /** Throws what made it fail, if it has. */
  assertGoing(): void;
  /** Ends it; the last transaction is committed then. Rejects with what made it fail. */
  stop(): Promise<void>;
}

/** Tables of {@link startSteadyLoad}: enough for each partition to have some. */
export const STEADY_TABLES = 6;

/**
 * Commits small transactions over several tables of a new schema until it is stopped, `apartMs` milliseconds apart: inserts, updates of earlier rows, now and then a deletion or a
 * changed key. Every inserted row has the next number of its table.
 */
export async function startSteadyLoad(server: Server, schema: string, apartMs = 10): Promise<SteadyLoad> {
  const session = await connectSql({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    tls: null,
  });
  await session.query(`CREATE DATABASE ${schema}`);
  await session.query(`USE ${schema}`);
  for (let table = 0; table < STEADY_TABLES; table += 1) {
    await session.query(
      `CREATE TABLE t${table} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL, body VARCHAR(200) NULL)`,
    );
  }
  const stopping = new AbortController();
  let transactions = 0;
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const turn = transactions + 1;
      const [a, b] = [`t${turn % STEADY_TABLES}`, `t${(turn * 5 + 1) % STEADY_TABLES}`];
      await session.query('BEGIN');
      await session.query(
        `INSERT INTO ${a} (n, body) VALUES ${Array.from({ length: 5 }, (_, row) => `(${turn}, REPEAT('${row}', ${turn % 150}))`).join(', ')}`,
      );
      await session.query(`UPDATE ${b} SET n = n + 1 ORDER BY id DESC LIMIT 3`);
      if (turn % 7 === 0) await session.query(`DELETE FROM ${b} ORDER BY id LIMIT 2`);
      if (turn % 11 === 0) await session.query(`UPDATE ${a} SET id = -id WHERE id > 0 ORDER BY id LIMIT 1`);
      await session.query('COMMIT');
      transactions = turn;
      await delay(apartMs);
    }
  };
  const running = run();
  let failure: { readonly error: unknown } | null = null;
  running.catch(error => {
    failure = { error };
  });
  let ended = false;
  const stop = async (): Promise<void> => {
    stopping.abort();
    try {
      await running;
    } finally {
      if (!ended) await session[Symbol.asyncDispose]();
      ended = true;
    }
  };
  return {
    get transactions() {
      return transactions;
    },
    assertGoing() {
      if (failure !== null) throw failure.error;
    },
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => undefined),
  };
}
