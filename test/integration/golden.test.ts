/**
 * The golden cases: SQL, and the rows that must come out of the binlog for it, field types and all. A case is a text file in test/golden; its form is explained in
 * test/golden/README.md. A new case needs no code. `UMBUS_GOLDEN=write` writes what came out into the cases, to be read before it is kept.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import type { UmsMessage, UmsValue } from '../../src/ums/types.ts';
import { binlogRuns } from '../support/binlog-runs.ts';
import { type GoldenCase, parseCase, writeExpected } from '../support/golden-case.ts';
import { binlogEnd } from '../support/running-line.ts';
import { allServerKinds, requireServer, type Server } from '../support/servers.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';

const folder = new URL('../golden/', import.meta.url);
const files = readdirSync(folder)
  .filter(name => name.endsWith('.case'))
  .sort();
const write = process.env['UMBUS_GOLDEN'] === 'write';

/** Runs the statements of a case in a schema and a session of its own. */
async function runCase(server: Server, golden: GoldenCase): Promise<void> {
  const { host, port, user, password } = server;
  await using session = await connectSql({ host, port, user, password, tls: null });
  await session.query(`CREATE DATABASE ${golden.schema} CHARACTER SET utf8mb4`);
  await session.query(`USE ${golden.schema}`);
  await session.query("SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''");
  for (const statement of golden.statements) await session.query(statement);
}

/** The messages as the cases have them: the columns of a table when they are new, then a line for each row. */
function linesOf(messages: readonly UmsMessage[]): string[] {
  const lines: string[] = [];
  const shown = new Map<string, string>();
  for (const { protocol, schema, payload } of messages) {
    const table = schema.namespace.split('.')[3] ?? '';
    if (protocol.type === 'data_increment_termination') {
      lines.push(`${table} ended: ${schema.reason}`);
      continue;
    }
    const columns = schema.fields.slice(4);
    const head = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
    if (shown.get(table) !== head) lines.push(`${table}: ${head}`);
    shown.set(table, head);
    for (const { tuple } of payload) {
      lines.push(`${tuple[2]} ${tuple.slice(4).map(jsonOf).join(' ')}`);
    }
  }
  return lines;
}

/** What becomes of a table whose table map has no names. */
const withoutMetadata = ['parked: UMBUS_BINLOG_NO_METADATA'];

/** As JSON, with the sign of a zero. */
function jsonOf(value: UmsValue): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}

for (const kind of allServerKinds) {
  test(`every golden case comes out of ${kind} as it is written`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const { position } = await binlogEnd(server);
    const cases = files
      .map(name => parseCase(name, readFileSync(new URL(name, folder), 'utf8')))
      .filter(({ servers }) => servers.includes(kind));
    for (const golden of cases) {
      await t.test(golden.name, () => runCase(server, golden));
    }
    const appender = new AppendDriver();
    const runs = await binlogRuns(server, position, await binlogEnd(server), name =>
      name.startsWith('golden_'),
    );
    for (const run of runs) appender.run(run);
    for (const golden of cases) {
      await t.test(`${golden.name}: rows`, () => {
        const mine = appender.messages.filter(
          ({ schema }) => schema.namespace.split('.')[2] === golden.schema,
        );
        const parked = [...appender.states].flatMap(([key, { parked: why }]) =>
          why !== null && key.startsWith(`${golden.schema}.`) ? [`parked: ${why.code}`] : [],
        );
        const lines = [...linesOf(mine), ...parked];
        if (write) writeFileSync(new URL(golden.file, folder), writeExpected(golden, kind, lines));
        else assert.deepEqual(lines, kind === 'mysql56' ? withoutMetadata : golden.expected[kind]);
        const ids = mine
          .filter(({ protocol }) => protocol.type === 'data_increment_data')
          .flatMap(({ payload }) => payload.map(({ tuple }) => BigInt(String(tuple[3]))));
        assert.ok(new Set(ids).size === ids.length, 'ums_uid_ repeats');
      });
    }
  });
}
