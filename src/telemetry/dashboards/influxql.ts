import { LINE_LABEL } from '../metrics/catalogue.ts';
import { COUNT_FIELD, SUM_FIELD, VALUE_FIELD } from '../points/sample-points.ts';
import type { Dialect, Query } from './board.ts';

/** Queries in InfluxQL, for InfluxDB 1.x. */
export const influxdbDialect: Dialect = {
  type: 'influxdb',
  uid: 'umbus',
  targets: query => [
    {
      query: textOf(query),
      rawQuery: true,
      resultFormat: 'time_series',
      alias: query.legend.replaceAll(/\{(\w+)\}/g, '$$tag_$1'),
    },
  ],
  values: ({ metric, label, ofLine }) => {
    const line = ofLine ? ` WHERE "${LINE_LABEL}" =~ /^$ds$/` : '';
    const query = `SHOW TAG VALUES FROM "${metric.name}" WITH KEY = "${label}"${line}`;
    return { query, definition: query };
  },
};

/**
 * The series are taken apart first and put together after, since a counter of one process must not hide in that of another.
 */
function textOf(query: Query): string {
  const { by, show } = query;
  const outer = ['time($__interval)', ...by.map(label => `"${label}"`)].join(', ');
  const combine = show === 'rate' || show === 'sum' ? 'sum' : show === 'distribution' ? 'mean' : show;
  const inner = `SELECT ${innerOf(query)} AS "v" FROM "${query.metric.name}" WHERE ${conditionOf(query)} GROUP BY time($__interval), * fill(none)`;
  return `SELECT ${combine}("v") FROM (${inner}) WHERE $timeFilter GROUP BY ${outer} fill(none)`;
}

function innerOf({ show }: Query): string {
  switch (show) {
    case 'rate':
      return `non_negative_derivative(last("${VALUE_FIELD}"), 1s)`;
    case 'distribution':
      return `non_negative_difference(last("${SUM_FIELD}")) / non_negative_difference(last("${COUNT_FIELD}"))`;
    case 'sum':
    case 'max':
    case 'min':
      return `last("${VALUE_FIELD}")`;
  }
}

function conditionOf({ where = {} }: Query): string {
  const parts = Object.entries(where).map(([label, value]) => `"${label}" =~ /^${value}$/`);
  return [`"${LINE_LABEL}" =~ /^$ds$/`, ...parts, '$timeFilter'].join(' AND ');
}
