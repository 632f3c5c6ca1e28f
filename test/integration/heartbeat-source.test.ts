import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import {
  type BeatOptions,
  createMysqlBeats,
  examine,
  type MysqlLogin,
  setUpSignals,
  sourceClock,
} from '../../src/adapters/mysql/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { SkewFilter } from '../../src/change/clock-skew.ts';
import { parsePacket } from '../../src/change/heartbeat-packet.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import { createSignalTables, roundsOf } from '../support/heartbeats.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';

const signal = new AbortController().signal;
const ALL = [{ schema: '*', table: '*' }];

function beatsOf(server: Server, options: Partial<BeatOptions & MysqlLogin> = {}) {
  const { user = server.user, password = server.password, ...rest } = options;
  const login = { host: server.host, port: server.port, user, password, tls: null };
  const defaults = { ds: 'shop', schema: 'dbus', timeoutMs: 5_000, silentMs: 60_000 };
  return createMysqlBeats(login, { ...defaults, now: () => systemClock.now(), ...rest });
}

function round(beat: number) {
  return { beat, roundMs: systemClock.now(), skewMicros: -12, targets: ALL };
}

for (const kind of serverKinds) {
  test(`${kind} as a place to beat`, { timeout: 240_000 }, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using admin = await connectSql({ ...server, tls: null });
    const login = {
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      tls: null,
    };

    await t.test('lacks the table at first, which is told and can be made', async () => {
      await assert.rejects(beatsOf(server).open(signal), error =>
        isUmbusError(error, 'UMBUS_HEARTBEAT_TABLE'),
      );
      const setup = await setUpSignals(login, 'dbus');
      assert.deepEqual([setup.made, setup.statements.length], [true, 4]);
      // A second time changes nothing.
      assert.equal((await setUpSignals(login, 'dbus')).made, true);
    });

    await t.test('has rows with the packet of DBUS and the time in microseconds', async () => {
      await using session = await beatsOf(server).open(signal);
      assert.equal(session.lastBeat, 0);
      const before = systemClock.now() * 1000;
      const micros = await session.insert(round(1));
      const after = systemClock.now() * 1000;
      // The clocks are those of one machine, read by two processes.
      assert.ok(micros > before - 50_000 && micros < after + 50_000, `${micros} is not near ${before}`);
      const [row] = await admin.query('SELECT * FROM dbus.db_heartbeat_monitor');
      const packet = parsePacket(String(row?.['PACKET']));
      assert.deepEqual(
        [packet?.node, packet?.beat, packet?.micros, packet?.timeMs, packet?.skewMicros, packet?.type],
        ['/DBus/HeartBeat/Monitor/shop/*/*/0', 1, micros, Math.floor(micros / 1000), -12, 'checkpoint'],
      );
      assert.equal(row?.['SCHEMA_NAME'], '*');
    });

    await t.test('tells its clock, also one that is set wrongly for the session', async () => {
      await using session = await beatsOf(server).open(signal);
      const filter = new SkewFilter();
      for (let i = 0; i < 5; i++) filter.add(await session.sampleClock());
      const { skewMicros, errorMicros } = filter.best ?? assert.fail();
      assert.ok(Math.abs(skewMicros) < 20_000 + errorMicros, `${skewMicros} us apart`);
      const behind = beatsOf(server, { ds: 'late', now: () => systemClock.now() + 90_000 });
      await using late = await behind.open(signal);
      const other = new SkewFilter();
      for (let i = 0; i < 5; i++) other.add(await late.sampleClock());
      const apart = (other.best?.skewMicros ?? 0) + 90_000_000;
      assert.ok(Math.abs(apart) < 20_000 + (other.best?.errorMicros ?? 0), `${apart} us wrong`);
    });

    await t.test('tells its clock to who only asks for it', async () => {
      const ahead = await sourceClock(login, () => systemClock.now() + 90_000, signal);
      const apart = (ahead?.skewMicros ?? 0) + 90_000_000;
      assert.ok(Math.abs(apart) < 20_000 + (ahead?.errorMicros ?? 0), `${apart} us wrong`);
      await assert.rejects(
        sourceClock({ ...login, port: 1 }, () => systemClock.now(), signal),
        error => isUmbusError(error, 'UMBUS_SOURCE_UNREACHABLE'),
      );
    });

    await t.test('lets one session beat, and the next one go on where it ended', async () => {
      const first = await beatsOf(server).open(signal);
      await assert.rejects(beatsOf(server).open(signal), error =>
        isUmbusError(error, 'UMBUS_HEARTBEAT_HELD'),
      );
      await first.insert(round(first.lastBeat + 1));
      await first[Symbol.asyncDispose]();
      await until('the lock of a session that is cut', async () => {
        try {
          await using next = await beatsOf(server).open(signal);
          return next.lastBeat === first.lastBeat + 1;
        } catch {
          return false;
        }
      });
    });

    await t.test('cuts a holder that is silent, which cannot insert any more', async () => {
      const dead = await beatsOf(server).open(signal);
      await using next = await beatsOf(server, { silentMs: 0 }).open(signal);
      await assert.rejects(dead.insert(round(99)));
      await next.insert(round(next.lastBeat + 1));
      const [row] = await admin.query(
        'SELECT COUNT(*) AS n FROM dbus.db_heartbeat_monitor WHERE PACKET LIKE \'%"beat":99,%\'',
      );
      assert.equal(Number(row?.['n']), 0);
    });

    await t.test('gives up a statement that takes too long', async () => {
      await using session = await beatsOf(server, { timeoutMs: 400, ds: 'held-up' }).open(signal);
      await admin.query('LOCK TABLES dbus.db_heartbeat_monitor WRITE');
      try {
        await assert.rejects(session.insert(round(1)), error =>
          isUmbusError(error, 'UMBUS_HEARTBEAT_TIMEOUT'),
        );
      } finally {
        await admin.query('UNLOCK TABLES');
      }
    });

    await t.test('keeps the newest rows of the line, and all of others', async () => {
      await using session = await beatsOf(server, { ds: 'trimmed' }).open(signal);
      for (let beat = 1; beat <= 12; beat++) await session.insert(round(beat));
      assert.equal(await session.trim(5, 4), 4);
      assert.equal(await session.trim(5, 4), 3);
      assert.equal(await session.trim(5, 4), 0);
      const rows = await admin.query(
        'SELECT DS_NAME AS ds, COUNT(*) AS n FROM dbus.db_heartbeat_monitor GROUP BY DS_NAME ORDER BY 1',
      );
      assert.equal(Number(rows.find(row => row['ds'] === 'trimmed')?.['n']), 5);
      assert.ok(Number(rows.find(row => row['ds'] === 'shop')?.['n']) >= 3);
    });

    await t.test('tells its binlog files and how long it keeps them', async () => {
      await using session = await beatsOf(server, { ds: 'files' }).open(signal);
      const binlog = await session.binlog();
      assert.ok(binlog !== null && binlog.files.length > 0 && (binlog.files.at(-1)?.bytes ?? 0) > 4);
      assert.ok(Math.abs(binlog.atMs - Date.now()) < 60_000);
    });

    await t.test('is examined by a row that comes back', async () => {
      const checks = await examine(
        { ...login, serverId: 77 },
        { schemas: [], subscribed: () => true, now: () => Date.now(), signals: 'dbus' },
      );
      const found = checks
        .filter(({ item }) => /heartbeat|INSERT/.test(item))
        .map(({ item, ok }) => [item, ok]);
      assert.deepEqual(found, [
        ['heartbeat table', true],
        ['grant INSERT, DELETE', true],
        ['heartbeat in binlog', true],
      ]);
      const [row] = await admin.query(
        "SELECT COUNT(*) AS n FROM dbus.db_heartbeat_monitor WHERE DS_NAME = 'umbus check'",
      );
      assert.equal(Number(row?.['n']), 0);
    });

    await t.test('says which grant an account lacks', async () => {
      await admin.query("CREATE USER poor@'%' IDENTIFIED BY 'p0or'");
      await admin.query("GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO poor@'%'");
      const poor = { ...login, user: 'poor', password: 'p0or' };
      const session = await beatsOf(server, { user: 'poor', password: 'p0or', ds: 'poor' }).open(signal);
      await assert.rejects(session.insert(round(1)), error => isUmbusError(error, 'UMBUS_SOURCE_GRANT'));
      await session[Symbol.asyncDispose]();
      const setup = await setUpSignals(poor, 'other');
      assert.ok(!setup.made && setup.reason !== '');
      const checks = await examine(
        { ...poor, serverId: 78 },
        { schemas: [], subscribed: () => true, now: () => Date.now(), signals: 'dbus' },
      );
      const grant = checks.find(({ item }) => item === 'grant INSERT, DELETE');
      assert.equal(grant?.statement, "GRANT SELECT, INSERT, DELETE ON `dbus`.* TO 'poor'@'%'");
    });
  });

  test(`on ${kind} a line goes on beating when its source was read-only for a while, and says so once`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using admin = await connectSql({ ...server, tls: null });
    await createSignalTables(sql => admin.query(sql));
    await admin.query("CREATE USER beats@'%' IDENTIFIED BY 'b3ats'");
    await admin.query("GRANT SELECT, INSERT, DELETE ON dbus.* TO beats@'%'");
    const heard: string[] = [];
    const login = { host: server.host, port: server.port, user: 'beats', password: 'b3ats', tls: null };
    const beats = createMysqlBeats(login, {
      ds: 'test',
      schema: 'dbus',
      timeoutMs: 2_000,
      silentMs: 60_000,
      now: () => systemClock.now(),
    });
    await using line = await startLine({
      server,
      schemas: [],
      heartbeat: { every: { kind: 'interval', ms: 100 }, ports: { beats } },
      heard: (_level, message, fields) => heard.push(`${message} ${String(fields?.['code'] ?? '')}`),
    });
    const beaten = async (): Promise<number> =>
      (await roundsOf(line)).filter(({ kind: what }) => what === 'beat').length;
    await until('rounds', async () => (await beaten()) >= 5);
    await admin.query('SET GLOBAL read_only = 1');
    await until('the trouble', () => heard.length > 0);
    const before = await beaten();
    const troubles = async (): Promise<number> =>
      (await roundsOf(line)).filter(({ kind: what }) => what === 'trouble').length;
    await until('the trouble in the log', async () => (await troubles()) === 1);
    await admin.query('SET GLOBAL read_only = 0');
    await until('rounds again', async () => (await beaten()) >= before + 5);
    assert.equal(await troubles(), 1);
    assert.deepEqual(heard, [
      'The source takes no heartbeats; every round tries again. UMBUS_HEARTBEAT_READ_ONLY',
      'The source takes heartbeats again. ',
    ]);
    const numbers = (await roundsOf(line)).flatMap(each => (each.kind === 'beat' ? [each.beat] : []));
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
    );
  });
}
