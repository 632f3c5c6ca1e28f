import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startUmbus } from '../support/cli/umbus.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { seriesValue } from '../support/prometheus-text.ts';
import { startInfluxdb } from '../support/servers/influxdb.ts';
import { orSkip, requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-beats-'));
after(() => rmSync(dir, { recursive: true, force: true }));

interface TracedSpan {
  readonly traceId: string;
  readonly name: string;
}

describe('heartbeats of a line, where they are looked at', () => {
  it('are in InfluxDB as DBUS has them, none lost in an outage; in the metrics; and traced', {
    timeout: 180_000,
  }, async test => {
    await using influxdb = await orSkip(test, 'InfluxDB', startInfluxdb);
    if (influxdb === null) return;
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    await using collector = await startHttpReceiver(response => response.end('{}'));
    await createSignalTables(sql => server.query(sql));
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE TABLE shop.orders (id INT PRIMARY KEY)');
    const file = join(dir, 'beating.yaml');
    writeFileSync(
      file,
      [
        'ds: beating',
        `source: { url: "mysql://root@127.0.0.1:${server.port}", start: earliest }`,
        'schemas: { shop: {} }',
        'heartbeat: { every: 500ms }',
        'metrics:',
        '  every: 1s',
        `  influxdb: { url: "${influxdb.url}" }`,
        `  otlp: { url: "${collector.url}", sample: 2 }`,
      ].join('\n'),
    );
    await using running = startUmbus(['run', '--line', file, '--metrics', '0']);
    const count = async (): Promise<number> => {
      const text = `SELECT count(latency) AS n FROM dbus_statistic WHERE type = 'HEART_BEAT' AND "table" = 'beating.shop.orders'`;
      const rows = await influxdb.query('umbus', text).catch(() => []);
      return Number(rows[0]?.['n'] ?? 0);
    };
    await until('heartbeats in InfluxDB', async () => (await count()) >= 3, 60_000);
    await influxdb.kill();
    await until('the topology to begin again', () => running.err.includes('UMBUS_INFLUXDB_UNREACHABLE'));
    await influxdb.start();
    const before = await count();
    await until('more heartbeats', async () => (await count()) > before + 5, 60_000);

    const url = /at=(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(running.err)?.[1] ?? '';
    const scrape = async () => await (await fetch(`${url}/metrics`)).text();
    const latency = async (hop: string) =>
      seriesValue(await scrape(), 'umbus_heartbeat_last_latency_seconds', { table: 'shop.orders', hop });
    await until('the last latency', async () => (await latency('reader')) !== null);
    for (const hop of ['extractor', 'dispatcher', 'appender', 'reader'])
      assert.ok(((await latency(hop)) ?? 99) < 5, `${hop} ${await latency(hop)}`);
    const text = await scrape();
    assert.ok((seriesValue(text, 'umbus_heartbeat_latency_seconds_count', { hop: 'reader' }) ?? 0) > 3);
    assert.ok((seriesValue(text, 'umbus_heartbeat_round_age_seconds') ?? 99) < 5);
    running.kill('SIGTERM');
    assert.equal((await running.ended).code, 0, running.err);

    // A round of every half second: the times that are stored have no hole where the database was away.
    const rows = await influxdb.query(
      'umbus',
      `SELECT latency, count, errorCount, warningCount, "offset" FROM dbus_statistic WHERE type = 'HEART_BEAT' AND "table" = 'beating.shop.orders' AND ds = 'beating' AND schema = 'beating.shop'`,
    );
    const times = rows.map(({ time }) => Number(time));
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.ok(Math.max(...gaps) < 2_500, gaps.join(' '));
    assert.ok(rows.every(({ latency: seconds }) => Number(seconds) >= 0));

    const spans = collector.requests.flatMap(({ body }) =>
      JSON.parse(body).resourceSpans.flatMap((resource: { scopeSpans: { spans: TracedSpan[] }[] }) =>
        resource.scopeSpans.flatMap(scope => scope.spans),
      ),
    ) as TracedSpan[];
    const [root] = spans.filter(({ name }) => name === 'heartbeat shop.orders');
    assert.ok(root !== undefined);
    const names = spans.filter(({ traceId }) => traceId === root.traceId).map(({ name }) => name);
    assert.deepEqual(names, [
      'heartbeat shop.orders',
      'source to extractor',
      'extractor to dispatcher',
      'dispatcher to appender',
      'appender to reader',
    ]);
  });
});
