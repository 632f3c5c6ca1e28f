import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import type { Guarantee } from '../../src/config/line.ts';
import { independentRows } from '../support/independent-reader.ts';
import { createLoad, LOAD_SCHEMA, runLoad } from '../support/load.ts';
import { changesOf, inspectRaw, inspectResult } from '../support/published.ts';
import { countRows } from '../support/row-count.ts';
import { startLine } from '../support/running-line.ts';
import { requireKafka, requireServer, type Server } from '../support/servers.ts';
import { assertWhole, assertWholeOnKafka } from '../support/whole-line.ts';

const guarantees: readonly Guarantee[] = ['at-least-once', 'exactly-once'];
const BULK_ROWS = 10_000;
const OLTP_ROWS = 5_000;
const SINGLE_ROWS = 3_000;

async function run(server: Server, ...statements: readonly string[]): Promise<void> {
  for (const sql of statements) await server.query(sql);
}

test('on Kafka a line publishes what its source commits', async t => {
  await using kafka = await requireKafka(t);
  if (kafka === null) return;
  const brokers = kafka.bootstrap;

  for (const guarantee of guarantees) {
    await t.test(
      `${guarantee}: the loads bulk, oltp and single come out row for row, once and in order`,
      async t => {
        await using server = await requireServer(t, 'mysql');
        if (server === null) return;
        await using session = await connectSql({ ...server, tls: null });
        const execute = (sql: string) => session.query(sql);
        await createLoad(execute);
        const ds = `load-${guarantee}`;
        await using line = await startLine({
          server,
          ds,
          kafka: { brokers, guarantee },
          schemas: [LOAD_SCHEMA],
          partitions: 3,
        });
        await runLoad(execute, 'bulk', BULK_ROWS);
        await execute(`ALTER TABLE t1 ADD COLUMN later INT NULL, MODIFY k BIGINT NOT NULL DEFAULT 0`);
        await execute(`UPDATE t1 SET later = id LIMIT 100`);
        await runLoad(execute, 'oltp', OLTP_ROWS);
        await runLoad(execute, 'single', SINGLE_ROWS);
        await execute(`SET SESSION sql_log_bin = 0; DROP TABLE ${LOAD_SCHEMA}.src`);

        await assertWhole(line);
        const deleted = BULK_ROWS + OLTP_ROWS + SINGLE_ROWS - (await line.compare()).rows;
        assert.ok(deleted > BULK_ROWS / 10, `${deleted} rows deleted`);
        const expected = {
          t1: { i: BULK_ROWS, u: deleted + 100, d: deleted },
          t2: { i: SINGLE_ROWS },
          t3: { i: OLTP_ROWS },
        };
        const { counts } = await inspectResult(line.log, `${ds}.${LOAD_SCHEMA}.result`);
        assert.deepEqual(counts, expected);
        const independent = await countRows(brokers, `${ds}.${LOAD_SCHEMA}.result`);
        assert.deepEqual(independent.counts, expected);
        assert.deepEqual(independent.repeated, []);
        assert.deepEqual(independent.disorder, []);
        assert.ok((await inspectRaw(line.log, ds)).runs > 10);
      },
    );

    await t.test(
      `${guarantee}: changed keys, tables without one, DDL and transactions over schemas`,
      async t => {
        await using server = await requireServer(t, 'mariadb');
        if (server === null) return;
        const ds = `shapes-${guarantee}`;
        await using line = await startLine({
          server,
          ds,
          kafka: { brokers, guarantee },
          schemas: ['one', 'two'],
          partitions: 3,
        });
        await run(
          server,
          'CREATE DATABASE one',
          'CREATE DATABASE two',
          'CREATE TABLE one.keyed (a INT, b VARCHAR(9), v INT, PRIMARY KEY (b, a))',
          'CREATE TABLE one.keyless (a INT, b VARCHAR(9))',
          'CREATE TABLE two.ledger (n INT PRIMARY KEY AUTO_INCREMENT, v INT UNIQUE)',
          "INSERT INTO one.keyed VALUES (1, 'x', 1), (2, 'x', 2), (3, 'y', 3)",
          'UPDATE one.keyed SET a = a + 100 ORDER BY a DESC',
          "INSERT INTO one.keyless VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL)",
          "UPDATE one.keyless SET b = 'y' LIMIT 2",
          'DELETE FROM one.keyless LIMIT 1',
          'BEGIN',
          'INSERT INTO two.ledger (v) VALUES (1), (2)',
          "INSERT INTO one.keyed VALUES (9, 'z', 9)",
          'UPDATE two.ledger SET v = v + 10',
          'COMMIT',
          'BEGIN',
          'INSERT INTO two.ledger (v) VALUES (77)',
          'ROLLBACK',
          'ALTER TABLE one.keyed ADD COLUMN w DECIMAL(10, 3) NULL AFTER a',
          'UPDATE one.keyed SET w = a / 8',
          "INSERT INTO one.keyless VALUES (5, 'é中')",
        );
        await assertWhole(line);
        assert.deepEqual(
          (await changesOf(line.log, `${ds}.one.result`, 'keyed', 'a', 'b', 'v')).slice(3, 10),
          ['b 3 y 3', 'u 103 y 3', 'b 2 x 2', 'u 102 x 2', 'b 1 x 1', 'u 101 x 1', 'i 9 z 9'],
        );
        const ledger = await changesOf(line.log, `${ds}.two.result`, 'ledger', 'v');
        assert.deepEqual(ledger, ['i 1', 'i 2', 'u 11', 'u 12']);
        await assertWholeOnKafka(line);
      },
    );
  }

  await t.test(
    'rows placed by key on more partitions come out in order for each key, changed keys too',
    async t => {
      await using server = await requireServer(t, 'mariadb');
      if (server === null) return;
      const ds = 'placed';
      await using line = await startLine({
        server,
        ds,
        kafka: { brokers, guarantee: 'exactly-once' },
        schemas: ['shop'],
        schema: { result: { partitions: 5, placeBy: 'primary-key', placeColumns: {}, format: 'json' } },
        partitions: 2,
      });
      await run(
        server,
        'CREATE DATABASE shop',
        'CREATE TABLE shop.t (a INT, b VARCHAR(20), v INT, PRIMARY KEY (a, b))',
        "INSERT INTO shop.t WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 900) SELECT n, CONCAT('key ', n), 0 FROM r",
        'UPDATE shop.t SET v = v + 1',
        'UPDATE shop.t SET a = a + 1000 WHERE a % 3 = 0',
        'UPDATE shop.t SET v = v + 1 WHERE a > 1000',
        'DELETE FROM shop.t WHERE a % 5 = 0',
        'ALTER TABLE shop.t ADD COLUMN w INT NULL',
        'UPDATE shop.t SET w = a',
      );
      await assertWhole(line);
      await assertWholeOnKafka(line);
      const places = new Map<string, Set<number>>();
      const lastOfKey = new Map<string, bigint>();
      for await (const { partition, uid, values } of independentRows(brokers, `${ds}.shop.result`)) {
        const key = `${String(values['a'])} ${String(values['b'])}`;
        places.set(key, (places.get(key) ?? new Set()).add(partition));
        assert.ok(uid > (lastOfKey.get(key) ?? -1n), `the rows of ${key} are in order`);
        lastOfKey.set(key, uid);
      }
      assert.ok([...places.values()].every(partitions => partitions.size === 1));
      assert.equal(new Set([...places.values()].flatMap(partitions => [...partitions])).size, 5);
    },
  );
});
