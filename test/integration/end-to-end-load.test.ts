import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { createLoad, LOAD_SCHEMA, runLoad } from '../support/load.ts';
import { inspectRaw, inspectResult } from '../support/published.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { assertWhole } from '../support/whole-line.ts';

const BULK_ROWS = 30_000;
const OLTP_ROWS = 15_000;
const SINGLE_ROWS = 10_000;

for (const kind of serverKinds) {
  test(`on ${kind} the loads bulk, oltp and single come out row for row, in order and as valid UMS`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using session = await connectSql({ ...server, tls: null });
    const execute = (sql: string) => session.query(sql);
    await createLoad(execute);
    await using line = await startLine({ server, schemas: [LOAD_SCHEMA], partitions: 3 });
    // The line reads along with the first load, and reads the others as a backlog.
    await runLoad(execute, 'bulk', BULK_ROWS);
    await runLoad(execute, 'oltp', OLTP_ROWS);
    await runLoad(execute, 'single', SINGLE_ROWS);
    // The source rows of the load were written past the binlog.
    await execute(`SET SESSION sql_log_bin = 0; DROP TABLE ${LOAD_SCHEMA}.src`);

    await assertWhole(line);
    // The load updates and then deletes the rows of one range of ids, which has gaps.
    const deleted = BULK_ROWS + OLTP_ROWS + SINGLE_ROWS - (await line.compare()).rows;
    assert.ok(deleted > BULK_ROWS / 10, `${deleted} rows deleted`);

    const { counts } = await inspectResult(line.log, `${line.line.ds}.${LOAD_SCHEMA}.result`);
    assert.deepEqual(counts, {
      t1: { i: BULK_ROWS, u: deleted, d: deleted },
      t2: { i: SINGLE_ROWS },
      t3: { i: OLTP_ROWS },
    });
    const { runs } = await inspectRaw(line.log, line.line.ds);
    assert.ok(runs > 100, `${runs} runs`);
  });
}
