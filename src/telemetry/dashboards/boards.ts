import { heartbeatMetrics } from '../metrics/heartbeat-metrics.ts';
import { extractorMetrics, logMetrics, sourceMetrics, tableMetrics } from '../metrics/line-metrics.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import { topologyMetrics } from '../metrics/topology-metrics.ts';
import type { Board, Variable } from './board.ts';
import { chart, level, rate, spread, stat } from './panels.ts';
import { pullBoard } from './pull-board.ts';

const line: Variable = { name: 'ds', metric: processMetrics.info, label: 'ds', ofLine: false };
const table: Variable = { name: 'table', metric: tableMetrics.rows, label: 'table', ofLine: true };

/** All lines at a glance: does each live, how late is it, does somebody have to look. */
const overview: Board = {
  name: 'overview',
  title: 'overview',
  variables: [line],
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Sources reached', 'short', level('min', sourceMetrics.reachable, ['ds'], '{ds}'), { below: 1 }),
        stat('Topologies up', 'short', level('min', topologyMetrics.up, ['ds'], '{ds}'), { below: 1 }),
        stat(
          'Parked tables',
          'short',
          level('sum', tableMetrics.tables, ['ds'], '{ds}', { state: 'parked' }),
          { from: 1 },
        ),
        stat('Source lag', 's', level('max', sourceMetrics.lagSeconds, ['ds'], '{ds}'), { from: 60 }),
        stat('Lag in the line', 's', level('max', topologyMetrics.lagSeconds, ['ds'], '{ds}'), { from: 60 }),
        stat('Binlog purged ahead of us', 'short', level('max', sourceMetrics.positionGone, ['ds'], '{ds}'), {
          from: 1,
        }),
      ],
    },
    {
      title: 'Traffic and lag',
      panels: [
        chart('Rows published', 'rowsps', 12, rate(tableMetrics.allRows, ['ds', 'op'], '{ds} {op}')),
        chart(
          'Bytes written by topology',
          'Bps',
          12,
          rate(topologyMetrics.outputBytes, ['ds', 'topology'], '{ds} {topology}'),
        ),
        chart('Unread at the source', 'bytes', 12, level('max', sourceMetrics.lagBytes, ['ds'], '{ds}')),
        chart(
          'Records waiting between topologies',
          'short',
          12,
          level('sum', topologyMetrics.lagRecords, ['ds', 'topology'], '{ds} {topology}'),
        ),
      ],
    },
  ],
};

/** One line, hop by hop. */
const dataLine: Board = {
  name: 'data-line',
  title: 'data line',
  variables: [line],
  rows: [
    {
      title: 'Extractor',
      panels: [
        chart(
          'Source and extractor',
          'short',
          8,
          level('max', sourceMetrics.reachable, ['ds'], '{ds} source answers'),
          level('max', extractorMetrics.connected, ['ds'], '{ds} connected'),
        ),
        chart('Unread at the source', 'bytes', 8, level('max', sourceMetrics.lagBytes, ['ds'], '{ds}')),
        chart('Age of the last event landed', 's', 8, level('max', sourceMetrics.lagSeconds, ['ds'], '{ds}')),
        chart(
          'Position in the binlog file',
          'bytes',
          12,
          level('max', sourceMetrics.position, ['ds'], '{ds} source'),
          level('max', extractorMetrics.position, ['ds'], '{ds} extractor'),
        ),
        chart('Not durable yet', 'bytes', 12, level('max', extractorMetrics.inFlightBytes, ['ds'], '{ds}')),
      ],
    },
    {
      title: 'Heartbeats',
      panels: [
        chart(
          'From the commit at the source to each hop',
          's',
          12,
          spread(heartbeatMetrics.latency, ['hop'], '{hop}'),
        ),
        chart(
          'Until the source purges what was not read',
          's',
          6,
          level('min', heartbeatMetrics.purgeLeft, ['ds'], '{ds}'),
        ),
        chart('Since the newest round', 's', 6, level('min', heartbeatMetrics.roundAge, ['ds'], '{ds}')),
      ],
    },
    {
      title: 'Topologies',
      panels: [
        chart('Records read', 'recps', 12, rate(topologyMetrics.records, ['topology'], '{topology}')),
        chart('Bytes written', 'Bps', 12, rate(topologyMetrics.outputBytes, ['topology'], '{topology}')),
        chart(
          'Lag in records',
          'short',
          12,
          level('sum', topologyMetrics.lagRecords, ['topology', 'topic'], '{topology} {topic}'),
        ),
        chart(
          'Lag in time',
          's',
          12,
          level('max', topologyMetrics.lagSeconds, ['topology', 'topic'], '{topology} {topic}'),
        ),
        chart('Time of a commit', 's', 12, spread(topologyMetrics.commitSeconds, ['topology'], '{topology}')),
        chart('Commits', 'ops', 12, rate(topologyMetrics.commits, ['topology'], '{topology}')),
        chart(
          'Dropped as repeats, filtered, skipped',
          'recps',
          12,
          rate(topologyMetrics.duplicates, ['topology'], '{topology} repeats'),
          rate(topologyMetrics.filtered, ['topology'], '{topology} filtered'),
          rate(topologyMetrics.skipped, ['topology'], '{topology} skipped'),
        ),
        chart(
          'Restarts and dead letters',
          'short',
          12,
          level('sum', topologyMetrics.restarts, ['topology'], '{topology} restarts'),
          level('sum', topologyMetrics.parked, ['topology'], '{topology} dead letters'),
        ),
      ],
    },
    {
      title: 'Processes',
      panels: [
        chart(
          'Memory of their own',
          'bytes',
          8,
          level('max', processMetrics.memory, ['host'], '{host}', { kind: 'anonymous' }),
        ),
        chart('Processor', 'percentunit', 8, rate(processMetrics.cpu, ['mode'], '{mode}')),
        chart('Event loop delay', 's', 8, level('max', processMetrics.loopDelay, ['stat'], '{stat}')),
        chart(
          'Time in garbage collection',
          'percentunit',
          12,
          rate(processMetrics.gcSeconds, ['kind'], '{kind}'),
        ),
        chart(
          'Keys in stores',
          'short',
          12,
          level('sum', topologyMetrics.storeKeys, ['topology', 'store'], '{topology} {store}'),
        ),
      ],
    },
  ],
};

/** Tables: rows, versions, what is parked. */
const tableBoard: Board = {
  name: 'table',
  title: 'table',
  variables: [line, table],
  rows: [
    {
      title: 'Tables',
      panels: [
        chart(
          'Newest heartbeat, from the commit to its reader',
          's',
          8,
          level('max', heartbeatMetrics.last, ['table'], '{table}', { table: '$table', hop: 'reader' }),
        ),
        chart(
          'Newest heartbeat by hop, of the slowest table',
          's',
          8,
          level('max', heartbeatMetrics.last, ['hop'], '{hop}', { table: '$table' }),
        ),
        chart(
          'Since the newest heartbeat',
          's',
          8,
          level('max', heartbeatMetrics.age, ['table'], '{table}', { table: '$table' }),
        ),
        chart(
          'Rows published',
          'rowsps',
          12,
          rate(tableMetrics.rows, ['table'], '{table}', { table: '$table' }),
        ),
        chart('Rows by kind', 'rowsps', 12, rate(tableMetrics.rows, ['op'], '{op}', { table: '$table' })),
        chart(
          'Messages published',
          'mps',
          12,
          rate(tableMetrics.messages, ['table'], '{table}', { table: '$table' }),
        ),
        chart(
          'Version',
          'short',
          12,
          level('max', tableMetrics.version, ['table'], '{table}', { table: '$table' }),
        ),
        chart(
          'Parked events',
          'short',
          12,
          level('sum', tableMetrics.parkedEvents, ['table'], '{table}', { table: '$table' }),
        ),
        chart(
          'Values published as marks',
          'short',
          12,
          level('sum', tableMetrics.marks, ['table'], '{table}', { table: '$table' }),
        ),
      ],
    },
  ],
};

/** The log: sizes, bounds, dead letters. */
const log: Board = {
  name: 'log',
  title: 'log',
  variables: [line],
  rows: [
    {
      title: 'Space',
      panels: [
        chart(
          'Stored',
          'bytes',
          12,
          level('max', logMetrics.usedBytes, ['ds'], '{ds} used'),
          level('max', logMetrics.limitBytes, ['ds'], '{ds} limit'),
        ),
        chart('Free on the disk', 'bytes', 12, level('min', logMetrics.diskFreeBytes, ['ds'], '{ds}')),
        chart('Stored by topic', 'bytes', 12, level('max', logMetrics.topicBytes, ['topic'], '{topic}')),
        chart(
          'Records kept by topic',
          'short',
          12,
          level('max', logMetrics.topicRecords, ['topic'], '{topic}'),
        ),
        chart(
          'Binlog that the server keeps',
          'bytes',
          12,
          level('max', sourceMetrics.binlogBytes, ['ds'], '{ds}'),
        ),
        chart('Dead letters kept', 'short', 12, level('max', logMetrics.deadRecords, ['ds'], '{ds}')),
      ],
    },
  ],
};

/** All dashboards. */
export const boards: readonly Board[] = [overview, dataLine, tableBoard, pullBoard(line), log];
