/** What may be asked of a full pull beside the table: some columns only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { publishedIn } from '../support/published.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer } from '../support/servers.ts';

const SCHEMA = 'shop';

test('some columns are pulled, with those of the key, and what readers have of the others stays', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query(`CREATE DATABASE ${SCHEMA}`);
  await server.query(
    `CREATE TABLE ${SCHEMA}.wide (a INT, k VARCHAR(9), Note TEXT NULL, b INT, c DECIMAL(9,2), d DATE, e INT, f INT, g INT, PRIMARY KEY (k, b))`,
  );
  await server.query(
    `INSERT INTO ${SCHEMA}.wide SELECT seq, CONCAT('k', seq % 7), IF(seq % 3, 'x', NULL), seq, seq / 7, '2026-01-01', 1, 2, seq FROM ${SCHEMA}.seq_1_to_2000`,
  );
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({ server, schemas: [SCHEMA], start: 'now', coordination });
  const ask = async (pull: string, columns: readonly string[]) => {
    const cells = await askPull(coordination, line.line.ds, { pull, schema: SCHEMA, table: 'wide', columns });
    return await pullOver(cells, pull);
  };
  const unknown = await ask('unknown', ['note', 'nothing']);
  assert.deepEqual(unknown.failure, {
    code: 'UMBUS_PULL_COLUMN',
    message: 'The table shop.wide has no column nothing to pull.',
  });
  const some = await ask('some', ['note', 'g']);
  assert.deepEqual([some.status, some.rows, some.failure], ['ending', 2000, null]);
  const topic = `${line.line.ds}.${SCHEMA}.result`;
  const rows = (await publishedIn(line.log, topic)).flatMap(each => each.rows);
  assert.equal(rows.length, 2000);
  for (const { values } of rows) {
    const { a, k, Note, b, c, d, e, f, g } = values;
    assert.deepEqual([a, c, d, e, f], [{}, {}, {}, {}, {}]);
    assert.deepEqual([k, g, Note], [`k${Number(b) % 7}`, b, Number(b) % 3 === 0 ? null : 'x']);
  }
  assert.equal((await ask('whole', [])).status, 'ending');
  await server.query(`UPDATE ${SCHEMA}.wide SET a = -a, c = NULL WHERE b % 10 = 0`);
  await server.query(`DELETE FROM ${SCHEMA}.wide WHERE b % 10 = 1`);
  const over = await ask('over', ['g']);
  assert.deepEqual([over.status, over.rows, over.batchId], ['ending', 1800, 3]);
  await line.drained();
  const { differences, examples } = await line.compare();
  assert.deepEqual([differences, examples], [0, []]);
});
