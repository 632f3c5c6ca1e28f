import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf } from '../support/published.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { assertWhole } from '../support/whole-line.ts';

/** Runs statements in the schema `shop`, one after another. */
async function shop(server: Server, ...statements: readonly string[]): Promise<void> {
  for (const sql of ['CREATE DATABASE IF NOT EXISTS shop', 'USE shop', ...statements]) {
    await server.query(sql);
  }
}

for (const kind of serverKinds) {
  test(`on ${kind} columns that are added, changed, renamed and dropped keep every row before and after right`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: ['shop'] });
    await shop(
      server,
      'CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(10))',
      "INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two')",
      'ALTER TABLE t ADD COLUMN c DECIMAL(10, 2) NULL AFTER a',
      "INSERT INTO t VALUES (3, 30, 3.5, 'three')",
      'ALTER TABLE t MODIFY a BIGINT UNSIGNED',
      'INSERT INTO t (id, a) VALUES (4, 18446744073709551615)',
      'ALTER TABLE t MODIFY b VARCHAR(2000) CHARACTER SET latin1',
      "INSERT INTO t VALUES (5, 50, 5, 'Zürich')",
      'ALTER TABLE t CHANGE b name VARCHAR(2000) CHARACTER SET utf8mb4',
      "UPDATE t SET name = CONCAT(COALESCE(name, ''), ' Ω')",
      'ALTER TABLE t DROP COLUMN c, MODIFY name VARCHAR(2000) CHARACTER SET utf8mb4 FIRST',
      "INSERT INTO t VALUES ('six', 6, 60)",
      'CREATE INDEX by_a ON t (a)',
      'DELETE FROM t WHERE id = 2',
      'ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)',
      'UPDATE t SET a = 61 WHERE id = 6',
    );
    await assertWhole(line);
    assert.deepEqual(await changesOf(line.log, 'test.shop.result', 't', 'id', 'a'), [
      'i 1 10',
      'i 2 20',
      'end schema',
      'i 3 30',
      'end schema',
      'i 4 18446744073709551615',
      'i 5 50',
      'end schema',
      'u 1 10',
      'u 2 20',
      'u 3 30',
      'u 4 18446744073709551615',
      'u 5 50',
      'end schema',
      'i 6 60',
      'd 2 20',
      'b 6 60',
      'u 6 61',
    ]);
  });

  test(`on ${kind} tables that are emptied, dropped, made anew, swapped and renamed keep to their names`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: ['shop', 'gone'], partitions: 3 });
    await shop(
      server,
      'CREATE TABLE t (id INT PRIMARY KEY, v INT)',
      'INSERT INTO t VALUES (1, 1), (2, 2)',
      'TRUNCATE TABLE t',
      'INSERT INTO t VALUES (2, 3)',
      'DROP TABLE t',
      'CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, w DATE)',
      "INSERT INTO t VALUES ('a', '2024-02-29')",
      'CREATE TABLE `odd.name, "quoted"` (`a ``b` INT PRIMARY KEY, `ключ` INT)',
      'INSERT INTO `odd.name, "quoted"` VALUES (1, 2)',
      '/* from a migration */ TRUNCATE `shop` . `odd.name, "quoted"` -- all of it',
      'INSERT INTO `odd.name, "quoted"` VALUES (3, 4)',
      'CREATE DATABASE gone',
      'CREATE TABLE gone.g (id INT PRIMARY KEY)',
      'INSERT INTO gone.g VALUES (1), (2)',
      'DROP DATABASE gone',
    );
    // A change of shape by hand: the rows are copied to a shadow table, then the two change names.
    await shop(
      server,
      'CREATE TABLE live (id INT PRIMARY KEY, v INT)',
      'INSERT INTO live VALUES (1, 1), (2, 2)',
      'CREATE TABLE shadow (id INT PRIMARY KEY, v BIGINT, extra INT)',
      'INSERT INTO shadow (id, v) SELECT id, v FROM live',
      'RENAME TABLE live TO old, shadow TO live',
      'INSERT INTO live VALUES (3, 3, 3)',
      'UPDATE live SET v = 20 WHERE id = 2',
      'DROP TABLE old',
    );
    await line.drained();
    const changes = (table: string, ...columns: readonly string[]) =>
      changesOf(line.log, 'test.shop.result', table, ...columns);
    assert.deepEqual(await changes('t', 'id'), ['i 1', 'i 2', 'end truncate', 'i 2', 'end drop', 'i a']);
    assert.deepEqual(await changes('odd.name, "quoted"', 'a `b', 'ключ'), ['i 1 2', 'end truncate', 'i 3 4']);
    assert.deepEqual(await changesOf(line.log, 'test.gone.result', 'g', 'id'), ['i 1', 'i 2', 'end drop']);
    assert.deepEqual(await changes('live', 'id', 'v'), ['i 1 1', 'i 2 2', 'end rename', 'i 3 3', 'u 2 20']);
    assert.deepEqual(await changes('shadow', 'id', 'v'), ['i 1 1', 'i 2 2', 'end rename']);
    assert.deepEqual(await changes('old', 'id'), ['end drop']);
    await assertWhole(line);
  });
}
