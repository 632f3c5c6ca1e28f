import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { boards } from '../../src/telemetry/dashboards/boards.ts';
import { influxdbDialect } from '../../src/telemetry/dashboards/influxql.ts';
import { prometheusDialect } from '../../src/telemetry/dashboards/promql.ts';
import { drawBoards, filled } from '../support/boards/query-boards.ts';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { startInfluxdb } from '../support/servers/influxdb.ts';
import { startPrometheus } from '../support/servers/prometheus.ts';
import { orSkip, requireServer } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-dashboards-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const SECONDS = 60;
const queries = boards.flatMap(({ name, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries: asked }) =>
      asked.map(query => ({ place: `${name}, ${title}`, query })),
    ),
  ),
);

describe('the dashboards of a line under load', () => {
  it('have something to show in every panel', { timeout: 180_000 }, async test => {
    await using influxdb = await orSkip(test, 'InfluxDB', startInfluxdb);
    if (influxdb === null) return;
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    const file = join(dir, 'shown.yaml');
    writeFileSync(
      file,
      `ds: shown\nsource: { url: "mysql://root@127.0.0.1:${server.port}", start: earliest }\nschemas: { load_1: {} }\nheartbeat: { every: 500ms }\nmetrics: { every: 1s, influxdb: { url: "${influxdb.url}", every: 1s } }\n`,
    );
    await server.query('SET GLOBAL binlog_expire_logs_seconds = 259200');
    await createSignalTables(sql => server.query(sql));
    await using load = await startSteadyLoad(server, 'load_1');
    await server.query('CREATE TABLE load_1.large (id INT PRIMARY KEY)');
    await server.query('INSERT INTO load_1.large SELECT seq FROM load_1.seq_1_to_50000');
    await using running = startUmbus(['run', '--line', file, '--metrics', '0']);
    const addressOf = () => /at=http:\/\/(127\.0\.0\.1:\d+)\/metrics/.exec(running.err)?.[1];
    await until('metrics to be served', () => addressOf() !== undefined || running.process.exitCode !== null);
    // Slow enough to be under way until the end.
    await until('the source to be connected', () => running.err.includes('Source is connected.'));
    const pull = (await umbus(['pull', '--line', file, 'load_1.large', '--shard-rows', '50', '--no-wait']))
      .out;
    const throttle = ['--throttle', pull.split(' ')[0] ?? '', '--rows', '100'];
    assert.equal((await umbus(['pulls', '--line', file, ...throttle])).code, 0, pull);
    await using prometheus = await startPrometheus([addressOf() ?? '']);

    for (const { place, query } of queries) {
      for (const target of influxdbDialect.targets(query)) {
        const text = filled(target['query'], SECONDS);
        const shows = async () => (await influxdb.query('umbus', text).catch(unlessUnmade)).length > 0;
        await until(`${place} in InfluxDB: ${text}`, shows);
      }
      for (const target of prometheusDialect.targets(query)) {
        const text = filled(target['expr'], SECONDS);
        const shows = async () => (await prometheus.range(text, SECONDS)).length > 0;
        await until(`${place} in Prometheus: ${text}`, shows);
      }
    }
    for (const variable of boards.flatMap(({ variables }) => variables)) {
      const text = filled(influxdbDialect.values(variable)['query'], SECONDS);
      assert.ok((await influxdb.query('umbus', text)).length > 0, text);
    }
    const { UMBUS_BOARDS: directory = '' } = process.env;
    if (directory !== '') {
      const begun = Date.now();
      await until('a minute to draw', () => Date.now() - begun > SECONDS * 1000, 2 * SECONDS * 1000);
      await drawBoards(boards, { influxdb, prometheus, seconds: SECONDS }, directory);
    }
    await load.stop();
    running.kill('SIGTERM');
    assert.equal((await running.ended).code, 0, running.err);
  });
});

/** The database is made with the first write. */
function unlessUnmade(error: Error): readonly never[] {
  if (/database not found/.test(error.message)) return [];
  throw error;
}
