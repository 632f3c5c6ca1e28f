/**
 * Every column type that is decoded, on real servers: rows written by SQL come out of the binlog as the value that SELECT gives for them.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import type { UmsValue } from '../../src/ums/types.ts';
import { ExtractDriver } from '../support/extract-driver.ts';
import { binlogEnd } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';

const SCHEMA = 'types';

/** How SELECT's answer and the message's value are made comparable. */
type Kind = 'text' | 'number' | 'float' | 'double' | 'string' | 'binary';

interface Column {
  readonly sql: string;
  readonly kind: Kind;
  readonly values: readonly string[];
  readonly only?: Server['flavor'];
}

const column = (sql: string, kind: Kind, ...values: readonly string[]): Column => ({ sql, kind, values });

const texts = ["''", "'plain'", "'trailing  '", `'q"uo\\\\te\\n\\t\\0'`, "'é'"];
const wide = [...texts, "'中😀'"];
const blobs = ["''", "x'00'", "x'00ff0000'", "x'fffefd'", "'text'"];

const columns: readonly Column[] = [
  column('TINYINT', 'number', '-128', '-1', '0', '127'),
  column('TINYINT UNSIGNED', 'number', '0', '255'),
  column('TINYINT(1)', 'number', '0', '1', '7'),
  column('SMALLINT', 'number', '-32768', '32767'),
  column('SMALLINT UNSIGNED', 'number', '65535'),
  column('YEAR', 'number', '0', '1901', '2155'),
  column('MEDIUMINT', 'number', '-8388608', '8388607', '-1'),
  column('MEDIUMINT UNSIGNED', 'number', '16777215'),
  column('INT', 'number', '-2147483648', '2147483647', '0'),
  column('INT UNSIGNED', 'number', '4294967295', '0'),
  column(
    'BIGINT',
    'number',
    '-9223372036854775808',
    '9223372036854775807',
    '-9007199254740993',
    '-4294967296',
  ),
  column('BIGINT UNSIGNED', 'number', '18446744073709551615', '9007199254740993', '0'),
  column('FLOAT', 'float', '1.1', '-3.402823466e38', '1.175494351e-38', '16777216', '0.1', '0'),
  column('DOUBLE', 'double', '1.1', '-1.7976931348623157e308', '2.2250738585072014e-308', '1e15', '0'),
  column('DECIMAL(10,0)', 'text', '-9999999999', '0', '12'),
  column('DECIMAL(4,4)', 'text', '-0.9999', '0.0001'),
  column('DECIMAL(20,6)', 'text', '-12345678901234.567891', '0', '-0.000001', '1.5'),
  column(
    'DECIMAL(65,30)',
    'text',
    '-12345678901234567890123456789012345.123456789012345678901234567890',
    '1',
  ),
  column('DECIMAL(9,2) UNSIGNED', 'text', '1234567.89'),
  column('BIT(1)', 'number', "b'1'", "b'0'"),
  column('BIT(12)', 'number', "b'101010101010'"),
  column('BIT(31)', 'number', '2147483647'),
  column('BIT(32)', 'number', '4294967295'),
  column('BIT(64)', 'number', '18446744073709551615', '1'),
  column('DATE', 'text', "'2024-02-29'", "'0000-00-00'", "'2024-00-15'", "'9999-12-31'", "'1000-01-01'"),
  ...[0, 1, 2, 3, 4, 5, 6].flatMap(digits => [
    column(
      `DATETIME(${digits})`,
      'text',
      "'2024-02-29 12:34:56.789012'",
      "'0000-00-00 00:00:00'",
      "'9999-12-31 23:59:59'",
    ),
    column(
      `TIMESTAMP(${digits}) NULL`,
      'text',
      "'2024-02-29 12:34:56.789012'",
      "'0000-00-00 00:00:00'",
      "'1970-01-01 00:00:01'",
    ),
    column(
      `TIME(${digits})`,
      'text',
      "'-838:59:59'",
      "'12:34:56.789012'",
      "'-00:00:00.999999'",
      "'-12:00:00'",
      "'101:00:01.1'",
    ),
  ]),
  column('CHAR(20) CHARACTER SET utf8mb4', 'string', ...wide),
  column('CHAR(255) CHARACTER SET utf8mb4', 'string', ...wide, "REPEAT('é', 255)"),
  column('CHAR(20) CHARACTER SET latin1', 'string', ...texts, "x'80818d8f909dff'"),
  column('VARCHAR(60) CHARACTER SET utf8mb4', 'string', ...wide),
  column('VARCHAR(64) CHARACTER SET utf8mb4', 'string', ...wide),
  column('VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', 'string', ...wide),
  column('VARCHAR(40) CHARACTER SET utf8mb3', 'string', ...texts, "'中'"),
  column('VARCHAR(40) CHARACTER SET latin1', 'string', ...texts, "x'80818d8f909dff'"),
  column('VARCHAR(40) CHARACTER SET ascii', 'string', "'plain'", "'\\\\\"'"),
  column('TINYTEXT CHARACTER SET utf8mb4', 'string', ...wide),
  column('TEXT CHARACTER SET latin1', 'string', ...texts),
  column('MEDIUMTEXT CHARACTER SET utf8mb4', 'string', ...wide, "REPEAT('x\"', 40000)"),
  column('LONGTEXT CHARACTER SET utf8mb4', 'string', ...wide, "REPEAT('é\\n', 90000)"),
  column('BINARY(5)', 'binary', "''", "x'01'", "x'0100'", "'abcde'"),
  column('BINARY(255)', 'binary', ...blobs),
  column('VARBINARY(40)', 'binary', ...blobs),
  column('VARBINARY(400)', 'binary', ...blobs),
  column('TINYBLOB', 'binary', ...blobs),
  column('BLOB', 'binary', ...blobs),
  column('MEDIUMBLOB', 'binary', ...blobs, "REPEAT(x'00ff80', 30000)"),
  column('LONGBLOB', 'binary', ...blobs),
  column(`ENUM('a','b''c','é"') CHARACTER SET utf8mb4`, 'string', "'a'", "'b''c'", "'é\"'", "'not there'"),
  column("ENUM('x','é') CHARACTER SET latin1", 'string', "'é'"),
  column(`SET('p','q"','é') CHARACTER SET utf8mb4`, 'string', "''", "'p'", "'p,q\"'", "'p,q\",é'"),
  {
    ...column(
      'JSON',
      'string',
      `'{"a": 1, "bb": [1, 2.5, "x\\\\"y", null, true], "": {}}'`,
      `JSON_ARRAY(1.50, -0.001, 1e0, 1e20, 1.5e-17, 18446744073709551615, -9223372036854775808)`,
      `JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('2024-02-29 10:11:12.5' AS DATETIME(6)), CAST('-838:59:59' AS TIME))`,
      `JSON_OBJECT('long', REPEAT('é"', 40000), 'b', x'00ff', 'bit', b'101')`,
      `'"just text"'`,
      `'[]'`,
    ),
    only: 'mysql',
  },
  { ...column('JSON', 'string', `'{"a":1,  "b" : [ ]}'`, "'null'"), only: 'mariadb' },
];

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

/** The runs of what the server wrote between two positions of one file. */
async function runsBetween(
  server: Server,
  from: number,
  end: { file: string; position: number },
): Promise<RawRun[]> {
  const source = createMysqlSource({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    serverId: 4_100_000_001,
    tls: null,
  });
  const at = { file: end.file, position: from };
  await using connection = await source.open({ kind: 'start', at }, AbortSignal.timeout(60_000));
  const extractor = new ExtractDriver({
    subscribed: schema => schema === SCHEMA,
    subscribedSchema: schema => schema === SCHEMA,
  });
  extractor.open({ server: connection.server, from: connection.from });
  const newest = (): number => extractor.emitted.at(-1)?.run.next ?? 0;
  while (newest() < end.position) {
    const bytes = await connection.read();
    assert.ok(bytes !== null, 'the dump ended early');
    extractor.bytes(Buffer.from(bytes)).commit();
  }
  return extractor.runs;
}

for (const kind of serverKinds) {
  test(`every type of ${kind} comes out as SELECT gives it, in inserts, updates and deletes`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const wanted = columns.filter(({ only }) => only === undefined || only === server.flavor);
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    await server.query("SET SESSION sql_mode = ''");
    await server.query("SET SESSION time_zone = '+00:00'");
    await server.query('SET NAMES utf8mb4');
    const { position } = await binlogEnd(server);
    const definitions = wanted.map(({ sql }, i) => `c${i} ${sql}`);
    await server.query(
      `CREATE TABLE ${SCHEMA}.t (id INT PRIMARY KEY, ${definitions.join(', ')}) ROW_FORMAT = DYNAMIC`,
    );
    const rows = Math.max(...wanted.map(({ values }) => values.length)) + 1;
    for (let row = 0; row < rows; row++) {
      const values = wanted.map(({ values: each }) => each[row % (each.length + 1)] ?? 'NULL');
      await server.query(`INSERT INTO ${SCHEMA}.t VALUES (${row}, ${values.join(', ')})`);
    }
    const expected = wanted.map(({ kind: each }, i) => `${expectation(`c${i}`, each)} AS c${i}`);
    const answers = await server.query(`SELECT id, ${expected.join(', ')} FROM ${SCHEMA}.t ORDER BY id`);
    await server.query(`UPDATE ${SCHEMA}.t SET id = id + 1000`);
    await server.query(`DELETE FROM ${SCHEMA}.t`);
    const end = await binlogEnd(server);

    const appender = new AppendDriver();
    for (const run of await runsBetween(server, position, end)) appender.run(run);
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

test('types that are not decoded yet park their table by name, and old MariaDB times are read', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
  const { position } = await binlogEnd(server);
  await server.query(`CREATE TABLE ${SCHEMA}.places (id INT PRIMARY KEY, at POINT)`);
  await server.query(`INSERT INTO ${SCHEMA}.places VALUES (1, POINT(1, 2))`);
  await server.query(`CREATE TABLE ${SCHEMA}.packed (id INT PRIMARY KEY, c VARCHAR(100) COMPRESSED)`);
  await server.query(`INSERT INTO ${SCHEMA}.packed VALUES (1, 'x')`);
  await server.query(`CREATE TABLE ${SCHEMA}.hanzi (id INT PRIMARY KEY, c VARCHAR(100) CHARACTER SET gbk)`);
  await server.query(`INSERT INTO ${SCHEMA}.hanzi VALUES (1, 'x')`);
  await server.query("SET SESSION time_zone = '+00:00'");
  await server.query('SET GLOBAL mysql56_temporal_format = OFF');
  await server.query(`CREATE TABLE ${SCHEMA}.old (id INT PRIMARY KEY, d DATETIME, s TIMESTAMP NULL, t TIME)`);
  await server.query(
    `INSERT INTO ${SCHEMA}.old VALUES (1, '2024-02-29 12:34:56', '2024-02-29 12:34:56', '-101:02:03')`,
  );
  await server.query('SET GLOBAL mysql56_temporal_format = ON');
  const appender = new AppendDriver();
  for (const run of await runsBetween(server, position, await binlogEnd(server))) appender.run(run);
  assert.deepEqual(
    [...appender.states].map(([key, { parked }]) => [key, parked?.code ?? null]),
    [
      ['types.places', 'UMBUS_BINLOG_TYPE'],
      ['types.packed', 'UMBUS_BINLOG_TYPE'],
      ['types.hanzi', 'UMBUS_BINLOG_CHARSET'],
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
