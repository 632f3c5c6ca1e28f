import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { changesOf, inspectRaw, inspectResult, publishedIn } from '../support/published.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { assertWhole } from '../support/whole-line.ts';

async function run(server: Server, ...statements: readonly string[]): Promise<void> {
  for (const sql of statements) await server.query(sql);
}

for (const kind of serverKinds) {
  test(`on ${kind} changed keys, tables without one, and transactions over schemas come out as they were committed`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: ['one', 'two'], partitions: 3 });
    await run(
      server,
      'CREATE DATABASE one',
      'CREATE DATABASE two',
      'CREATE TABLE one.keyed (a INT, b VARCHAR(9), v INT, PRIMARY KEY (b, a))',
      'CREATE TABLE one.keyless (a INT, b VARCHAR(9))',
      'CREATE TABLE two.ledger (n INT PRIMARY KEY AUTO_INCREMENT, v INT UNIQUE)',
      "INSERT INTO one.keyed VALUES (1, 'x', 1), (2, 'x', 2), (3, 'y', 3)",
      'UPDATE one.keyed SET a = a + 100 ORDER BY a DESC',
      "UPDATE one.keyed SET v = 20 WHERE b = 'x'",
      "INSERT INTO one.keyless VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL)",
      "UPDATE one.keyless SET b = 'y' LIMIT 2",
      'DELETE FROM one.keyless LIMIT 1',
    );
    await run(
      server,
      'BEGIN',
      'INSERT INTO two.ledger (v) VALUES (1), (2)',
      "INSERT INTO one.keyed VALUES (9, 'z', 9)",
      'UPDATE two.ledger SET v = v + 10',
      'COMMIT',
      'BEGIN',
      'INSERT INTO two.ledger (v) VALUES (77)',
      "INSERT INTO one.keyed VALUES (77, 'never', 77)",
      'ROLLBACK',
      'BEGIN',
      'INSERT INTO two.ledger (v) VALUES (30)',
      'SAVEPOINT s',
      'INSERT INTO two.ledger (v) VALUES (78)',
      'ROLLBACK TO SAVEPOINT s',
      'INSERT INTO two.ledger (v) VALUES (40)',
      'COMMIT',
      'REPLACE INTO two.ledger (v) VALUES (30)',
      'INSERT INTO two.ledger (v) VALUES (40) ON DUPLICATE KEY UPDATE v = 41',
      'INSERT IGNORE INTO two.ledger (v) VALUES (41), (50)',
    );
    await run(
      server,
      "XA START 'x1'",
      'INSERT INTO two.ledger (v) VALUES (60)',
      "XA END 'x1'",
      "XA PREPARE 'x1'",
      "XA COMMIT 'x1'",
    );
    await assertWhole(line);
    assert.deepEqual((await changesOf(line.log, 'test.one.result', 'keyed', 'a', 'b', 'v')).slice(3), [
      'b 3 y 3',
      'u 103 y 3',
      'b 2 x 2',
      'u 102 x 2',
      'b 1 x 1',
      'u 101 x 1',
      'u 101 x 20',
      'u 102 x 20',
      'i 9 z 9',
    ]);
    const ledger = await changesOf(line.log, 'test.two.result', 'ledger', 'v');
    assert.deepEqual(ledger.slice(0, 6), ['i 1', 'i 2', 'u 11', 'u 12', 'i 30', 'i 40']);
    assert.ok(!ledger.some(change => /7[78]/.test(change)), 'what was rolled back is not there');
  });

  test(`on ${kind} rows that the server itself makes, by LOAD DATA, triggers and foreign keys, come out as its binlog has them`, async t => {
    await using server = await requireServer(t, kind, { args: ['--secure-file-priv='] });
    if (server === null) return;
    const dir = await mkdtemp(join(tmpdir(), 'umbus-load-data-'));
    try {
      await using line = await startLine({ server, schemas: ['shop'] });
      const file = join(dir, 'rows.csv');
      const lines = Array.from({ length: 5_000 }, (_, n) => `${n},name ${n} é 中\n`);
      await writeFile(file, lines.join(''), { mode: 0o644 });
      await run(
        server,
        'CREATE DATABASE shop',
        'USE shop',
        'CREATE TABLE loaded (id INT PRIMARY KEY, name VARCHAR(40)) CHARACTER SET utf8mb4',
        `LOAD DATA INFILE '${file}' INTO TABLE loaded CHARACTER SET utf8mb4 FIELDS TERMINATED BY ','`,
        'CREATE TABLE audit (n INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(40))',
        'CREATE TABLE parent (id INT PRIMARY KEY)',
        'CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)',
        "CREATE TRIGGER added AFTER INSERT ON parent FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('+', NEW.id))",
        'INSERT INTO parent VALUES (1), (2)',
        'INSERT INTO child VALUES (1, 1), (2, 2), (3, 2)',
        'CREATE TABLE copied AS SELECT * FROM parent',
        'CREATE TABLE computed (a INT PRIMARY KEY, twice INT AS (a * 2) STORED, thrice INT AS (a * 3) VIRTUAL)',
        'INSERT INTO computed (a) VALUES (1), (2)',
      );
      await assertWhole(line);
      assert.deepEqual(await changesOf(line.log, 'test.shop.result', 'audit', 'what'), ['i +1', 'i +2']);
      assert.deepEqual(await changesOf(line.log, 'test.shop.result', 'copied', 'id'), ['i 1', 'i 2']);

      await server.query('DELETE FROM parent WHERE id = 2');
      await line.drained();
      const removed = (await changesOf(line.log, 'test.shop.result', 'child', 'id')).slice(3);
      // MySQL 9.6 and later log what a cascade removes; MariaDB leaves it to the replica's own foreign keys.
      assert.deepEqual(removed, kind === 'mysql' ? ['d 2', 'd 3'] : []);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  test(`on ${kind} a row of 17 MB and a transaction of many runs come out whole`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: ['big'], runBytes: 32 * 1024 });
    // The longest packet has 2^24 - 1 bytes. An event that fills it is followed by an empty packet.
    const fullPacket = 0xffffff - (kind === 'mysql' ? 45 : 43);
    await run(
      server,
      'CREATE DATABASE big',
      'CREATE TABLE big.blobs (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET latin1)',
      "INSERT INTO big.blobs VALUES (1, 'small')",
      "INSERT INTO big.blobs SELECT 2, REPEAT('0123456789abcdef', 1100000)",
      ...[0, 1].map(more => `INSERT INTO big.blobs SELECT ${more + 3}, REPEAT('x', ${fullPacket + more})`),
      "UPDATE big.blobs SET v = 'short again' WHERE id = 2",
      'CREATE TABLE big.t (id INT PRIMARY KEY, v VARCHAR(200))',
      'BEGIN',
      `INSERT INTO big.t WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 999)
         SELECT n, REPEAT('v', 200) FROM r`,
      ...Array.from({ length: 30 }, (_, n) => `UPDATE big.t SET v = CONCAT('${n} ', REPEAT('w', 190))`),
      'DELETE FROM big.t WHERE id > 900',
      'COMMIT',
    );
    await assertWhole(line);
    const { counts } = await inspectResult(line.log, 'test.big.result');
    assert.deepEqual(counts, { blobs: { i: 4, u: 1 }, t: { i: 999, u: 30 * 999, d: 99 } });
    const { runs } = await inspectRaw(line.log, 'test');
    assert.ok(runs > 300, `${runs} runs`);
    // All rows of the transaction carry its commit time, whichever run they were in.
    const times = new Set(
      (await publishedIn(line.log, 'test.big.result'))
        .filter(({ table }) => table === 't')
        .flatMap(({ rows }) => rows.map(({ ts }) => ts)),
    );
    if (kind === 'mysql') assert.equal(times.size, 1, [...times].join(', '));
  });

  test(`on ${kind} subscription, before images and time zone are as the line says`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({
      server,
      schemas: ['shop'],
      schema: { tables: ['o*', 'p'], exclude: ['*_tmp'], beforeImage: ['p'] },
      timeZone: 'Asia/Shanghai',
    });
    await run(
      server,
      'CREATE DATABASE shop',
      'CREATE DATABASE other',
      ...['shop.orders', 'shop.o_tmp', 'shop.q', 'shop.p', 'other.orders'].map(
        name => `CREATE TABLE ${name} (id INT PRIMARY KEY, t TIMESTAMP NULL, d DATETIME)`,
      ),
      "SET time_zone = '+00:00'",
      ...['shop.orders', 'shop.o_tmp', 'shop.q', 'shop.p', 'other.orders'].map(
        name => `INSERT INTO ${name} VALUES (1, '2024-06-30 20:00:00', '2024-06-30 20:00:00')`,
      ),
      "UPDATE shop.orders SET d = '2020-01-01'",
      "UPDATE shop.p SET d = '2020-01-01'",
    );
    await line.drained();
    const { counts, violations } = await inspectResult(line.log, 'test.shop.result');
    assert.deepEqual(violations, []);
    assert.deepEqual(counts, { orders: { i: 1, u: 1 }, p: { i: 1, b: 1, u: 1 } });
    const changes = await changesOf(line.log, 'test.shop.result', 'p', 't', 'd');
    assert.deepEqual(changes, [
      'i 2024-07-01 04:00:00 2024-06-30 20:00:00',
      'b 2024-07-01 04:00:00 2024-06-30 20:00:00',
      'u 2024-07-01 04:00:00 2020-01-01 00:00:00',
    ]);
    const [first] = (await publishedIn(line.log, 'test.shop.result')).flatMap(({ rows }) => rows);
    const agoMs = Date.now() - Date.parse(`${first?.ts.replace(' ', 'T')}+08:00`);
    assert.ok(agoMs > -2_000 && agoMs < 60_000, `ums_ts_ ${first?.ts} is the commit time in Shanghai`);
    assert.ok(!(await line.log.topics()).some(({ name }) => name.includes('other')));
    assert.equal((await inspectRaw(line.log, 'test')).filtered, 3);
  });
}
