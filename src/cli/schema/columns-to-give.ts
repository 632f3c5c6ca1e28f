import { readFileSync } from 'node:fs';
import { mayHideLabels, shownColumns } from '../../columns/shown-columns.ts';
import type { TableColumns } from '../../columns/table-columns.ts';
import type { Line } from '../../config/line.ts';
import { messageOf, UmbusError } from '../../core/errors.ts';

/** Longer than any definition of 4,096 columns. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** The columns that a table has on the source of a line now. Errors: UMBUS_SOURCE_*; UMBUS_COLUMNS_REFUSED when the source does not say them for certain. */
export async function columnsAtSource(
  line: Line,
  { schema, table }: { readonly schema: string; readonly table: string },
  signal: AbortSignal,
): Promise<TableColumns> {
  const { createMysqlSource } = await import('../../adapters/mysql/index.ts');
  const source = createMysqlSource(line.source);
  const described = await source.describe({ schemas: [], also: { schema, table } }, signal);
  const sql = described.tables[0]?.sql ?? null;
  const name = `${schema}.${table}`;
  if (sql === null) {
    throw refused(
      `The source does not show ${name} to the account of the line: it is gone, or SELECT is not granted.`,
    );
  }
  const columns = shownColumns(sql);
  if (columns === null) throw refused(`The definition of ${name} on the source is not understood.`);
  if (mayHideLabels(columns)) {
    throw refused(`A label of an ENUM or SET of ${name} may hold a character that the source does not show.`);
  }
  return columns;
}

/** The columns of the CREATE TABLE statement in a file. Errors: UMBUS_USAGE for a file that cannot be read, UMBUS_COLUMNS_REFUSED for a statement that is another one, or is not understood. */
export function columnsInFile(file: string): TableColumns {
  const columns = shownColumns(readText(file).trim().replace(/;$/, ''));
  if (columns !== null) return columns;
  throw refused(
    `${file} holds no CREATE TABLE statement that is understood to its end. Text needs a character set, of its column or of the table.`,
  );
}

function readText(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= FILE_BYTES_MAX) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UmbusError('UMBUS_USAGE', `The file ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  throw new UmbusError('UMBUS_USAGE', `The file ${file} is too large for a statement.`);
}

function refused(message: string): UmbusError {
  return new UmbusError('UMBUS_COLUMNS_REFUSED', message);
}
