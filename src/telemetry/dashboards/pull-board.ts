import { tableMetrics } from '../metrics/line-metrics.ts';
import { pullMetrics } from '../metrics/pull-metrics.ts';
import { topologyMetrics } from '../metrics/topology-metrics.ts';
import type { Board, Variable } from './board.ts';
import { chart, level, rate, stat } from './panels.ts';

/** Shards that wait, and steps of splitting. */
const TOPOLOGIES = '(splitter|puller)';

/** Full pulls: what is under way, how far each table is, what holds it up. */
export function pullBoard(line: Variable): Board {
  const table: Variable = { name: 'table', metric: tableMetrics.pulledRows, label: 'table', ofLine: true };
  const chosen = { table: '$table' };
  return {
    name: 'full-pull',
    title: 'full pull',
    variables: [line, table],
    rows: [
      {
        title: 'Now',
        panels: [
          stat('Under way', 'short', level('sum', pullMetrics.open, ['ds'], '{ds}')),
          stat('Paused', 'short', level('sum', pullMetrics.open, ['ds'], '{ds}', { state: 'paused' })),
          stat('Throttled', 'short', level('sum', pullMetrics.throttled, ['ds'], '{ds}')),
          stat(
            'Failed, and still listed',
            'short',
            level('sum', pullMetrics.ended, ['ds'], '{ds}', { state: 'failed' }),
            { from: 1 },
          ),
          stat('Longest without a page', 's', level('max', pullMetrics.idle, ['ds'], '{ds}'), { from: 600 }),
          stat('Rows published', 'rowsps', rate(tableMetrics.pulledRows, ['ds'], '{ds}')),
        ],
      },
      {
        title: 'Tables',
        panels: [
          chart(
            'Rows published by full pulls',
            'rowsps',
            12,
            rate(tableMetrics.pulledRows, ['table'], '{table}', chosen),
          ),
          chart(
            'Since it was asked for',
            's',
            12,
            level('max', pullMetrics.age, ['table'], '{table}', chosen),
          ),
          chart(
            'Shards',
            'short',
            12,
            level('max', pullMetrics.shards, ['table', 'state'], '{table} {state}', chosen),
          ),
          chart(
            'Rows',
            'short',
            12,
            level('max', pullMetrics.rows, ['table', 'state'], '{table} {state}', chosen),
          ),
          chart(
            'Changes that wait for pulls',
            'bytes',
            12,
            level('max', pullMetrics.heldBytes, ['table'], '{table}', chosen),
          ),
        ],
      },
      {
        title: 'Pulls and what does them',
        panels: [
          chart(
            'By what they do',
            'short',
            8,
            level('sum', pullMetrics.open, ['state'], '{state}'),
            level('sum', pullMetrics.throttled, [], 'throttled'),
            level('sum', pullMetrics.held, [], 'held back'),
          ),
          chart('Over, and still listed', 'short', 8, level('sum', pullMetrics.ended, ['state'], '{state}')),
          chart(
            'Shards and steps that wait',
            'short',
            8,
            level('sum', topologyMetrics.lagRecords, ['topology'], '{topology}', { topology: TOPOLOGIES }),
          ),
        ],
      },
    ],
  };
}
