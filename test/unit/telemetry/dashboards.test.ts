import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dashboardFiles } from '../../../src/cli/commands/dashboards.ts';
import { boards } from '../../../src/telemetry/dashboards/boards.ts';
import { influxdbDialect } from '../../../src/telemetry/dashboards/influxql.ts';
import { prometheusDialect } from '../../../src/telemetry/dashboards/promql.ts';
import { allMetrics, LINE_LABEL } from '../../../src/telemetry/metrics/catalogue.ts';
import { HOST_TAG } from '../../../src/telemetry/points/sample-points.ts';

const SHIPPED = join(import.meta.dirname, '../../../topologies/dashboards');
const names = new Set(allMetrics.map(({ name }) => name));
const queries = boards.flatMap(board =>
  board.rows.flatMap(row =>
    row.panels.flatMap(panel => panel.queries.map(query => ({ board, panel, query }))),
  ),
);

describe('the dashboards', () => {
  it('are shipped as the command writes them; `umbus dashboards topologies/dashboards` writes them anew', async () => {
    const files = await dashboardFiles('influxdb');
    assert.deepEqual(readdirSync(SHIPPED).sort(), files.map(({ name }) => name).sort());
    for (const { name, text } of files) assert.equal(readFileSync(join(SHIPPED, name), 'utf8'), text, name);
  });

  it('ask for metrics that exist, by labels that these have', () => {
    assert.ok(queries.length > 30);
    for (const { board, panel, query } of queries) {
      const place = `${board.name}, ${panel.title}`;
      const { metric, by, where = {}, legend } = query;
      assert.ok(allMetrics.includes(metric as (typeof allMetrics)[number]), place);
      const labels: readonly string[] = [...metric.labels, LINE_LABEL, HOST_TAG];
      for (const label of [...by, ...Object.keys(where)])
        assert.ok(labels.includes(label), `${place}: ${label}`);
      for (const [, label = ''] of legend.matchAll(/\{(\w+)\}/g))
        assert.ok(by.includes(label), `${place}: ${label}`);
      if (query.show === 'rate') assert.equal(metric.kind, 'counter', place);
      if (query.show === 'distribution') assert.equal(metric.kind, 'histogram', place);
    }
  });

  it('use the variables that they have', () => {
    for (const { board, panel, query } of queries) {
      const known = board.variables.map(({ name }) => name);
      assert.ok(known.includes('ds'));
      for (const value of Object.values(query.where ?? {}))
        for (const [, name = ''] of value.matchAll(/\$(\w+)/g)) assert.ok(known.includes(name), panel.title);
    }
  });

  it('name in their texts no metric that does not exist, in either language', async () => {
    for (const kind of ['influxdb', 'prometheus'] as const) {
      for (const { name, text } of await dashboardFiles(kind)) {
        const found = [...text.matchAll(/\bumbus_[a-z_]+/g)].map(([metric]) =>
          metric.replace(/_bucket$/, ''),
        );
        assert.ok(found.length > 5, name);
        for (const metric of found) assert.ok(names.has(metric), `${name}: ${metric}`);
      }
    }
  });

  it('have a uid and a place for every panel of their own', async () => {
    for (const { name, text } of await dashboardFiles('prometheus')) {
      const board = JSON.parse(text);
      assert.equal(board.uid, `umbus-prometheus-${name.replace(/^umbus-|\.json$/g, '')}`);
      const cells = new Set<string>();
      for (const { gridPos, id } of board.panels) {
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            assert.ok(x < 24 && !cells.has(`${x} ${y}`), `${name}: panel ${id} lies on another`);
            cells.add(`${x} ${y}`);
          }
      }
    }
  });

  it('show every metric of the catalogue that changes, or it has a reason to be left out', () => {
    const shown = new Set(queries.map(({ query }) => query.metric.name));
    const leftOut = new Set([
      'umbus_extractor_epoch_number',
      'umbus_extractor_file_number',
      'umbus_extractor_standby',
      'umbus_influxdb_dropped_points_total',
      'umbus_influxdb_refused_points_total',
      'umbus_influxdb_waiting_points',
      'umbus_influxdb_written_points_total',
      'umbus_process_gc_runs_total',
      'umbus_process_info',
      'umbus_process_start_time_seconds',
      'umbus_source_file_number',
      'umbus_topology_output_records_total',
      'umbus_topology_rebalances_total',
      'umbus_topology_tasks',
    ]);
    assert.deepEqual(
      [...names].filter(name => !shown.has(name) && !leftOut.has(name)),
      [],
    );
  });

  it('put a counter of several processes together after its rates are taken', () => {
    const query = queries.find(({ query: { show } }) => show === 'rate')?.query;
    assert.ok(query !== undefined);
    const [influxql] = influxdbDialect.targets(query);
    assert.match(String(influxql?.['query']), /^SELECT sum\("v"\) FROM \(SELECT non_negative_derivative\(/);
    const [promql] = prometheusDialect.targets(query);
    assert.match(
      String(promql?.['expr']),
      /^sum by \(ds, op\) \(rate\(umbus_appender_rows_total\{ds=~"\$ds"\}/,
    );
  });
});
