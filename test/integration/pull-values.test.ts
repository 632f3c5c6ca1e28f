/** A value that a full pull reads is byte for byte the one that the stream publishes, for every column type on real servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResultReader } from '../../src/adapters/mysql/result-reader.ts';
import type { TableDefinition } from '../../src/adapters/mysql/table-definition.ts';
import { resultColumn } from '../../src/binlog/result/result-column.ts';
import { pageTable } from '../../src/change/pull-page.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import { DecoderCache } from '../../src/stages/append-decoders.ts';
import { UTC } from '../../src/ums/zone.ts';
import { binlogRuns } from '../support/binlog-runs.ts';
import { definitionOf, loginOf, messageColumns, pulledTuples } from '../support/pulled-rows.ts';
import { binlogEnd } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { makeTypeTable } from '../support/type-columns.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';

const SCHEMA = 'types';

/** Fails at the first row that differs, with the column. */
async function assertSame(server: Server, table: string, position: number, rows: number): Promise<void> {
  const appender = new AppendDriver({ maxRows: 1 });
  const runs = await binlogRuns(server, position, await binlogEnd(server), schema => schema === SCHEMA);
  for (const run of runs) appender.run(run);
  assert.deepEqual(
    appender.parked.map(({ error }) => String(error)),
    [],
  );
  const streamed = appender.emitted.map(({ output }) => messageColumns(output.value)).sort();
  await using reader = await ResultReader.open(loginOf(server));
  const definition = await definitionOf(server, SCHEMA, table);
  assertSameColumns(runs, definition);
  const pulled = (await pulledTuples(reader, definition)).sort();
  assert.equal(pulled.length, rows);
  for (const [i, row] of streamed.entries()) {
    if (row === pulled[i]) continue;
    const [mine, other] = [row, pulled[i] ?? ''].map(
      text => JSON.parse(`[${text.slice(0, -1)}`) as unknown[],
    );
    for (const [k, { name, columnType }] of definition.definitions.entries()) {
      assert.deepEqual(other?.[k], mine?.[k], `row ${i}, ${name} ${columnType}`);
    }
    assert.equal(pulled[i], row);
  }
  assert.equal(streamed.length, rows);
}

/** Fails where the schema that a page tells differs from that of the stream: readers would be told of a change of the columns. */
function assertSameColumns(runs: readonly RawRun[], { schema, table, ...definition }: TableDefinition): void {
  const raw = runs.flatMap(({ tables }) => tables).find(each => each.table === table) ?? assert.fail(table);
  const decoders = new DecoderCache('web', UTC);
  const columns = definition.definitions.map(column => resultColumn(column).map);
  const primaryKey = definition.primaryKey.map(name => columns.findIndex(column => column.name === name));
  const page = decoders.ofPage(pageTable(schema, table, { columns, primaryKey }));
  assert.deepEqual(page.schema, decoders.of(raw).schema);
}

for (const kind of serverKinds) {
  test(`every type of ${kind} is pulled byte for byte as it is streamed`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    await server.query("SET SESSION sql_mode = '', SESSION time_zone = '+00:00', NAMES utf8mb4");
    const { position } = await binlogEnd(server);
    const { rows } = await makeTypeTable(server, SCHEMA);
    await assertSame(server, 't', position, rows);
  });

  test(`generated and invisible columns, zero-filled numbers, odd labels and bytes that are no text of ${kind} are pulled as streamed`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    await server.query("SET SESSION sql_mode = '', SESSION time_zone = '+00:00', NAMES utf8mb4");
    const { position } = await binlogEnd(server);
    const addresses = kind === 'mariadb' ? ', u UUID, i4 INET4, i6 INET6' : '';
    await server.query(
      `CREATE TABLE ${SCHEMA}.odd (a INT, b CHAR(3) CHARACTER SET ucs2, z DECIMAL(8,3) ZEROFILL, y INT(9) UNSIGNED ZEROFILL,
         g INT AS (a + 1) STORED, v INT AS (a * 2) VIRTUAL, h VARCHAR(9) INVISIBLE DEFAULT 'hid',
         e ENUM('it''s','back\\\\slash','ta\\tb',',') CHARACTER SET latin1, s SET('a','b c','é') CHARACTER SET koi8r,
         f FLOAT(9,3), d DOUBLE(12,4), t TEXT CHARACTER SET gbk, m4 DECIMAL(30,30), big SET(${Array.from({ length: 60 }, (_, i) => `'l${i}'`).join()}),
         PRIMARY KEY (b, a)${addresses})`,
    );
    const more = kind === 'mariadb' ? ", '12345678-1234-5678-9abc-def012345678', '1.2.3.4', '::ffff:1'" : '';
    const names = kind === 'mariadb' ? ', u, i4, i6' : '';
    await server.query(
      `INSERT INTO ${SCHEMA}.odd (a, b, z, y, e, s, f, d, t, m4, big${names}) VALUES
         (1, 'ä', 7.5, 42, 'it''s', 'a,b c', 1.23456, 99.99999, 'x', 0.000000000000000000000000000001, 'l0,l59'${more}),
         (2, '', 12345.678, 0, 'back\\\\slash', '', 0, -1, NULL, 0.9, 'l1'${more}),
         (3, 'z', 0, 1, ',', 'b c', 16777216.5, 1e7, '中', NULL, NULL${more})`,
    );
    await assertSame(server, 'odd', position, 3);
  });

  test(`a row of ${kind} that is larger than a packet is read whole`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    await server.query('SET GLOBAL max_allowed_packet = 134217728');
    await server.query(`CREATE TABLE ${SCHEMA}.big (id INT PRIMARY KEY, c LONGTEXT, d LONGBLOB)`);
    await using reader = await ResultReader.open(loginOf(server));
    // The session of the test was opened before the limit was raised, so the value grows on the server.
    await server.query(
      `INSERT INTO ${SCHEMA}.big VALUES (1, REPEAT('x', 9000000), NULL), (2, NULL, x'00ff')`,
    );
    await server.query(`UPDATE ${SCHEMA}.big SET d = c WHERE id = 1`);
    const [first, second] = await pulledTuples(reader, await definitionOf(server, SCHEMA, 'big'));
    assert.equal(first?.length, 1 + 1 + 9_000_002 + 1 + 12_000_002 + 2);
    assert.equal(second, '2,null,"AP8="]}');
  });
}
