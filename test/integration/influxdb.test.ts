import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createInfluxdb } from '../../src/adapters/telemetry/index.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { Point } from '../../src/ports/time-series.ts';
import { startUmbus } from '../support/cli/umbus.ts';
import { startInfluxdb } from '../support/servers/influxdb.ts';
import { orSkip, requireServer } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-influxdb-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function point(parts: Partial<Point>): Point {
  return {
    measurement: 'm',
    tags: { table: 'a b,c=d\\"' },
    fields: { value: 1.5 },
    atNanos: 1_700_000_000_123_456_789n,
    ...parts,
  };
}

function settings(url: string) {
  return { url, database: 'made', username: null, password: null };
}

describe('InfluxDB', () => {
  it('stores points, once however often they are written, and makes its database', async test => {
    await using server = await orSkip(test, 'InfluxDB', startInfluxdb);
    if (server === null) return;
    const series = createInfluxdb(settings(server.url));
    await series.write([]);
    const points = [point({}), point({ tags: { table: 'x', empty: '' } })];
    await series.write(points);
    await series.write(points);
    assert.deepEqual(await server.query('made', 'SELECT "table", value FROM m ORDER BY time'), [
      { time: 1_700_000_000_123, table: 'a b,c=d\\"', value: 1.5 },
      { time: 1_700_000_000_123, table: 'x', value: 1.5 },
    ]);
    const { length } = await server.query('made', 'SHOW TAG KEYS FROM m');
    assert.equal(length, 1);
  });

  it('tells what passes from what does not', async test => {
    await using server = await orSkip(test, 'InfluxDB', startInfluxdb);
    if (server === null) return;
    const series = createInfluxdb({ ...settings(server.url), timeoutMs: 500 });
    await series.write([point({})]);
    await server.query('made', 'SELECT * FROM m');
    await fetch(`${server.url}/write?db=made`, {
      method: 'POST',
      body: 'typed value="text" 1700000000000000000',
    });
    await assert.rejects(series.write([point({ measurement: 'typed' })]), error =>
      isUmbusError(error, 'UMBUS_INFLUXDB_REFUSED'),
    );
    server.pause();
    await assert.rejects(series.write([point({})]), error => {
      assert.ok(isUmbusError(error, 'UMBUS_INFLUXDB_UNREACHABLE'));
      return error.retryable;
    });
    server.resume();
    await server.stop();
    await assert.rejects(
      series.write([point({})]),
      error => isUmbusError(error, 'UMBUS_INFLUXDB_UNREACHABLE') && /ECONNREFUSED/.test(error.message),
    );
    await server.start();
    await series.write([point({})]);
  });

  it('holds what a line measures, also of the time when it was away', { timeout: 120_000 }, async test => {
    await using influxdb = await orSkip(test, 'InfluxDB', startInfluxdb);
    if (influxdb === null) return;
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    const file = join(dir, 'written.yaml');
    writeFileSync(
      file,
      `ds: written\nsource: { url: "mysql://root@127.0.0.1:${server.port}", start: earliest }\nschemas: { load_1: {} }\nmetrics: { every: 1s, influxdb: { url: "${influxdb.url}", every: 1s } }\n`,
    );
    await using load = await startSteadyLoad(server, 'load_1');
    await using running = startUmbus(['run', '--line', file]);
    const rowsOf = async () =>
      await influxdb.query(
        'umbus',
        `SELECT value FROM umbus_appender_rows_total WHERE op = 'insert' AND ds = 'written'`,
      );
    const counts = async () => {
      try {
        return (await rowsOf()).map(({ value }) => Number(value));
      } catch {
        // The database is made with the first write.
        return [];
      }
    };
    await until('rows to be measured', async () => (await counts()).some(count => count > 0));
    await influxdb.kill();
    await until('it to be missed', () => running.err.includes('Metrics wait for InfluxDB.'));
    const before = load.transactions;
    // They are 10 ms apart: rounds pass meanwhile.
    await until('the line to go on', () => load.transactions > before + 300);
    await influxdb.start();
    await until('it to be back', () => running.err.includes('InfluxDB takes metrics again.'));
    await load.stop();
    running.kill('SIGTERM');
    assert.equal((await running.ended).code, 0, running.err);
    const times = (await rowsOf()).map(({ time }) => Number(time));
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.ok(times.length >= 4, String(times.length));
    assert.ok(Math.max(...gaps) < 2_500, `no round is missing: ${gaps.join(' ')}`);
  });
});
