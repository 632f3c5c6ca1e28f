import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { seriesValue } from '../support/prometheus-text.ts';
import { checkMetrics, ensurePrometheus } from '../support/servers/prometheus.ts';
import { orSkip, requireServer } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-metrics-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const TOPOLOGIES = ['mysql-extractor', 'dispatcher', 'appender'];

interface Ready {
  readonly ok: boolean;
  readonly topologies: readonly { readonly topology: string; readonly source?: string }[];
}

async function readyAt(url: string): Promise<Ready> {
  const answer: unknown = await (await fetch(`${url}/readyz`)).json();
  // The shape that the page has; a wrong one fails the assertions.
  return answer as Ready;
}

describe('a line with metrics', () => {
  it('tells what it does, under load and while its source is away', { timeout: 120_000 }, async test => {
    const prometheus = await orSkip(test, 'Prometheus', ensurePrometheus);
    if (prometheus === null) return;
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    const file = join(dir, 'metered.yaml');
    writeFileSync(
      file,
      `ds: metered\nsource: { url: "mysql://root@127.0.0.1:${server.port}", start: earliest }\nschemas: { load_1: {} }\nmetrics: { every: 1s }\n`,
    );
    await using load = await startSteadyLoad(server, 'load_1');
    await using running = startUmbus(['run', '--line', file, '--metrics', '0']);
    const urlOf = () => /at=(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(running.err)?.[1];
    await until('metrics to be served', () => urlOf() !== undefined || running.process.exitCode !== null);
    const url = urlOf() ?? '';
    const scrape = async () => await (await fetch(`${url}/metrics`)).text();
    const rows = (text: string) => seriesValue(text, 'umbus_appender_rows_total', { op: 'insert' });

    await until('rows to be published', async () => (rows(await scrape()) ?? 0) > 20);
    await until('the source to be asked', async () => (await scrape()).includes('umbus_source_reachable'));
    const commits = (text: string) =>
      seriesValue(text, 'umbus_topology_commits_total', { topology: 'appender' }) ?? 0;
    await until('a commit', async () => commits(await scrape()) > 0);
    const busy = await scrape();
    assert.equal(await checkMetrics(prometheus, busy), '');
    for (const topology of TOPOLOGIES) {
      assert.equal(seriesValue(busy, 'umbus_topology_up', { topology, ds: 'metered' }), 1);
      assert.ok((seriesValue(busy, 'umbus_topology_commits_total', { topology }) ?? 0) > 0, topology);
      assert.ok((seriesValue(busy, 'umbus_topology_commit_duration_seconds_count', { topology }) ?? 0) > 0);
    }
    assert.equal(seriesValue(busy, 'umbus_source_reachable'), 1);
    assert.equal(seriesValue(busy, 'umbus_source_position_gone'), 0);
    assert.ok((seriesValue(busy, 'umbus_log_disk_free_bytes') ?? 0) > 0);
    const anonymous = seriesValue(busy, 'umbus_process_memory_bytes', { kind: 'anonymous' }) ?? 0;
    assert.ok(anonymous > 10e6 && anonymous < 400e6, String(anonymous));

    await load.stop();
    const [{ n: inserted } = { n: 0 }] = await server.query(
      `SELECT SUM(auto_increment - 1) AS n FROM information_schema.tables WHERE table_schema = 'load_1'`,
    );
    await until('all rows to be counted', async () => rows(await scrape()) === Number(inserted));
    const ready = await readyAt(url);
    assert.deepEqual([ready.ok, ready.topologies[0]?.source], [true, 'connected']);

    await server.stop();
    await until('the source to be missed', async () => {
      const { ok, topologies } = await readyAt(url);
      return ok && topologies[0]?.source === 'waiting';
    });
    await until('it to be told', async () => seriesValue(await scrape(), 'umbus_source_reachable') === 0);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    running.kill('SIGTERM');
    assert.equal((await running.ended).code, 0, running.err);
  });

  it('does not start where it cannot listen, and says so', async () => {
    const file = join(dir, 'deaf.yaml');
    writeFileSync(file, 'ds: deaf\nsource: { url: "mysql://root@127.0.0.1:1" }\nschemas: { shop: {} }\n');
    const bad = await umbus(['run', '--line', file, '--metrics', '192.0.2.1:9464']);
    assert.equal(bad.code, 1);
    assert.match(bad.err, /UMBUS_METRICS_LISTEN: Metrics cannot be served at 192\.0\.2\.1:9464/);
    const usage = await umbus(['run', '--line', file, '--metrics', 'everywhere']);
    assert.equal(usage.code, 2);
  });
});
