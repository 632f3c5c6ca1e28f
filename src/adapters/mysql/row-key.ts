import { quoteName } from '../../sharding/key-range.ts';
import type { SqlSession } from './connect.ts';
import { textOf } from './server-facts.ts';
import type { TableDefinition } from './table-definition.ts';

/**
 * The columns that tell rows of a table apart in its binlog too: the primary key, or the first unique key of whole columns that are not NULL, which the server takes in its place. [] without one, or where the binlog does not
 * say keys (`namesKeys`: `binlog_row_metadata` is FULL), so that the stream knows none. Errors: UMBUS_SOURCE_*.
 */
export async function rowKey(
  session: SqlSession,
  table: TableDefinition,
  namesKeys: boolean,
): Promise<readonly string[]> {
  if (table.primaryKey.length > 0) return table.primaryKey;
  const fits = (index: TableDefinition['indexes'][number]): boolean =>
    index.unique &&
    index.columns.every(
      ({ name, whole }) => whole && table.columns.some(column => column.name === name && !column.nullable),
    );
  const unique = new Map(table.indexes.filter(fits).map(({ name, columns }) => [name, columns]));
  if (unique.size === 0 || !namesKeys) return [];
  // In the order in which the server looks at them.
  const rows = await session.query(
    `SHOW INDEX FROM ${quoteName(table.table)} FROM ${quoteName(table.schema)}`,
  );
  const first = rows.map(row => textOf(row, 'Key_name')).find(name => unique.has(name)) ?? '';
  return (unique.get(first) ?? []).map(({ name }) => name ?? '');
}
