import { LINE_LABEL } from '../metrics/catalogue.ts';
import { HOST_TAG } from '../points/sample-points.ts';
import type { Dialect, Query } from './board.ts';

/** Prometheus itself says which process it asked. */
const named = (label: string): string => (label === HOST_TAG ? 'instance' : label);

const RANGE = '[$__rate_interval]';

/** Queries for Prometheus. */
export const prometheusDialect: Dialect = {
  type: 'prometheus',
  uid: 'umbus-prometheus',
  targets: query =>
    expressionsOf(query).map(({ expression, suffix }) => ({
      expr: expression,
      legendFormat: `${legendOf(query)}${suffix}`,
      editorMode: 'code',
      range: true,
    })),
  values: ({ metric, label, ofLine }) => {
    const query = `label_values(${metric.name}${ofLine ? `{${LINE_LABEL}=~"$ds"}` : ''}, ${label})`;
    return { query: { query, refId: 'values' }, definition: query };
  },
};

function expressionsOf(query: Query): readonly { readonly expression: string; readonly suffix: string }[] {
  const { metric, by, show } = query;
  const labels = selectorOf(query);
  const grouped = (labelNames: readonly string[]): string =>
    labelNames.length === 0 ? '' : ` by (${labelNames.map(named).join(', ')}) `;
  if (show === 'distribution') {
    const rates = `sum${grouped([...by, 'le'])}(rate(${metric.name}_bucket${labels}${RANGE}))`;
    return [0.5, 0.99].map(quantile => ({
      expression: `histogram_quantile(${quantile}, ${rates})`,
      suffix: ` p${quantile * 100}`,
    }));
  }
  const series = `${metric.name}${labels}`;
  const expression =
    show === 'rate' ? `sum${grouped(by)}(rate(${series}${RANGE}))` : `${show}${grouped(by)}(${series})`;
  return [{ expression, suffix: '' }];
}

function selectorOf({ where = {} }: Query): string {
  const parts = Object.entries(where).map(([label, value]) => `${label}=~"${value}"`);
  return `{${[`${LINE_LABEL}=~"$ds"`, ...parts].join(', ')}}`;
}

function legendOf({ legend }: Query): string {
  return legend.replaceAll(/\{(\w+)\}/g, (_, label: string) => `{{${named(label)}}}`);
}
