/**
 * Every column type that is decoded, on real servers: rows written by SQL come out of the binlog as the value that SELECT gives for them.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { MULTI_BYTE_NAMES, SINGLE_BYTE_NAMES } from '../../src/binlog/rows/charset-names.ts';
import { charsetOf } from '../../src/binlog/rows/collations.ts';
import { textCodec } from '../../src/binlog/rows/text-value.ts';
import type { UmsValue } from '../../src/ums/types.ts';
import { binlogRuns } from '../support/binlog-runs.ts';
import {
  charactersOf,
  fourByteCodes,
  fourByteText,
  plantCodes,
  shortCodes,
} from '../support/charset-facts.ts';
import { binlogEnd } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { type Kind, makeTypeTable } from '../support/type-columns.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';

const SCHEMA = 'types';

/** An expression that the server answers with ASCII text, and that says the value exactly. */
function expectation(name: string, kind: Kind): string {
  switch (kind) {
    case 'number':
      return `CAST(${name} + 0 AS CHAR)`;
    case 'float':
      return `CAST(CAST(${name} AS DOUBLE) AS CHAR)`;
    case 'string':
      return `HEX(CONVERT(${name} USING utf8mb4))`;
    case 'binary':
      return `HEX(${name})`;
    default:
      return `CAST(${name} AS CHAR)`;
  }
}

/** The value of a message in the form of {@link expectation}, and the server's answer in a form that is comparable with it. */
function comparable(kind: Kind, got: UmsValue, answer: string): readonly [unknown, unknown] {
  switch (kind) {
    case 'float':
      return [typeof got === 'number' ? Math.fround(got) : got, Math.fround(Number(answer))];
    case 'double':
      return [got, Number(answer)];
    case 'string':
      return [Buffer.from(String(got), 'utf8').toString('hex').toUpperCase(), answer];
    case 'binary':
      return [Buffer.from(String(got), 'base64').toString('hex').toUpperCase(), answer];
    default:
      return [String(got), answer];
  }
}

for (const kind of serverKinds) {
  test(`every type of ${kind} comes out as SELECT gives it, in inserts, updates and deletes`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    await server.query("SET SESSION sql_mode = ''");
    await server.query("SET SESSION time_zone = '+00:00'");
    await server.query('SET NAMES utf8mb4');
    const { position } = await binlogEnd(server);
    const { columns: wanted, rows } = await makeTypeTable(server, SCHEMA);
    const expected = wanted.map(({ kind: each }, i) => `${expectation(`c${i}`, each)} AS c${i}`);
    const answers = await server.query(`SELECT id, ${expected.join(', ')} FROM ${SCHEMA}.t ORDER BY id`);
    await server.query(`UPDATE ${SCHEMA}.t SET id = id + 1000`);
    await server.query(`DELETE FROM ${SCHEMA}.t`);
    const end = await binlogEnd(server);

    const appender = new AppendDriver();
    for (const run of await binlogRuns(server, position, end, schema => schema === SCHEMA)) appender.run(run);
    assert.deepEqual(
      appender.parked.map(({ error }) => String(error)),
      [],
    );
    const tuples = appender.messages.flatMap(({ payload }) => payload.map(({ tuple }) => tuple));
    assert.deepEqual(
      ['i', 'b', 'u', 'd'].map(operation => tuples.filter(tuple => tuple[2] === operation).length),
      [rows, rows, rows, rows],
    );
    for (const tuple of tuples) {
      const answer = answers[Number(tuple[4]) % 1000];
      for (const [i, { sql, kind: each }] of wanted.entries()) {
        const right = answer?.[`c${i}`] ?? null;
        const got = tuple[5 + i] ?? null;
        const place = `${sql}, row ${tuple[4]}, operation ${tuple[2]}`;
        if (right === null || got === null) assert.equal(got, right, place);
        else {
          const [left, other] = comparable(each, got, String(right));
          assert.equal(left, other, place);
        }
      }
    }
  });
}

test('a column with a name of UMS parks its table, and old MariaDB times are read', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
  const { position } = await binlogEnd(server);
  await server.query(`CREATE TABLE ${SCHEMA}.named (id INT PRIMARY KEY, ums_id_ INT)`);
  await server.query(`INSERT INTO ${SCHEMA}.named VALUES (1, 1)`);
  await server.query("SET SESSION time_zone = '+00:00'");
  await server.query('SET GLOBAL mysql56_temporal_format = OFF');
  await server.query(`CREATE TABLE ${SCHEMA}.old (id INT PRIMARY KEY, d DATETIME, s TIMESTAMP NULL, t TIME)`);
  await server.query(
    `INSERT INTO ${SCHEMA}.old VALUES (1, '2024-02-29 12:34:56', '2024-02-29 12:34:56', '-101:02:03')`,
  );
  await server.query('SET GLOBAL mysql56_temporal_format = ON');
  const appender = new AppendDriver();
  for (const run of await binlogRuns(server, position, await binlogEnd(server), schema => schema === SCHEMA))
    appender.run(run);
  assert.deepEqual(
    [...appender.states].map(([key, { parked }]) => [key, parked?.code ?? null]),
    [
      ['types.named', 'UMBUS_BINLOG_TYPE'],
      ['types.old', null],
    ],
  );
  assert.deepEqual(appender.messages[0]?.payload[0]?.tuple.slice(4), [
    1,
    '2024-02-29 12:34:56',
    '2024-02-29 12:34:56',
    '-101:02:03',
  ]);
});

for (const kind of serverKinds) {
  test(`every code of every character set of ${kind} is the character that the server says, or none, and every collation has one`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await plantCodes(server);
    const known = await server.query(
      'SELECT character_set_name AS name FROM information_schema.character_sets',
    );
    const names = known.map(({ name }) => String(name));
    const codes = shortCodes();
    for (const name of names) assert.ok(name === 'binary' || textCodec(name) !== null, name);
    for (const charset of ['latin1', 'ascii', ...SINGLE_BYTE_NAMES, ...MULTI_BYTE_NAMES]) {
      if (!names.includes(charset)) continue;
      const right = await charactersOf(server, charset);
      const codec = textCodec(charset) ?? assert.fail(charset);
      const multi = MULTI_BYTE_NAMES.some(name => name === charset);
      for (const code of multi ? codes : codes.slice(0, 256)) {
        const text = codec.decode(Buffer.from(code, 'hex'));
        const got = text !== null && [...text].length === 1 ? text : undefined;
        if (got !== right.get(code)) assert.fail(`${charset} ${code}: ${got} instead of ${right.get(code)}`);
      }
    }
    const gb18030 = textCodec('gb18030') ?? assert.fail('gb18030');
    for (let pair = 0; kind === 'mysql' && pair < 1260; pair++) {
      const [first, second] = [0x81 + Math.floor(pair / 10), 0x30 + (pair % 10)];
      const right: readonly string[] = [...(await fourByteText(server, first, second))];
      const got = fourByteCodes(first, second).map(code => gb18030.decode(Buffer.from(code)) ?? '?');
      assert.deepEqual(got, right, `gb18030 ${first} ${second}`);
    }
    const table = kind === 'mysql' ? 'collations' : 'collation_character_set_applicability';
    const rows = await server.query(
      `SELECT id, character_set_name AS charset FROM information_schema.${table}`,
    );
    assert.ok(rows.length > 200);
    for (const { id, charset } of rows) assert.equal(charsetOf(Number(id)), charset, `collation ${id}`);
  });
}
