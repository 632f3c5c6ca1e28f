import { formatSize } from '../../config/quantity.ts';
import { plainText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';
import type { Style } from '../terminal.ts';
import type { HeldStatus, LineStatus, OpenPullStatus } from './line-status.ts';

type Paint = (style: Style, text: string) => string;

/** From this share of what may wait on it is shown in red: with more the pull ends. */
const NEARLY_FULL = 0.8;

/** What a status says of full pulls, for people; '' for nothing. */
export function pullLines({ pulls, held }: Pick<LineStatus, 'pulls' | 'held'>, paint: Paint): string {
  const parts: string[] = [];
  if (!pulls.known) parts.push(paint('red', plainText(`not known: ${pulls.code}: ${pulls.message}`)));
  else if (pulls.open.length + pulls.failed.length > 0) {
    const rows = [
      ...pulls.open.map(pull => openRow(pull, paint)),
      ...pulls.failed.map(({ table, pull, code, endedAt }) => [
        plainText(table),
        pull,
        paint('red', 'failed'),
        '',
        '',
        paint('red', `${code} at ${endedAt.slice(0, 19)}Z`),
      ]),
    ];
    parts.push(
      tableText(
        [
          { title: 'table' },
          { title: 'pull' },
          { title: 'status' },
          { title: 'shards', align: 'right' },
          { title: 'rows', align: 'right' },
          { title: '' },
        ],
        rows,
      ),
    );
  }
  if (held.length > 0) parts.push(held.map(each => heldLine(each, paint)).join('\n'));
  return parts.join('\n');
}

function openRow(pull: OpenPullStatus, paint: Paint): string[] {
  const { rows, rowsEstimate, rowsPerSecond, waits } = pull;
  const share =
    rowsEstimate > 0 ? `, ${Math.floor((100 * Math.min(rows, rowsEstimate)) / rowsEstimate)} %` : '';
  const goes = `${rowsPerSecond.toLocaleString('en-US')} rows/s${share}`;
  return [
    plainText(pull.table),
    pull.pull,
    pull.status === 'paused' ? paint('yellow', 'paused') : pull.status,
    `${pull.shardsDone}/${pull.shards ?? '?'}`,
    rows.toLocaleString('en-US'),
    waits === null ? goes : paint('yellow', plainText(`waits: ${waits}`)),
  ];
}

function heldLine({ table, pull, since, messages, bytes, maxBytes }: HeldStatus, paint: Paint): string {
  const size = `${formatSize(bytes)} of at most ${formatSize(maxBytes)}`;
  const text = `${table}: changes and heartbeats wait for the pull ${pull} since ${since.slice(0, 19)}Z, ${messages.toLocaleString('en-US')} messages, ${size}`;
  return paint(bytes >= maxBytes * NEARLY_FULL ? 'red' : 'yellow', plainText(text));
}
