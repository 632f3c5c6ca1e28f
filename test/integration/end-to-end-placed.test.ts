import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultSettings } from '../../src/config/line.ts';
import { partitionOfKey } from '../../src/consumer/index.ts';
import { type PublishedMessage, publishedIn } from '../support/published.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { assertWhole } from '../support/whole-line.ts';

const PARTITIONS = 3;
const TOPIC = 'test.shop.result';

async function run(server: Server, ...statements: readonly string[]): Promise<void> {
  for (const sql of statements) await server.query(sql);
}

function rowsOf(messages: readonly PublishedMessage[], name: string) {
  return messages
    .filter(({ table }) => table === name)
    .flatMap(({ partition, rows }) => rows.map(row => ({ partition, ...row })));
}

for (const kind of serverKinds) {
  test(`on ${kind} rows are placed by key, and the partitions together are what the source has`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const result: ResultSettings = {
      partitions: PARTITIONS,
      placeBy: 'primary-key',
      placeColumns: { 'line*': ['customer'] },
      format: 'json',
    };
    await using line = await startLine({ server, schemas: ['shop'], partitions: 2, schema: { result } });
    const numbers = Array.from({ length: 60 }, (_, n) => n + 1);
    await run(
      server,
      'CREATE DATABASE shop',
      'CREATE TABLE shop.orders (region VARCHAR(9) CHARACTER SET latin1, n BIGINT, v INT, PRIMARY KEY (region, n))',
      'CREATE TABLE shop.lines_ (id INT PRIMARY KEY, customer INT, v INT)',
      'CREATE TABLE shop.keyless (a INT, b VARCHAR(9))',
      `INSERT INTO shop.orders VALUES ${numbers.map(n => `('gr\u00f6${n % 4}', ${n}, 0)`).join()}`,
      `INSERT INTO shop.lines_ VALUES ${numbers.map(n => `(${n}, ${n % 9 === 0 ? 'NULL' : n % 7}, 0)`).join()}`,
      `INSERT INTO shop.keyless VALUES ${numbers.map(n => `(${n % 5}, 'x')`).join()}`,
      'UPDATE shop.orders SET v = 1 WHERE n % 3 = 0',
      'UPDATE shop.orders SET n = n + 1000 WHERE n % 2 = 0 ORDER BY n DESC',
      'UPDATE shop.lines_ SET customer = customer + 1 WHERE id % 4 = 0',
      'UPDATE shop.lines_ SET id = id + 500 WHERE id % 5 = 0 ORDER BY id DESC',
      "UPDATE shop.keyless SET b = 'y' WHERE a = 2 LIMIT 3",
      'DELETE FROM shop.orders WHERE n % 7 = 0',
      'ALTER TABLE shop.orders ADD COLUMN extra INT, DROP COLUMN v',
      'UPDATE shop.orders SET extra = 5 WHERE n > 1030',
      'ALTER TABLE shop.lines_ DROP COLUMN customer',
      'UPDATE shop.lines_ SET v = 9 WHERE id % 2 = 0',
      'DELETE FROM shop.lines_ WHERE id % 3 = 0',
      'TRUNCATE TABLE shop.keyless',
      "INSERT INTO shop.keyless VALUES (1, 'z')",
    );
    await assertWhole(line);
    const messages = await publishedIn(line.log, TOPIC);
    for (const { partition, values } of rowsOf(messages, 'orders')) {
      assert.equal(partition, partitionOfKey([values['region'] ?? null, values['n'] ?? null], PARTITIONS));
    }
    for (const { partition, values } of rowsOf(messages, 'lines_')) {
      const key = 'customer' in values ? values['customer'] : values['id'];
      assert.equal(partition, partitionOfKey([key ?? null], PARTITIONS));
    }
    const home = partitionOfKey(['shop.keyless'], PARTITIONS);
    assert.ok(rowsOf(messages, 'keyless').every(({ partition }) => partition === home));
    const ends = messages
      .filter(({ message }) => message.protocol.type === 'data_increment_termination')
      .map(({ table, partition, message }) => `${table} ${message.schema.reason} ${partition}`);
    assert.deepEqual(
      ends.sort(),
      ['keyless truncate', 'lines_ schema', 'orders schema'].flatMap(end =>
        [0, 1, 2].map(each => `${end} ${each}`),
      ),
    );
  });
}
