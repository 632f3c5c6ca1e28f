import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board, Dialect, Panel, Query } from '../../../src/telemetry/dashboards/board.ts';
import { influxdbDialect } from '../../../src/telemetry/dashboards/influxql.ts';
import { prometheusDialect } from '../../../src/telemetry/dashboards/promql.ts';
import type { InfluxdbServer } from '../servers/influxdb.ts';
import type { PrometheusServer } from '../servers/prometheus.ts';
import { boardSvg, type PlotSeries } from './board-svg.ts';

/** Databases that boards ask. */
export interface BoardSources {
  readonly influxdb: InfluxdbServer;
  readonly prometheus: PrometheusServer;
  /** How far back they ask. */
  readonly seconds: number;
}

/** What Grafana puts in place of its variables: all lines and tables, and steps that fit seconds. */
export function filled(text: unknown, seconds: number): string {
  return String(text)
    .replaceAll('$timeFilter', `time > now() - ${seconds}s`)
    .replaceAll('$__interval', '2s')
    .replaceAll('$__rate_interval', '5s')
    .replaceAll(/\$(ds|table)\b/g, '.*');
}

/** Draws boards with what their queries give now, as SVG in a directory: one file for each board and database. */
export async function drawBoards(
  boards: readonly Board[],
  sources: BoardSources,
  directory: string,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const dialect of [influxdbDialect, prometheusDialect]) {
    for (const board of boards) {
      const lines = new Map<Panel, readonly PlotSeries[]>();
      for (const panel of board.rows.flatMap(({ panels }) => panels))
        lines.set(panel, await linesOf(panel, dialect, sources));
      const svg = boardSvg(board, dialect.type, panel => lines.get(panel) ?? []);
      writeFileSync(join(directory, `${dialect.type}-${board.name}.svg`), svg);
    }
  }
}

async function linesOf(
  panel: Panel,
  dialect: Dialect,
  sources: BoardSources,
): Promise<readonly PlotSeries[]> {
  const lines: PlotSeries[] = [];
  for (const query of panel.queries) {
    for (const target of dialect.targets(query))
      lines.push(
        ...(dialect.type === 'influxdb'
          ? await influxLines(target, query, sources)
          : await promLines(target, sources)),
      );
  }
  return lines;
}

type Target = Readonly<Record<string, unknown>>;

async function influxLines(
  target: Target,
  { by }: Query,
  { influxdb, seconds }: BoardSources,
): Promise<readonly PlotSeries[]> {
  const rows = await influxdb.query('umbus', filled(target['query'], seconds));
  const series = new Map<string, [number, number][]>();
  for (const row of rows) {
    const name = String(target['alias']).replaceAll(/\$tag_(\w+)/g, (_, label: string) => String(row[label]));
    const value = Object.entries(row).find(([key]) => key !== 'time' && !by.includes(key))?.[1];
    const points = series.get(name) ?? [];
    points.push([Number(row['time']), Number(value)]);
    series.set(name, points);
  }
  return [...series].map(([name, points]) => ({ name, points }));
}

async function promLines(
  target: Target,
  { prometheus, seconds }: BoardSources,
): Promise<readonly PlotSeries[]> {
  const series = await prometheus.range(filled(target['expr'], seconds), seconds);
  return series.map(({ labels, points }) => ({
    name: String(target['legendFormat']).replaceAll(
      /\{\{(\w+)\}\}/g,
      (_, label: string) => labels[label] ?? '',
    ),
    points: points.filter(([, value]) => Number.isFinite(value)),
  }));
}
