/** Tables of the most columns that a server takes: 4,096 on MySQL, and what MariaDB's files of definitions hold. MyISAM, since InnoDB takes 1,017. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTables } from '../../src/consumer/tables.ts';
import { binlogRuns } from '../support/binlog-runs.ts';
import { compareExactly } from '../support/differential/compare-exactly.ts';
import { binlogEnd } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';

const most = { mariadb: 3000, mysql: 4096 } as const;
const SCHEMA = 'wide';

for (const kind of serverKinds) {
  const columns = most[kind];
  test(`a table of ${columns} columns comes out of ${kind}`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    const { position } = await binlogEnd(server);
    const names = Array.from({ length: columns - 1 }, (_, i) => `c${i.toString(36)}`);
    const types = ['TINYINT', 'BIT(1)', 'YEAR', 'TINYINT UNSIGNED', 'CHAR(1) CHARACTER SET latin1'];
    const definitions = names.map((name, i) => `${name} ${types[i % types.length]}`);
    await server.query(
      `CREATE TABLE ${SCHEMA}.t (id INT PRIMARY KEY, ${definitions.join(', ')}) ENGINE = MyISAM`,
    );
    const values = names.map((_, i) =>
      i % 7 === 0 ? 'NULL' : ([String(i % 120), '1', '2026', '255', "'é'"][i % types.length] ?? ''),
    );
    await server.query(`INSERT INTO ${SCHEMA}.t VALUES (1, ${values.join(', ')}), (2, ${values.join(', ')})`);
    await server.query(`UPDATE ${SCHEMA}.t SET id = id + 10, ${names.at(-1)} = 'z', c0 = -1`);
    await server.query(`DELETE FROM ${SCHEMA}.t WHERE id = 12`);
    const end = await binlogEnd(server);
    const appender = new AppendDriver();
    for (const run of await binlogRuns(server, position, end, name => name === SCHEMA)) appender.run(run);
    assert.deepEqual(
      appender.parked.map(({ error }) => String(error)),
      [],
    );
    const tables = createTables();
    for (const { output } of appender.emitted) tables.apply(output.value);
    assert.equal(tables.get(`${SCHEMA}.t`)?.fields.length, columns);
    assert.equal(tables.get(`${SCHEMA}.t`)?.size, 1);
    assert.deepEqual(await compareExactly(server, SCHEMA, tables), []);
  });
}
