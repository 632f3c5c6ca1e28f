import { ColumnType } from '../../binlog/column-type.ts';
import type { ColumnMap } from '../../binlog/table-map-types.ts';
import { typeText } from '../../columns/fit-table-map.ts';
import type { TableColumns } from '../../columns/table-columns.ts';
import type { ResolvePlan, ResolveReport } from '../parked/resolve.ts';
import { plainText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ColumnType).map(([name, code]) => [code, name]),
);

/** What is about to be said of a table: its columns, beside what the binlog has of them. `from`: where they come from. */
export function planText({ name, group, left }: ResolvePlan, columns: TableColumns, from: string): string {
  const { since, why, maps } = group;
  const binlog = maps[0]?.columns ?? [];
  const rows = columns.columns.map((column, index) => [
    String(index + 1),
    plainText(column.name),
    `${plainText(typeText(column))}${column.unsigned === true ? ' unsigned' : ''}${column.notNull === true ? ' not null' : ''}`,
    binlogText(binlog[index]),
  ]);
  const titles = [
    { title: '#', align: 'right' as const },
    { title: 'column' },
    { title: 'type' },
    { title: 'in the binlog' },
  ];
  const key = columns.primaryKey.length === 0 ? 'none' : `(${columns.primaryKey.map(plainText).join(', ')})`;
  return [
    `${plainText(name)} from ${plainText(since)} on: ${plainText(why)}.`,
    `Its columns as ${plainText(from)}, which fit ${maps.length === 1 ? 'the table map' : `all ${maps.length} table maps`} of these rows:`,
    '',
    tableText(titles, rows),
    `primary key: ${key}`,
    '',
    'Names of columns of one type are in no table map: see that the order is right.',
    ...(left.length === 0 ? [] : [leftText(left.map(each => each.since))]),
    '',
  ].join('\n');
}

/** What was done, for people. */
export function resolveText({ table, since, replay, left }: ResolveReport): string {
  const name = plainText(table);
  if (replay === null)
    return `${name}: its columns from ${plainText(since)} on are kept. ${leftText(left)}\n`;
  const { letters, messages, problem } = replay;
  if (problem === null) return `${name}: replayed ${letters} dead letters in ${messages} messages.\n`;
  return `${name}: still parked, nothing was written: ${plainText(`${problem.code}: ${problem.message}`)}\n`;
}

function leftText(left: readonly string[]): string {
  return `It stays parked until its columns are given from here on too: ${left.map(plainText).join(', ')}.`;
}

function binlogText(column: ColumnMap | undefined): string {
  if (column === undefined) return '';
  const { type, meta, nullable } = column;
  return `${TYPE_NAMES.get(type) ?? type}${meta === 0 ? '' : ` ${meta}`}${nullable ? '' : ' not null'}`;
}
