import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { latencyMicros } from '../../src/change/stat-message.ts';
import { createSignalTables, quantile, roundsOf, statsOf } from '../support/heartbeats.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';

for (const kind of serverKinds) {
  test(`on ${kind} heartbeats come out for every table, changed or not, and each hop is timed`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using session = await connectSql({ ...server, tls: null });
    const execute = (sql: string) => session.query(sql);
    await createSignalTables(execute);
    await execute('CREATE DATABASE shop');
    await execute('CREATE TABLE shop.orders (id INT PRIMARY KEY)');
    await execute('CREATE TABLE shop.quiet (id INT PRIMARY KEY)');
    await using line = await startLine({
      server,
      schemas: ['shop'],
      heartbeat: {},
      heard: (_, message, fields) => t.diagnostic(`${message} ${JSON.stringify(fields)}`),
    });
    await until('heartbeats', async () => (await statsOf(line.log, 'HEART_BEAT')).length >= 40);
    await execute('INSERT INTO shop.orders VALUES (1), (2), (3)');
    const countOf = async (): Promise<number> =>
      (await statsOf(line.log, 'HEART_BEAT'))
        .filter(({ tableName }) => tableName === 'orders')
        .reduce((sum, { count }) => sum + count, 0);
    await until('three rows counted', async () => (await countOf()) === 3);

    const arrived = await statsOf(line.log, 'HEART_BEAT');
    const tables = new Set(arrived.map(({ schemaName, tableName }) => `${schemaName}.${tableName}`));
    assert.ok(tables.has('shop.orders') && tables.has('shop.quiet'), [...tables].join());
    for (const { payload } of arrived) {
      const { us, captured, dispatched, appended, read, skew } = payload;
      assert.ok(captured !== null && dispatched !== null && appended !== null && read !== null);
      assert.ok(skew !== null && Math.abs(skew) < 50_000, `The clocks of one machine differ by ${skew} us.`);
      const hops = [us - skew, captured, dispatched, appended, read];
      for (const [i, hop] of hops.slice(1).entries()) {
        assert.ok(hop >= (hops[i] ?? 0) - 2_000, `Hop ${i + 1} comes before hop ${i}: ${hops.join()}`);
      }
    }
    // Each table has each round once, in order.
    const rounds = arrived
      .filter(({ tableName }) => tableName === 'quiet')
      .map(({ payload }) => payload.beat);
    assert.deepEqual(
      rounds,
      rounds.map((_, i) => (rounds[0] ?? 0) + i).filter(beat => rounds.includes(beat)),
    );
    const latencies = arrived.map(({ payload }) => latencyMicros(payload, payload.read ?? 0) / 1000);
    t.diagnostic(`latency p50 ${quantile(latencies, 0.5)} ms, p99 ${quantile(latencies, 0.99)} ms`);
    const noted = await roundsOf(line);
    assert.ok(noted.every(({ kind: what }) => what === 'beat'));
  });
}
