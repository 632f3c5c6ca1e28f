import { changeText, columnText } from '../../change/change-text.ts';
import type { SchemaDiff } from '../../change/schema-diff.ts';
import type { SchemaNotice, TableSchema } from '../../consumer/index.ts';
import { plainText, shortText } from '../render/plain-text.ts';
import type { TableStatus } from '../status/line-status.ts';
import { tableText } from '../table-text.ts';

const STATEMENT_CHARACTERS = 60;

/** A table with all that its notices say, and why it is parked, if it is. */
export interface TableHistory {
  readonly table: string;
  readonly notices: readonly SchemaNotice[];
  readonly parked: TableStatus['parked'];
}

/** One line a table. */
export function tablesText(tables: readonly TableHistory[]): string {
  if (tables.length === 0) return 'No table has had a row yet.\n';
  const rows = tables.map(({ table, notices, parked }) => {
    const last = notices.at(-1);
    return [
      plainText(table),
      last === undefined ? '' : String(last.version),
      last === undefined ? '' : String(last.innerVersion),
      last?.ts ?? '',
      last === undefined ? '' : reasonText(last),
      parked === null ? '' : `parked: ${parked.code}`,
    ];
  });
  const titles = ['table', 'version', 'inner', 'since', 'by', ''].map(title => ({ title }));
  return `${tableText(titles, rows)}\n`;
}

/** One line a notice, then the columns as they are. */
export function historyText({ table, notices, parked }: TableHistory, remedy: string | null): string {
  const rows = notices.flatMap(notice => {
    const { version, innerVersion, verdict, ts, from, statements, changes } = notice;
    const first = [
      String(version),
      String(innerVersion),
      ts,
      from.file === '' ? 'full pull' : `${from.file}:${from.position}`,
      reasonText(notice),
      verdict,
    ];
    const below = [
      ...changes.map(change => `${changeText(change)} (${change.verdict})`),
      ...statements.map(({ text }) => shortText(text, STATEMENT_CHARACTERS)),
    ];
    return [first, ...below.map(text => ['', '', '', '', `  ${plainText(text)}`, ''])];
  });
  const titles = ['version', 'inner', 'since', 'from', 'by', 'verdict'].map(title => ({ title }));
  const why =
    parked === null
      ? []
      : ['', `Parked since ${parked.since}: ${plainText(parked.message)}`, `${parked.code}: ${remedy ?? ''}`];
  const now = notices.at(-1)?.after ?? null;
  return `${[plainText(table), tableText(titles, rows), ...why, '', columnsText(now)].join('\n')}`;
}

/** The columns of a table. */
export function columnsText(schema: TableSchema | null): string {
  if (schema === null) return 'The table is not there, or its columns are not known.\n';
  const { columns, primaryKey } = schema;
  const lines = columns.map(column => `  ${plainText(columnText(column))}`);
  const key =
    primaryKey.length === 0 ? '  no primary key' : `  primary key (${plainText(primaryKey.join(', '))})`;
  return `${[...lines, key].join('\n')}\n`;
}

/** What is different between two versions. */
export function diffText({ verdict, changes }: SchemaDiff): string {
  const lines = changes.map(change => `  ${plainText(changeText(change))} (${change.verdict})`);
  return `${[`${verdict}${changes.length === 0 ? ': no difference' : ''}`, ...lines].join('\n')}\n`;
}

function reasonText({ reason, renamedFrom, renamedTo, rows }: SchemaNotice): string {
  const to = renamedTo === undefined ? '' : ` to ${plainText(renamedTo)}`;
  const from = renamedFrom === undefined ? '' : ` from ${plainText(renamedFrom)}`;
  return `${reason}${from}${to}${rows === 'unknown' ? ', load it again' : ''}`;
}
