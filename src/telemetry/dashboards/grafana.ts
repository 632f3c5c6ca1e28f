import type { Board, Dialect, Panel, Variable } from './board.ts';

const ROW_HEIGHT = 1;
const heights = { timeseries: 8, stat: 4 } as const;
const COLUMNS = 24;

type Json = Readonly<Record<string, unknown>>;

/** A dashboard in the JSON of Grafana (schema version 39, read by Grafana 10 and later), as text with a line end. Equal boards give equal text. */
export function grafanaText(board: Board, dialect: Dialect): string {
  return `${JSON.stringify(grafanaJson(board, dialect), null, 2)}\n`;
}

function grafanaJson({ name, title, variables, rows }: Board, dialect: Dialect): Json {
  const panels: Json[] = [];
  let y = 0;
  let id = 1;
  for (const row of rows) {
    panels.push({
      id: id++,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: ROW_HEIGHT },
      panels: [],
    });
    y += ROW_HEIGHT;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      const h = heights[panel.kind];
      panels.push(panelJson(panel, id++, { x, y, w: panel.width, h }, dialect));
      x += panel.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return {
    uid: `umbus-${dialect.type}-${name}`,
    title: `umbus: ${title}`,
    tags: ['umbus', dialect.type],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables.map(variable => variableJson(variable, dialect)) },
    links: [
      {
        type: 'dashboards',
        title: 'umbus',
        tags: ['umbus', dialect.type],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    annotations: { list: [] },
    panels,
  };
}

function sourceOf({ type, uid }: Dialect): Json {
  return { type, uid };
}

function panelJson(panel: Panel, id: number, gridPos: Json, dialect: Dialect): Json {
  const { title, kind, unit, queries, alert } = panel;
  const targets = queries.flatMap(query => dialect.targets(query));
  const helps = new Set(queries.map(({ metric }) => metric.help));
  return {
    id,
    type: kind,
    title,
    description: [...helps].join(' '),
    datasource: sourceOf(dialect),
    gridPos,
    targets: targets.map((target, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: sourceOf(dialect),
      ...target,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: alert === undefined ? 'palette-classic' : 'thresholds' },
        thresholds: stepsOf(alert),
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? {
            reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
            colorMode: 'value',
            graphMode: 'area',
            textMode: 'auto',
          }
        : {
            legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
            tooltip: { mode: 'multi', sort: 'desc' },
          },
  };
}

function stepsOf(alert: Panel['alert']): Json {
  const steps =
    alert === undefined
      ? [{ color: 'green', value: null }]
      : 'from' in alert
        ? [
            { color: 'green', value: null },
            { color: 'red', value: alert.from },
          ]
        : [
            { color: 'red', value: null },
            { color: 'green', value: alert.below },
          ];
  return { mode: 'absolute', steps };
}

function variableJson(variable: Variable, dialect: Dialect): Json {
  return {
    name: variable.name,
    label: variable.label,
    type: 'query',
    datasource: sourceOf(dialect),
    ...dialect.values(variable),
    refresh: 2,
    sort: 1,
    multi: false,
    includeAll: true,
    // Regular expressions in both query languages.
    allValue: '.*',
    current: {},
    options: [],
  };
}
