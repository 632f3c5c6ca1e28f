import { connectSql, type SqlSession } from '../../../src/adapters/mysql/connect.ts';
import { createTables, type UmsTables } from '../../../src/consumer/tables.ts';
import { AppendDriver } from '../../unit/stages/append-fixture.ts';
import { readBinlog } from '../binlog-runs.ts';
import { binlogEnd } from '../running-line.ts';
import type { Server } from '../servers.ts';
import { compareExactly } from './compare-exactly.ts';
import type { RandomCase } from './statements.ts';

/** How often servers did what they were asked; what they refuse compares nothing. */
export interface Tally {
  readonly done: number;
  readonly refused: number;
}

/** Runs random cases on a server, each in a schema of its own, and compares what the topic would rebuild with what the server answers. */
export class Differential implements AsyncDisposable {
  readonly #server: Server;
  readonly #session: SqlSession;
  #count = 0;
  #tables: Tally = { done: 0, refused: 0 };
  #statements: Tally = { done: 0, refused: 0 };

  static async open(server: Server): Promise<Differential> {
    const { host, port, user, password } = server;
    const session = await connectSql({ host, port, user, password, tls: null });
    if (server.flavor === 'mariadb') await session.query('SET GLOBAL log_bin_compress_min_len = 10');
    return new Differential(server, session);
  }

  private constructor(server: Server, session: SqlSession) {
    this.#server = server;
    this.#session = session;
  }

  get tables(): Tally {
    return this.#tables;
  }

  get statements(): Tally {
    return this.#statements;
  }

  /** Runs a case; gives what differs, as sentences. */
  async run(each: RandomCase): Promise<readonly string[]> {
    const schema = `differential_${this.#count++}`;
    const from = await binlogEnd(this.#server);
    try {
      await this.apply(schema, each);
      return await this.#compare(schema, from, await binlogEnd(this.#server));
    } finally {
      await this.#session.query(`DROP DATABASE ${schema}`);
    }
  }

  /** Makes a schema, and does in it what a case says. */
  async apply(schema: string, { tables, settings, statements }: RandomCase): Promise<void> {
    const session = this.#session;
    await session.query("SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''");
    await session.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
    await session.query(`USE ${schema}`);
    for (const sql of tables) this.#tables = counted(this.#tables, await this.#try(sql));
    for (const sql of settings) await session.query(sql);
    for (const [i, sql] of statements.entries()) {
      const file = `${this.#server.dataDir}/${schema}-${sql.startsWith('LOAD') ? i - 1 : i}`;
      this.#statements = counted(this.#statements, await this.#try(sql.replace('{file}', file)));
    }
    await session.query("COMMIT; SET time_zone = '+00:00'");
  }

  /** Where tables that were rebuilt differ from the server's, as sentences. */
  differences(schema: string, rebuilt: UmsTables): Promise<readonly string[]> {
    return compareExactly(this.#session, schema, rebuilt);
  }

  async #compare(
    schema: string,
    from: { readonly file: string; readonly position: number },
    end: { readonly file: string; readonly position: number },
  ): Promise<readonly string[]> {
    const { runs, error } = await readBinlog(this.#server, from, end, name => name === schema);
    const appender = new AppendDriver();
    for (const run of runs) appender.run(run);
    const rebuilt = createTables();
    for (const { output } of appender.emitted) rebuilt.apply(output.value);
    return [
      ...(error === null ? [] : [`the line halts: ${error}`]),
      ...appender.parked.map(({ key, error: why }) => `${key} is parked: ${why}`),
      ...(await this.differences(schema, rebuilt)),
    ];
  }

  async #try(sql: string): Promise<boolean> {
    try {
      await this.#session.query(sql);
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

const counted = ({ done, refused }: Tally, isDone: boolean): Tally =>
  isDone ? { done: done + 1, refused } : { done, refused: refused + 1 };
