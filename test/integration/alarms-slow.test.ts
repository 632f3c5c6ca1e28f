import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startAlarmReceiver } from '../support/alarm-receiver.ts';
import { watchLine } from '../support/alarm-watch.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { PROBE_SCHEMA } from '../support/running-line.ts';
import { requireServer } from '../support/servers.ts';
import { startSlowLine } from '../support/slow-line.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { assertWhole } from '../support/whole-line.ts';

const DEADLINE_MS = 90_000;
/** Less than a hop writes under the load, and enough that heartbeats still pass it now and then. */
const SLOW_BYTES_A_SECOND = 4_000;

describe('alarms of a line with a slow hop', () => {
  it('name the hop that is slow, once, and say when it has caught up, for each hop in turn', {
    timeout: 600_000,
  }, async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    await using receiver = await startAlarmReceiver();
    await createSignalTables(sql => server.query(sql));
    await server.query(`CREATE DATABASE ${PROBE_SCHEMA}`);
    await using load = await startSteadyLoad(server, 'load_1');
    const { line, way } = await startSlowLine({
      server,
      ds: 'slow',
      schemas: ['load_1'],
      heartbeat: {},
    });
    await using _line = line;
    await line.drained();
    await using _ = await watchLine(line, receiver);

    for (const hop of ['mysql-extractor', 'dispatcher', 'appender']) {
      const where = hop.replace('mysql-', '');
      way.slow(`umbus.slow.${hop}`, SLOW_BYTES_A_SECOND);
      await receiver.next(where, 'raised', DEADLINE_MS);
      way.slow(null);
      await receiver.next(where, 'recovered', DEADLINE_MS);
      assert.deepEqual(receiver.news(), [`${where} raised`, `${where} recovered`]);
      load.assertGoing();
    }
    await load.stop();
    await assertWhole(line);
    assert.deepEqual(receiver.news(), []);
  });
});
