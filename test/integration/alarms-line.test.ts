import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startAlarmReceiver } from '../support/alarm-receiver.ts';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { requireServer } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-alarms-'));
after(() => rmSync(dir, { recursive: true, force: true }));

describe('alarms of a line in one process', () => {
  it('tell the source and a parked table, once each, and when it is over; and can be silenced', {
    timeout: 300_000,
  }, async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    await using receiver = await startAlarmReceiver();
    const file = join(dir, 'watched.yaml');
    // Late is more than what the extractor waits at the most before it tries a source again.
    writeFileSync(
      file,
      `ds: watched\nsource: { url: "mysql://root@127.0.0.1:${server.port}", start: earliest }\nschemas: { load_1: {} }\nheartbeat: { every: 500ms }\nalarms: { webhooks: { hook: { url: "${receiver.url}" } }, every: 1s, late: 12s, clear: 2s }\n`,
    );
    await createSignalTables(sql => server.query(sql));
    await using load = await startSteadyLoad(server, 'load_1');
    await using running = startUmbus(['run', '--line', file]);
    await until('the line to be watched', () => running.err.includes('Watches the line for alarms.'));
    await until('the source to be connected', () => running.err.includes('Source is connected.'));
    const alarms = async (...args: readonly string[]) => await umbus(['alarms', '--line', file, ...args]);

    await load.stop();
    await server.stop();
    const raised = await receiver.next('source', 'raised', 60_000);
    assert.deepEqual([raised.line, raised.severity], ['watched', 'critical']);
    const listed = await alarms('list');
    assert.equal(listed.code, 1);
    assert.match(listed.out, /^Watched by /);
    assert.match(listed.out, /\nsource +\d+(s|m\S*) +\d{4}-\S+Z +The source cannot be reached\n/);
    await server.start();
    const over = await receiver.next('source', 'recovered', 60_000);
    assert.equal(over.id, raised.id);
    assert.deepEqual(receiver.news(), ['source raised', 'source recovered']);

    assert.equal((await alarms('silence', 'load_1.hidden', '--for', '1h', '--reason', 'Known.')).code, 0);
    await server.query('CREATE TABLE load_1.hidden (id INT PRIMARY KEY, ums_id_ INT)');
    await server.query('CREATE TABLE load_1.seen (id INT PRIMARY KEY, ums_id_ INT)');
    await server.query('INSERT INTO load_1.hidden VALUES (1, 1)');
    await server.query('INSERT INTO load_1.seen VALUES (1, 1)');
    const parked = await receiver.next('table', 'raised', 40_000);
    assert.equal(parked.title, 'Table load_1.seen is parked');
    const faults = JSON.parse((await alarms('--json')).out);
    assert.deepEqual(
      faults.faults.map(({ id, told }: { id: string; told: string | null }) => [id, told !== null]),
      [
        ['parked:load_1.hidden', false],
        ['parked:load_1.seen', true],
      ],
    );
    assert.deepEqual(
      faults.silences.map(({ pattern, reason }: { pattern: string; reason: string }) => [pattern, reason]),
      [['load_1.hidden', 'Known.']],
    );
    assert.deepEqual(receiver.news(), ['table raised']);
    assert.equal((await alarms('unsilence', 'load_1.hidden')).code, 0);
    const hidden = await receiver.next('table', 'raised', 20_000);
    assert.equal(hidden.title, 'Table load_1.hidden is parked');
    assert.equal((await alarms('unsilence', 'load_1.hidden')).code, 2);
    assert.deepEqual(receiver.news(), ['table raised']);
    const history = JSON.parse((await alarms('--json', 'history')).out);
    assert.deepEqual(
      history.map(({ state, id }: { state: string; id: string }) => `${state} ${id}`),
      [
        'raised watched:source',
        'recovered watched:source',
        'raised watched:parked:load_1.seen',
        'raised watched:parked:load_1.hidden',
      ],
    );
    await server.query('RENAME TABLE dbus.db_heartbeat_monitor TO dbus.away');
    const beats = await receiver.next('heartbeat', 'raised', 60_000);
    assert.match(beats.text, /db_heartbeat_monitor/);
    await server.query('RENAME TABLE dbus.away TO dbus.db_heartbeat_monitor');
    await receiver.next('heartbeat', 'recovered', 40_000);
    assert.deepEqual(receiver.news(), ['heartbeat raised', 'heartbeat recovered']);
    running.kill('SIGTERM');
    assert.equal((await running.ended).code, 0, running.err);
  });
});
