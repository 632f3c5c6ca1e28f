import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startAlarmReceiver } from '../support/alarm-receiver.ts';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-schema-'));
after(() => rmSync(dir, { recursive: true, force: true }));

describe('changes of tables on a running line', () => {
  it('are shown by umbus schema, and told once from the verdict on that people want', {
    timeout: 180_000,
  }, async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    await using receiver = await startAlarmReceiver();
    const file = join(dir, 'shop.yaml');
    writeFileSync(
      file,
      `ds: shop\nsource: { url: "mysql://root@127.0.0.1:${server.port}", start: earliest }\nschemas: { shop: {} }\nalarms: { webhooks: { hook: { url: "${receiver.url}" } }, every: 1s }\n`,
    );
    const shop = async (...statements: readonly string[]): Promise<void> => {
      for (const sql of ['USE shop', ...statements]) await server.query(sql);
    };
    await server.query('CREATE DATABASE shop');
    await using running = startUmbus(['run', '--line', file]);
    await until('the line to be watched', () => running.err.includes('Watches the line for alarms.'));
    await shop(
      'CREATE TABLE orders (id INT PRIMARY KEY, name VARCHAR(20))',
      "INSERT INTO orders VALUES (1, 'a')",
      'ALTER TABLE orders ADD total DECIMAL(10,2)',
      'INSERT INTO orders VALUES (2, NULL, 5)',
      'ALTER TABLE orders CHANGE name title VARCHAR(10)',
      "INSERT INTO orders VALUES (3, 'c', 6)",
      'CREATE TABLE bad (id INT PRIMARY KEY, ums_id_ INT)',
      'INSERT INTO bad VALUES (1, 1)',
    );
    const schema = (...args: readonly string[]) => umbus(['schema', '--line', file, ...args]);
    await until('the notices', async () => /orders +2 +2/.test((await schema()).out), 60_000);
    const tables = (await schema()).out;
    assert.match(tables, /^shop\.bad .*parked: UMBUS_/m);
    assert.match(tables, /^shop\.orders +2 +2 +\S+ \S+ +alter/m);
    const one = (await schema('show', 'shop.orders')).out;
    assert.match(one, /added total decimal\(10,2\) \(widening\)/);
    assert.match(one, /renamed name to title \(breaking\)/);
    assert.match(one, /narrowed title from varchar\(20\) to varchar\(10\) \(breaking\)/);
    assert.match(one, /ALTER TABLE orders CHANGE name title VARCHAR\(10\)/);
    assert.match(one, /\n {2}primary key \(id\)\n$/);
    const diff = (await schema('show', 'shop.orders', '--diff', '0', '1')).out;
    assert.equal(diff, 'widening\n  added total decimal(10,2) (widening)\n');
    const history = JSON.parse((await schema('--json', 'show', 'shop.orders')).out);
    const { file: binlog, position } = history.notices[2].from;
    assert.match(
      (await schema('show', 'shop.orders', '--at', `${binlog}:${position - 1}`)).out,
      / name varchar\(20\)/,
    );
    assert.match(
      (await schema('show', 'shop.orders', '--at', `${binlog}:${position}`)).out,
      / title varchar\(10\)/,
    );
    assert.equal((await schema('show', 'shop.nowhere')).code, 2);
    assert.equal((await schema('show', 'shop.orders', '--diff', '0', '9')).code, 2);
    assert.match((await schema('show', 'shop.bad')).out, /Parked since .*\nUMBUS_\w+: \S/);

    await until(
      'the alarm',
      () => receiver.alarms.some(({ title }) => title.includes('columns changed')),
      30_000,
    );
    const changed = receiver.alarms.filter(({ id }) => id.startsWith('schema:'));
    assert.deepEqual(
      changed.map(({ title, severity }) => [title, severity]),
      [['Table shop.orders: columns changed, breaking', 'warning']],
    );
  });
});
