import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMysqlBeats } from '../../src/adapters/mysql/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { createSignalTables, roundsOf, statsOf } from '../support/heartbeats.ts';
import { PROBE_SCHEMA, startLine } from '../support/running-line.ts';
import { startGaleraNode } from '../support/servers/galera.ts';
import { orSkip, requireServer, type Server, serverKinds } from '../support/servers.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const signal = new AbortController().signal;

function beatsAt(port: number, told: string[]) {
  const login = { host: '127.0.0.1', port, user: 'root', password: '', tls: null };
  return createMysqlBeats(login, {
    ds: 'web',
    schema: 'dbus',
    timeoutMs: 5_000,
    silentMs: 60_000,
    now: () => systemClock.now(),
    unlocked: ({ code, message }) => told.push(`${code} ${message}`),
  });
}

/** Asks for a function of another name, so that the server itself refuses it. */
async function refusing(server: Server): Promise<TcpProxy> {
  const proxy = await startTcpProxy(server.port);
  proxy.asked = bytes => {
    const at = bytes.indexOf('GET_LOCK(');
    if (at >= 0) bytes.write('GOT', at, 'latin1');
  };
  return proxy;
}

for (const kind of serverKinds) {
  test(`a session beats on ${kind} without a lock when GET_LOCK is refused, and says so`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await createSignalTables(sql => server.query(sql));
    await using proxy = await refusing(server);
    const told: string[] = [];
    await using first = await beatsAt(proxy.port, told).open(signal);
    await using second = await beatsAt(proxy.port, told).open(signal);
    await first.insert({
      beat: 1,
      roundMs: systemClock.now(),
      skewMicros: 0,
      targets: [{ schema: '*', table: '*' }],
    });
    assert.deepEqual([first.lastBeat, second.lastBeat, told.length], [0, 0, 2]);
    for (const text of told)
      assert.match(
        text,
        /^UMBUS_HEARTBEAT_UNLOCKED The source does not say who beats\. It refuses GET_LOCK: .*(GOT_LOCK|No database)/,
      );
    const locked: string[] = [];
    await using _ = await beatsAt(server.port, locked).open(signal);
    assert.deepEqual(locked, [], 'a server with locks is nothing to tell of');
  });
}

test('a line beats on a node of a Galera cluster, whose locks are its own, and says so once', async t => {
  await using server = await orSkip(t, 'Galera', startGaleraNode);
  if (server === null) return;
  await createSignalTables(sql => server.query(sql));
  await server.query(`CREATE DATABASE ${PROBE_SCHEMA}`);
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.orders (id INT PRIMARY KEY)');
  const heard: string[] = [];
  await using line = await startLine({
    server,
    schemas: ['shop'],
    heartbeat: {},
    heard: (_level, message, fields) => heard.push(`${message} ${String(fields?.['code'] ?? '')}`),
  });
  await until('rounds', async () => (await roundsOf(line)).length >= 3);
  // A session that is cut is followed by another, which finds the same.
  const sessions = await server.query(
    "SELECT IS_USED_LOCK('umbus.heartbeat.test') AS id FROM DUAL WHERE IS_USED_LOCK('umbus.heartbeat.test') IS NOT NULL",
  );
  await server.query(`KILL ${Number(sessions[0]?.['id'])}`);
  const before = (await roundsOf(line)).length;
  await until('rounds again', async () => (await roundsOf(line)).length >= before + 3);
  await server.query('INSERT INTO shop.orders VALUES (1)');
  await until('heartbeats read back', async () => (await statsOf(line.log, 'HEART_BEAT')).length > 3);
  assert.equal(heard[0], 'Only the lease says which process beats. UMBUS_HEARTBEAT_UNLOCKED');
  assert.equal(heard.filter(text => text.includes('Only the lease')).length, 1);
  await line.drained();
});
