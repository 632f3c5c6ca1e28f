import { formatDuration, formatSize } from '../../config/quantity.ts';
import { horizonText } from '../heartbeat/board-text.ts';
import { plainText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';
import type { Style } from '../terminal.ts';
import type { GroupStatus, LineStatus, SourceStatus } from './line-status.ts';
import { pullLines } from './pull-lines.ts';

type Paint = (style: Style, text: string) => string;

/** A line's status for people. */
export function statusText(status: LineStatus, paint: Paint): string {
  const parts = [headText(status, paint)];
  const section = (title: string, body: string): void => {
    parts.push(`${paint('bold', title)}\n${indented(body)}`);
  };
  if (status.tables.length > 0) section('Tables', tablesText(status, paint));
  const pulls = pullLines(status, paint);
  if (pulls !== '') section('Full pulls', pulls);
  if (status.groups.length > 0) section('Groups', groupsText(status.groups, paint));
  if (status.topics.length > 0) section('Topics', topicsText(status));
  return `${parts.join('\n\n')}\n`;
}

function headText(status: LineStatus, paint: Paint): string {
  const { extractor, dead, log } = status;
  const read =
    extractor === null
      ? 'nothing read yet'
      : `${extractor.file}:${extractor.position}${gtidText(extractor.gtid)}, captured ${extractor.capturedAt}`;
  const most = log.maxBytes === null ? '' : ` of at most ${formatSize(log.maxBytes)}`;
  const size = log.bytes === null ? '' : `, ${formatSize(log.bytes)}${most}`;
  const rows = [
    ['line', paint('bold', status.ds)],
    ['extractor', read],
    ['source', sourceText(status.source, paint)],
    ['lag', lagText(status.source, paint)],
    ...(status.source.reachable ? [['binlog', horizonText(status.source.retention, paint)]] : []),
    ['parked', parkedText(status, paint)],
    ['log', `${log.place}${size}`],
  ];
  if (dead.records > 0) rows.push(['dead letters', `${dead.records} kept in ${dead.topic}`]);
  return rows.map(([name, text]) => `${name?.padEnd(13)}${text}`).join('\n');
}

function sourceText(source: SourceStatus, paint: Paint): string {
  if (!source.reachable) return paint('red', plainText(`not reachable: ${source.code}: ${source.message}`));
  return `${source.file}:${source.position}${gtidText(source.gtid)}`;
}

function lagText(source: SourceStatus, paint: Paint): string {
  if (!source.reachable) return 'not known while the source is not reachable';
  if (source.positionGone)
    return paint('red', 'not known: the binlog file that comes next is not on the server any more');
  if (source.lagBytes === null) return 'not known yet';
  const seconds = source.lagSeconds === null ? '' : `, ${formatDuration(source.lagSeconds * 1000)}`;
  return `${formatSize(source.lagBytes)}${seconds}`;
}

function parkedText(status: LineStatus, paint: Paint): string {
  const names = status.tables.filter(table => table.parked !== null).map(table => plainText(table.table));
  const others = status.dead.others === 0 ? '' : `${status.dead.others} dead letters of no table`;
  if (names.length === 0 && others === '') return paint('green', 'nothing');
  const tables = names.length === 0 ? '' : `${names.join(', ')} (${status.dead.waiting} dead letters)`;
  return paint('red', [tables, others].filter(text => text !== '').join('; '));
}

function tablesText(status: LineStatus, paint: Paint): string {
  const rows = status.tables.map(
    ({ table, version, inserts, updates, deletes, messages, marks, lastTs, parked }) => [
      plainText(table),
      String(version),
      ...[inserts, updates, deletes, messages].map(String),
      marks === 0 ? '' : paint('yellow', String(marks)),
      plainText(lastTs),
      parked === null ? '' : paint('red', plainText(`${parked.code} since ${parked.since}`)),
    ],
  );
  return tableText(
    [
      { title: 'table' },
      { title: 'version', align: 'right' },
      { title: 'inserts', align: 'right' },
      { title: 'updates', align: 'right' },
      { title: 'deletes', align: 'right' },
      { title: 'messages', align: 'right' },
      { title: 'marks', align: 'right' },
      { title: 'newest row' },
      { title: 'parked' },
    ],
    rows,
  );
}

function groupsText(groups: readonly GroupStatus[], paint: Paint): string {
  const rows = groups.map(({ group, topic, partition, offset, end, lagRecords }) => [
    group,
    `${topic}/${partition}`,
    String(offset),
    String(end),
    lagRecords === 0n ? '0' : paint('yellow', String(lagRecords)),
  ]);
  return tableText(
    [
      { title: 'group' },
      { title: 'topic/partition' },
      { title: 'offset', align: 'right' },
      { title: 'end', align: 'right' },
      { title: 'lag', align: 'right' },
    ],
    rows,
  );
}

function topicsText(status: LineStatus): string {
  const rows = status.topics.map(({ topic, partitions, records, bytes }) => [
    topic,
    String(partitions),
    String(records),
    bytes === null ? '' : formatSize(bytes),
  ]);
  return tableText(
    [
      { title: 'topic' },
      { title: 'partitions', align: 'right' },
      { title: 'records', align: 'right' },
      { title: 'size', align: 'right' },
    ],
    rows,
  );
}

function gtidText(gtid: string): string {
  return gtid === '' ? '' : ` (GTID ${plainText(gtid)})`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
