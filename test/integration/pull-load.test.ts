/** Full pulls beside others who need the source: they wait while it is too busy, say so, and go on by themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { openSourceLoad } from '../../src/adapters/mysql/source-load.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { loginOf } from '../support/pulled-rows.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';

const BUSY = 12;

for (const kind of serverKinds) {
  test(`a pull waits while more threads run in ${kind} than may, and goes on when they have ended`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query('CREATE DATABASE busy');
    await server.query('CREATE TABLE busy.t (n INT PRIMARY KEY, v INT)');
    await server.query(`INSERT INTO busy.t VALUES ${Array.from({ length: 3000 }, (_, n) => `(${n}, 0)`)}`);
    await using load = openSourceLoad(loginOf(server));
    const { threadsRunning, replicationLagMs } = await load.read();
    assert.ok(threadsRunning !== null && threadsRunning >= 1 && threadsRunning < BUSY, `${threadsRunning}`);
    assert.equal(replicationLagMs, null, 'it copies no other');
    await using coordination = createMemoryCoordination({ clock: systemClock }).open();
    await using line = await startLine({
      server,
      schemas: ['busy'],
      start: 'now',
      coordination,
      backOff: { threadsRunning: BUSY },
    });
    const others = await Promise.all(Array.from({ length: BUSY + 1 }, () => connectSql(loginOf(server))));
    try {
      const sleeping = others.map(session => session.query('SELECT SLEEP(600)').catch(() => {}));
      await until('the source to be busy', async () => ((await load.read()).threadsRunning ?? 0) > BUSY);
      const cells = await askPull(coordination, line.line.ds, { pull: 'p', schema: 'busy', table: 't' });
      await until('the pull to say why it waits', async () =>
        /threads run in the source, and at most 12 may/.test((await cells.burden('p'))?.waits ?? ''),
      );
      assert.equal((await cells.counts('p'))?.rows ?? 0, 0);
      for (const session of others) session.destroy();
      await Promise.all(sleeping);
      for (const { ID } of await server.query(
        "SELECT id AS ID FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(600)%'",
      )) {
        await server.query(`KILL ${Number(ID)}`);
      }
      assert.equal((await pullOver(cells, 'p')).rows, 3000);
      assert.equal((await cells.burden('p'))?.waits, null);
    } finally {
      for (const session of others) session.destroy();
    }
  });
}
