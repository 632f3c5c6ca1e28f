import type { BinlogHorizon } from '../../change/binlog-horizon.ts';
import { formatDuration, formatSize } from '../../config/quantity.ts';
import { plainText } from '../render/plain-text.ts';
import { type Column, tableText } from '../table-text.ts';
import type { Style } from '../terminal.ts';
import { type BeatBoard, type Hop, type HopTimes, hops, type TableBeats } from './beat-board.ts';

type Paint = (style: Style, text: string) => string;

/** Where a board is shown. */
export interface BoardView {
  readonly ds: string;
  readonly nowMs: number;
  /** Null where it is not known. */
  readonly horizon: BinlogHorizon | null;
  readonly paint: Paint;
  /** Lines that there is room for; null: no bound. */
  readonly rows: number | null;
}

const SPARKS = '▁▂▃▄▅▆▇█';
const TREND = 16;
/** A latency that fills a spark; smaller ones are not blown up. */
const FULL_MS = 10;
const HOP_TITLES: Readonly<Record<Hop, string>> = {
  captured: 'extractor',
  dispatched: 'dispatcher',
  appended: 'appender',
  read: 'results read',
};
/** A line has this left of its binlog before it is shown in colours. */
const SHORT_MS = 24 * 3_600_000;
const VERY_SHORT_MS = 6 * 3_600_000;

/** The board for people: the line, its hops, its tables. Late and parked tables come first when there is no room for all. */
export function boardText(board: BeatBoard, view: BoardView): string {
  const { paint } = view;
  const head = headText(board, view);
  const hopRows = hops.map(hop => [HOP_TITLES[hop], ...timesText(board.hops[hop])]);
  const hopTable = tableText([{ title: 'hop' }, right('last'), right('p50'), right('p99')], hopRows);
  const used = head.split('\n').length + hopRows.length + 8;
  const room = view.rows === null ? board.tables.length : Math.max(1, view.rows - used);
  const shown = chosen(board.tables, room);
  const left = board.tables.length - shown.length;
  const more = left > 0 ? `\n  and ${left} more` : '';
  const tables =
    shown.length === 0
      ? '  no heartbeats yet'
      : indented(
          tableText(
            COLUMNS,
            shown.map(table => rowOf(table, paint)),
          ),
        );
  const note = board.tables.some(({ clocksDiffer }) => clocksDiffer)
    ? `\n\n${paint('yellow', 'A hop came before its insert: the clocks of two machines differ by more than was measured. Such times are shown as 0.')}`
    : '';
  return `${head}\n\n${paint('bold', 'Hops')}${paint('dim', ', milliseconds since the insert')}\n${indented(hopTable)}\n\n${paint('bold', 'Tables')}\n${tables}${more}${note}\n`;
}

const COLUMNS: readonly Column[] = [
  { title: 'table' },
  right('beat'),
  right('age'),
  right('last'),
  right('p50'),
  right('p99'),
  { title: 'trend' },
  right('rows'),
  { title: '' },
];

function right(title: string): Column {
  return { title, align: 'right' };
}

/** Those that need somebody first, then by name, and in the end by name. */
function chosen(tables: readonly TableBeats[], room: number): readonly TableBeats[] {
  if (tables.length <= room) return tables;
  const need = ({ late, held, status }: TableBeats): number =>
    late ? 0 : status === 'abort' ? 1 : held === null ? 3 : 2;
  return tables.toSorted((a, b) => need(a) - need(b)).slice(0, room);
}

function rowOf(table: TableBeats, paint: Paint): string[] {
  const { late, held, status, ageMs, trendMs } = table;
  const lastHop = hops.findLast(hop => table.hops[hop] !== null) ?? 'captured';
  const state = [
    ...(late ? [paint('red', 'late')] : []),
    ...(status === 'abort' ? [paint('red', 'parked')] : []),
    ...(held === null ? [] : [paint('yellow', `waits for the pull ${plainText(held)}`)]),
    ...(lastHop === 'read' ? [] : [paint('dim', `as of ${HOP_TITLES[lastHop]}`)]),
  ];
  return [
    plainText(table.table),
    String(table.beat),
    late ? paint('red', ageText(ageMs)) : held === null ? ageText(ageMs) : paint('yellow', ageText(ageMs)),
    ...timesText(table.hops[lastHop]),
    sparkline(trendMs),
    String(table.rows),
    state.join(' '),
  ];
}

/** The newest latencies as bars, the newest at the right. */
export function sparkline(values: readonly number[]): string {
  const newest = values.slice(-TREND);
  const most = Math.max(FULL_MS, ...newest);
  return newest
    .map(value => SPARKS[Math.min(SPARKS.length - 1, Math.floor((value / most) * SPARKS.length))] ?? '')
    .join('');
}

function timesText(times: HopTimes | null): [string, string, string] {
  if (times === null) return ['-', '-', '-'];
  return [msText(times.lastMs), msText(times.p50Ms), msText(times.p99Ms)];
}

/** Milliseconds with one digit after the point below 100, and none above. */
function msText(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : String(Math.round(ms));
}

function ageText(ms: number): string {
  return Number.isFinite(ms) ? formatDuration(ms < 1000 ? Math.round(ms) : Math.round(ms / 100) * 100) : '-';
}

/** Clocks that are together by NTP differ by less. */
const CLOCK_SHOWN_MS = 500;

function headText(board: BeatBoard, view: BoardView): string {
  const { round, trouble, tables, lateAfterMs, clockAheadMs } = board;
  const { paint, ds, nowMs, horizon } = view;
  const late = tables.filter(table => table.late).length;
  const parked = tables.filter(table => table.status === 'abort').length;
  const held = tables.filter(table => table.held !== null).length;
  const rows: [string, string][] = [
    ['line', `${paint('bold', ds)}  ${new Date(nowMs).toISOString()}`],
    ['rounds', roundText(board, view)],
  ];
  if (trouble !== null) {
    rows.push(['trouble', paint('red', plainText(`${trouble.code}: ${trouble.message}`))]);
  }
  if (round !== null && round.skewMicros !== null) {
    const { skewMicros, skewErrorMicros } = round;
    const size = `${(Math.abs(skewMicros) / 1000).toFixed(1)} ms ${skewMicros < 0 ? 'behind' : 'ahead'}`;
    rows.push(['source clock', `${size}, ±${((skewErrorMicros ?? 0) / 1000).toFixed(1)} ms; taken out`]);
  }
  if (clockAheadMs !== null && Math.abs(clockAheadMs) >= CLOCK_SHOWN_MS) {
    const size = `${formatDuration(Math.round(Math.abs(clockAheadMs)))} ${clockAheadMs < 0 ? 'behind' : 'ahead of'}`;
    rows.push(['our clock', paint('yellow', `${size} the line's; taken out`)]);
  }
  rows.push(['binlog', horizonText(horizon, paint)]);
  const states = [
    late === 0 ? paint('green', 'none late') : paint('red', `${late} late`),
    ...(parked === 0 ? [] : [paint('red', `${parked} parked`)]),
    ...(held === 0 ? [] : [paint('yellow', `${held} held by a full pull`)]),
  ];
  rows.push(['tables', `${tables.length}, ${states.join(', ')} (after ${formatDuration(lateAfterMs)})`]);
  return rows.map(([name, text]) => `${name.padEnd(14)}${text}`).join('\n');
}

function roundText({ round, lateAfterMs }: BeatBoard, { paint, nowMs }: BoardView): string {
  if (round === null) return 'none yet';
  const ageMs = nowMs - round.roundMs;
  const text = `${round.beat}, ${ageText(Math.max(0, ageMs))} ago, inserted in ${msText(round.insertMs)} ms`;
  return ageMs > lateAfterMs ? paint('red', text) : text;
}

/** How long the source keeps what is not read, for people. */
export function horizonText(horizon: BinlogHorizon | null, paint: Paint): string {
  if (horizon === null) return 'not known';
  const { leftMs, by, lost, unreadBytes, bytesPerHour } = horizon;
  if (lost) return paint('red', 'what comes next is not on the server any more');
  const unread = `${formatSize(unreadBytes)} unread`;
  const growth = bytesPerHour === null ? '' : `, grows ${formatSize(bytesPerHour)} an hour`;
  if (leftMs === null) return `kept for ever; ${unread}${growth}`;
  const text = `kept for ${formatDuration(leftMs)} more by ${by === 'size' ? 'its size' : 'its age'}; ${unread}${growth}`;
  return leftMs < VERY_SHORT_MS ? paint('red', text) : leftMs < SHORT_MS ? paint('yellow', text) : text;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
