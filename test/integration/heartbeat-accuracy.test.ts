import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { createMysqlBeats } from '../../src/adapters/mysql/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { latencyMicros } from '../../src/change/stat-message.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { createSignalTables, quantile, statsOf } from '../support/heartbeats.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const BEATS = 200;
/** The median may be so far off; other work of the machine makes single ones worse. */
const WITHIN_MS = 2;
/** The clocks of the line are so late: as if the source's were so early. */
const LATE_MS = [0, 90_000];

/** By how much a clock is ahead of the machine's, in milliseconds: looked at when the latter has just gone on to its next millisecond. */
function aheadOfMachine(clock: Clock): number {
  const differences: number[] = [];
  for (let i = 0; i < 50; i++) {
    const before = Date.now();
    let now = before;
    while (now === before) now = Date.now();
    differences.push(clock.now() - now);
  }
  return Math.min(...differences);
}

for (const lateMs of LATE_MS) {
  test(`latencies are those of the machine's clock within two milliseconds, with clocks ${lateMs} ms apart`, async t => {
    await using server = await requireServer(t, 'mariadb');
    if (server === null) return;
    await using session = await connectSql({ ...server, tls: null });
    await createSignalTables(sql => session.query(sql));
    await session.query('CREATE DATABASE shop');
    await session.query('CREATE TABLE shop.quiet (id INT PRIMARY KEY)');
    const { host, port, user, password } = server;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() - lateMs };
    const beats = createMysqlBeats(
      { host, port, user, password, tls: null },
      { ds: 'test', schema: 'dbus', timeoutMs: 5_000, silentMs: 600_000, now: () => clock.now() },
    );
    await using line = await startLine({
      server,
      schemas: ['shop'],
      clock,
      heartbeat: { every: { kind: 'interval', ms: 25 }, ports: { beats, clock } },
    });
    const arrived = async () =>
      (await statsOf(line.log, 'HEART_BEAT')).filter(({ tableName }) => tableName === 'quiet');
    await until('heartbeats', async () => (await arrived()).length >= BEATS, 60_000);
    const ahead = aheadOfMachine(clock);
    const apart = (await arrived()).slice(BEATS / 4).map(({ payload }) => {
      const byMachine = (payload.read ?? 0) / 1000 - ahead - payload.us / 1000;
      return Math.abs(latencyMicros(payload, payload.read ?? 0) / 1000 - byMachine);
    });
    t.diagnostic(
      `median ${quantile(apart, 0.5).toFixed(3)} ms, p99 ${quantile(apart, 0.99).toFixed(3)} ms apart`,
    );
    assert.ok(quantile(apart, 0.5) <= WITHIN_MS, `${quantile(apart, 0.5)} ms apart`);
  });
}
