import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { umbus } from '../support/cli/umbus.ts';
import { startLine } from '../support/running-line.ts';
import { type AnyServerKind, requireServer } from '../support/servers.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-resolve-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** Servers whose binlog does not name columns, and how a session says that its text is to be read otherwise. */
const sources: readonly { readonly kind: AnyServerKind; readonly args: readonly string[] }[] = [
  { kind: 'mariadb', args: ['--binlog-row-metadata=NO_LOG'] },
  { kind: 'mysql56', args: [] },
];

for (const { kind, args } of sources) {
  test(`${kind}: a table that is parked for its columns is resolved, change by change, and goes on`, async t => {
    await using server = await requireServer(t, kind, { args });
    if (server === null) return;
    const shop = async (...statements: readonly string[]): Promise<void> => {
      for (const sql of ['USE shop', ...statements]) await server.query(sql);
    };
    const log = join(dir, kind);
    const start = () => startLine({ server, schemas: ['shop'], partitions: 1, dir: log });
    const file = join(dir, `${kind}.yaml`);
    writeFileSync(
      file,
      `ds: test\nsource: { url: "mysql://${server.user}@127.0.0.1:${server.port}" }\nschemas: { shop: {} }\nlog: { embedded: { dir: "${join(log, 'log')}" } }\ntopics: { partitions: 1 }\n`,
    );
    const then = join(dir, `${kind}.sql`);
    writeFileSync(
      then,
      'CREATE TABLE a (id INT PRIMARY KEY, y INT, x INT, s VARCHAR(20)) DEFAULT CHARSET = utf8mb4;\n',
    );
    const resolve = (...more: readonly string[]) =>
      umbus(['schema', '--line', file, 'resolve', 'shop.a', ...more]);

    await server.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
    await shop(
      'CREATE TABLE a (id INT PRIMARY KEY, x INT, y INT, s VARCHAR(20))',
      "INSERT INTO a VALUES (1, 10, 11, 'é')",
    );
    {
      await using line = await start();
      await line.drained();
    }
    // In this mode quotes mean something else, so these two are not understood. The last statement keeps the server from being asked.
    await shop(
      "SET sql_mode = 'ANSI_QUOTES'",
      'ALTER TABLE a CHANGE x y INT, CHANGE y x INT',
      "INSERT INTO a VALUES (2, 20, 21, 'größe')",
      'UPDATE a SET y = y + 1',
      'ALTER TABLE a ADD z INT, DROP s',
      'INSERT INTO a VALUES (3, 30, 31, 32)',
      'UPDATE a SET x = x + 100 WHERE id = 2',
      "SET sql_mode = ''",
      "ALTER TABLE a COMMENT 'seen'",
      'INSERT INTO a VALUES (4, 40, 41, 42)',
    );
    {
      await using line = await start();
      await line.drained();
      const missing = await resolve('--columns', join(dir, 'none.sql'));
      assert.equal(missing.code, 2, missing.err);
      const running = await resolve('--columns', then, '--yes');
      assert.deepEqual([running.code, /UMBUS_LOG_LOCKED/.test(running.err)], [5, true], running.err);
    }

    assert.match((await umbus(['schema', '--line', file, 'show', 'shop.a'])).out, /umbus schema resolve/);
    const wrong = await resolve('--yes');
    assert.equal(wrong.code, 1, wrong.out);
    assert.match(wrong.err, /UMBUS_COLUMNS_REFUSED.*column 4, z, is int\S*, and the binlog has type code 15/);
    const unasked = await resolve('--columns', then);
    assert.equal(unasked.code, 2, unasked.err);
    assert.match(unasked.out, /^2 +y +int +LONG$/m);
    const kept = await resolve('--columns', then, '--yes');
    assert.equal(kept.code, 1, kept.err);
    assert.match(kept.out, /are kept\. It stays parked until/);
    const done = await resolve('--yes');
    assert.equal(done.code, 0, done.err + done.out);
    assert.match(done.out, /shop\.a: replayed \d+ dead letters/);

    await using line = await start();
    await shop(
      'INSERT INTO a VALUES (5, 50, 51, 52)',
      'ALTER TABLE a ADD w INT',
      'INSERT INTO a VALUES (6, 1, 2, 3, 4)',
    );
    await line.drained();
    const { rows, differences, examples } = await line.compare();
    assert.deepEqual({ rows, differences, examples }, { rows: 6, differences: 0, examples: [] });
  });
}
