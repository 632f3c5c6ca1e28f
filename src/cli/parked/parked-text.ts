import { Buffer } from 'node:buffer';
import { decodeReference } from '../../change/parked-reference.ts';
import { hexText, plainText, textOf } from '../render/plain-text.ts';
import { rawRunOf, summaryOf } from '../render/run-text.ts';
import { tableText } from '../table-text.ts';
import type { Style } from '../terminal.ts';
import type { DeadRecord } from './dead-records.ts';
import type { ReplayReport } from './replay.ts';

type Paint = (style: Style, text: string) => string;

const VALUE_BYTES_SHOWN = 256;

/** A dead letter in a list, and as `--json` gives it. */
export interface ParkedItem {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  /** Whether it waits for a replay; false once replayed, null when it belongs to no table. */
  readonly waiting: boolean | null;
  readonly code: string;
  readonly message: string;
  readonly at: string;
  readonly topology: string;
  readonly stage: string;
  readonly from: string;
  readonly bytes: number;
}

/** `waiting`: whether it waits for a replay; null when it belongs to no table. */
export function parkedItem(dead: DeadRecord, waiting: boolean | null): ParkedItem {
  const { place, record, letter } = dead;
  return {
    partition: place.partition,
    offset: record.offset,
    key: letter.key,
    waiting,
    code: letter.code,
    message: letter.message,
    at: letter.at,
    topology: letter.topology,
    stage: letter.stage,
    from: `${letter.topic}/${letter.partition}@${letter.offset}`,
    bytes: record.value?.byteLength ?? 0,
  };
}

/** A list of dead letters for people. */
export function parkedListText(items: readonly ParkedItem[], paint: Paint): string {
  if (items.length === 0) return 'Nothing is parked.\n';
  const rows = items.map(item => [
    item.partition === 0 ? String(item.offset) : `${item.partition}/${item.offset}`,
    item.key,
    stateText(item, paint),
    item.code,
    item.at,
    item.from,
    String(item.bytes),
  ]);
  const columns = ['offset', 'table', 'state', 'code', 'parked at', 'from', 'bytes'];
  return `${tableText(
    columns.map(title => ({ title, align: title === 'bytes' ? ('right' as const) : ('left' as const) })),
    rows,
  )}\n`;
}

function stateText(item: ParkedItem, paint: Paint): string {
  if (item.waiting === null) return paint('red', 'no table');
  return item.waiting ? paint('red', 'parked') : paint('dim', 'replayed');
}

/** Everything about one dead letter for people; the row images themselves are not decoded. */
export function parkedRecordText(dead: DeadRecord, paint: Paint): string {
  const { letter, record } = dead;
  const lines: (readonly [string, string])[] = [
    ['place', `${dead.place.topic}/${dead.place.partition}@${record.offset}`],
    ['table', paint('bold', letter.key)],
    ['code', paint('red', letter.code)],
    ['message', letter.message],
    ['parked at', letter.at],
    ['by', `${letter.topology}, stage ${letter.stage}, task ${letter.task}`],
    ['from', `${letter.topic}/${letter.partition}@${letter.offset}`],
    ...valueLines(dead),
  ];
  for (const [name, bytes] of Object.entries(record.headers)) {
    if (!name.startsWith('in.')) continue;
    lines.push([
      `header ${plainText(name.slice(3))}`,
      plainText(textOf(bytes) ?? hexText(bytes, VALUE_BYTES_SHOWN)),
    ]);
  }
  return `${lines.map(([name, text]) => `${name.padEnd(13)}${text}`).join('\n')}\n`;
}

function valueLines({ record, letter }: DeadRecord): readonly (readonly [string, string])[] {
  const { value } = record;
  if (value === null) return [['value', 'none']];
  const reference = decodeReference(value);
  if (reference !== null) {
    const { file, position, epoch, events } = reference;
    return [
      ['binlog', plainText(`run at ${file}:${position}, epoch ${epoch}`)],
      [
        'value',
        plainText(
          `the table has masks: its ${events} events are not here, but in ${letter.topic}/${letter.partition}@${letter.offset}`,
        ),
      ],
    ];
  }
  const run = rawRunOf(value);
  if (run === null) return [['value', hexText(value, VALUE_BYTES_SHOWN)]];
  const { file, position, next, events, bytes, tables, server, epoch } = summaryOf(run);
  return [
    ['binlog', plainText(`${file}:${position}..${next}`)],
    ['server', plainText(`${server}, epoch ${epoch}`)],
    ['events', `${events} in ${bytes} bytes, of ${plainText(tables.join(', '))}`],
    ['first bytes', hexText(run.events, VALUE_BYTES_SHOWN)],
  ];
}

/** One dead letter as `--json` gives it: the item, what it refers to or the summary of its run, and the raw bytes as base64. */
export function parkedRecordJson(dead: DeadRecord, item: ParkedItem): unknown {
  const { value } = dead.record;
  const run = value === null ? null : rawRunOf(value);
  return {
    ...item,
    reference: value === null ? null : decodeReference(value),
    run: run === null ? null : summaryOf(run),
    base64:
      value === null
        ? null
        : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  };
}

/** What a replay has done, for people. */
export function replayText(reports: readonly ReplayReport[], paint: Paint): string {
  if (reports.length === 0) return 'Nothing is parked.\n';
  const lines = reports.map(({ table, letters, messages, problem }) => {
    const name = paint('bold', plainText(table));
    if (problem === null)
      return `${name}: ${paint('green', 'replayed')} ${letters} dead letters in ${messages} messages.`;
    return `${name}: ${paint('red', 'still parked')}, nothing was written: ${plainText(`${problem.code}: ${problem.message}`)}`;
  });
  return `${lines.join('\n')}\n`;
}
