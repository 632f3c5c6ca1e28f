import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import { requireServer, serverKinds } from '../support/servers.ts';

const HEARTBEAT_MS = 200;

for (const kind of serverKinds) {
  test(`${kind}: a silent server`, { timeout: 120_000 }, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const source = createMysqlSource({
      host: server.host,
      port: server.port,
      user: 'root',
      password: '',
      serverId: 77,
      tls: null,
      heartbeatMs: HEARTBEAT_MS,
    });
    await using connection = await source.open({ kind: 'start', at: 'now' }, new AbortController().signal);

    await t.test('keeps an idle connection open by heartbeats', async () => {
      const opened = performance.now();
      while (performance.now() - opened < 6 * HEARTBEAT_MS) assert.notEqual(await connection.read(), null);
    });

    await t.test('is taken as dead when heartbeats stay away', async () => {
      process.kill(server.pid, 'SIGSTOP');
      const stopped = performance.now();
      while ((await connection.read()) !== null);
      const waited = performance.now() - stopped;
      process.kill(server.pid, 'SIGCONT');
      assert.ok(waited > HEARTBEAT_MS && waited < 20 * HEARTBEAT_MS, `ended after ${waited} ms`);
    });
  });
}
