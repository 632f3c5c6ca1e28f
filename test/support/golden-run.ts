import assert from 'node:assert/strict';
import { connectSql, type SqlSession } from '../../src/adapters/mysql/connect.ts';
import { createTables } from '../../src/consumer/tables.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { UmsMessage, UmsValue } from '../../src/ums/types.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';
import { readBinlog } from './binlog-runs.ts';
import { compareExactly } from './differential/compare-exactly.ts';
import type { GoldenCase } from './golden-case.ts';
import { binlogEnd } from './running-line.ts';
import type { Server } from './servers.ts';
import { until } from './until.ts';

/** A case that was run: the lines that came out of the binlog for it. */
export interface GoldenOutcome {
  readonly lines: readonly string[];
  /** Whether two rows had one `ums_uid_`. */
  readonly repeats: boolean;
  /** Where the tables that its messages rebuild differ from the server's. */
  readonly differences: readonly string[];
}

/** Runs a case in a schema and sessions of its own, and reads what the binlog has of it. */
export async function runGolden(server: Server, golden: GoldenCase): Promise<GoldenOutcome> {
  const from = await binlogEnd(server);
  await runStatements(server, golden);
  const end = await binlogEnd(server);
  const { runs, error } = await readBinlog(server, from, end, name => name === golden.schema);
  const appender = new AppendDriver();
  for (const run of runs) appender.run(run);
  const parked = [...appender.states.values()].flatMap(state =>
    state.parked === null ? [] : [`parked: ${state.parked.code}`],
  );
  const halted = error === null ? [] : [`halted: ${isUmbusError(error) ? error.code : String(error)}`];
  const ids = appender.messages
    .filter(({ protocol }) => protocol.type === 'data_increment_data')
    .flatMap(({ payload }) => payload.map(({ tuple }) => String(tuple[3])));
  const tables = createTables();
  for (const message of appender.messages) tables.apply(message);
  await using session = await openSession(server);
  await session.query("SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''");
  return {
    lines: [...linesOf(appender.messages), ...parked, ...halted],
    repeats: new Set(ids).size !== ids.length,
    differences: await compareExactly(session, golden.schema, tables),
  };
}

const DIRECTIVE = /^@(\w+)\s*([\s\S]*)$/;

async function runStatements(server: Server, golden: GoldenCase): Promise<void> {
  let session = await openSession(server);
  try {
    await session.query(`CREATE DATABASE ${golden.schema} CHARACTER SET utf8mb4`);
    await prepare(session, golden.schema);
    for (const statement of golden.statements) {
      const [, directive, rest = ''] = DIRECTIVE.exec(statement) ?? [];
      switch (directive) {
        case undefined:
          await session.query(statement);
          break;
        case 'fails':
          await assert.rejects(session.query(rest), `${golden.file}: the statement does not fail: ${rest}`);
          break;
        case 'until':
          await until(rest, async () => Object.values((await session.query(rest))[0] ?? {})[0] === 1);
          break;
        case 'reconnect':
        case 'restart':
          await session[Symbol.asyncDispose]();
          if (directive === 'restart') {
            await server.stop();
            await server.start();
          }
          session = await openSession(server);
          await prepare(session, golden.schema);
          break;
        default:
          throw new Error(`${golden.file}: @${directive} is not known.`);
      }
    }
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

function openSession({ host, port, user, password }: Server): Promise<SqlSession> {
  return connectSql({ host, port, user, password, tls: null });
}

async function prepare(session: SqlSession, schema: string): Promise<void> {
  await session.query(`USE ${schema}`);
  await session.query("SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''");
}

/** The messages as the cases have them, table by table in the order of their names: the columns of a table when they are new, then a line for each row. */
function linesOf(messages: readonly UmsMessage[]): string[] {
  const byTable = new Map<string, { head: string; readonly lines: string[] }>();
  for (const { protocol, schema, payload } of messages) {
    const table = schema.namespace.split('.').slice(3, -3).join('.');
    const part = byTable.get(table) ?? { head: '', lines: [] };
    byTable.set(table, part);
    if (protocol.type === 'data_increment_termination') {
      part.lines.push(`${table} ended: ${schema.reason}`);
      continue;
    }
    const columns = schema.fields.slice(4);
    const head = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
    if (part.head !== head) part.lines.push(`${table}: ${head}`);
    part.head = head;
    for (const { tuple } of payload) part.lines.push(`${tuple[2]} ${tuple.slice(4).map(jsonOf).join(' ')}`);
  }
  return [...byTable].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, { lines }]) => lines);
}

/** As JSON, with the sign of a zero. */
function jsonOf(value: UmsValue): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}
