import { createdColumns } from './apply-changes.ts';
import { definitionOf } from './definition.ts';
import { NotUnderstood } from './statement-text.ts';
import type { TableColumns } from './table-columns.ts';

const WIDE = /^(utf8mb4|utf16|utf16le|utf32|gb18030)$/;

/**
 * The columns that a CREATE TABLE statement makes, whatever the table is called in it; null when the statement is another one or is not understood to its end. Text needs a character set that the statement
 * says.
 */
export function shownColumns(sql: string): TableColumns | null {
  const definition = definitionOf(sql);
  if (definition.kind !== 'create' || definition.as === null || !('table' in definition.as)) return null;
  try {
    return createdColumns(definition.as.table, null);
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

/** Whether SHOW CREATE TABLE may have hidden a label: the server shows them in UTF-8 of three bytes at most, with a question mark for every other character. */
export function mayHideLabels({ columns }: TableColumns): boolean {
  return columns.some(
    ({ labels, charset }) => labels?.some(label => label.includes('?')) === true && WIDE.test(charset ?? ''),
  );
}
