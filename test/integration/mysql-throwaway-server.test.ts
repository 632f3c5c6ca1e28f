import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { alive, assertDiesWithOwner } from '../support/servers/left-behind.ts';
import { allServerKinds, requireServer } from '../support/servers.ts';

for (const kind of allServerKinds) {
  test(`${kind}: a throw-away server`, { timeout: 120_000 }, async t => {
    const server = await requireServer(t, kind);
    if (server === null) return;

    await t.test('keeps what was committed through a kill and through a stop', async () => {
      await server.query('CREATE DATABASE shop');
      await server.query('CREATE TABLE shop.item (id INT PRIMARY KEY)');
      const { port } = server;
      await server.query('INSERT INTO shop.item VALUES (1)');
      await server.kill9();
      assert.equal(server.pid, 0);
      await server.start();
      await server.query('INSERT INTO shop.item VALUES (2)');
      await server.stop();
      await server.start();
      assert.deepEqual(await server.query('SELECT id FROM shop.item'), [{ id: 1 }, { id: 2 }]);
      assert.equal(server.port, port);
    });

    await t.test('shares neither port, nor server id, nor data with another one', async () => {
      const other = await requireServer(t, kind);
      assert.ok(other !== null);
      await using second = other;
      assert.notEqual(second.port, server.port);
      assert.notEqual(second.serverId, server.serverId);
      assert.deepEqual(await second.query("SHOW DATABASES LIKE 'shop'"), []);
    });

    await t.test('leaves no process and no data when it is disposed', async () => {
      const { pid, dataDir } = server;
      await server[Symbol.asyncDispose]();
      assert.equal(alive(pid), false);
      assert.equal(existsSync(dataDir), false);
    });

    await t.test('leaves no process and no data when its owner is killed', async () => {
      await assertDiesWithOwner(kind);
    });
  });
}
