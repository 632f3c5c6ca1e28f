import { withSession } from '../../adapters/mysql/connect.ts';
import { baseTables } from '../../adapters/mysql/select-rows.ts';
import type { Line } from '../../config/line.ts';
import { logicalName } from '../../config/logical-tables.ts';
import { subscription } from '../../config/subscription.ts';
import { UmbusError } from '../../core/errors.ts';

/** A table that is to be pulled. */
export interface NamedTable {
  readonly schema: string;
  readonly table: string;
}

/**
 * The tables that arguments such as `shop.orders` and `shop.*` mean; the name of a logical table means all of its tables. Errors: UMBUS_USAGE for one that is no name, UMBUS_PULL_TABLE for a table that the line does not publish, or a pattern that fits none;
 * those of the source.
 */
export async function pulledTables(
  line: Line,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<readonly NamedTable[]> {
  const published = subscription(line);
  const found = new Map<string, NamedTable>();
  for (const name of wanted) {
    const dot = name.indexOf('.');
    if (dot <= 0 || dot === name.length - 1) {
      throw new UmbusError('UMBUS_USAGE', `${name} is no table: write schema.table, or schema.* for many.`);
    }
    const [schema, table] = [name.slice(0, dot), name.slice(dot + 1)];
    const logical = Object.hasOwn(line.schemas[schema]?.logical ?? {}, table);
    const names = table.includes('*')
      ? await matching(line, schema, table, signal)
      : logical
        ? await tablesOf(line, schema, table, signal)
        : [table];
    const own = names.filter(each => published(schema, each));
    if (own.length === 0) {
      const what = table.includes('*') || logical ? 'no table that fits' : 'no such table';
      throw new UmbusError('UMBUS_PULL_TABLE', `The line ${line.ds} publishes ${what} ${name}.`, {
        details: { table: name },
      });
    }
    for (const each of own) found.set(`${schema}.${each}`, { schema, table: each });
  }
  return [...found.values()];
}

/** The tables of a logical one. */
async function tablesOf(
  line: Line,
  schema: string,
  logical: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const nameOf = logicalName(line);
  const tables = await withSession(line.source, signal, session => baseTables(session, schema));
  return tables.filter(table => nameOf(schema, table) === logical);
}

async function matching(
  line: Line,
  schema: string,
  pattern: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const parts = pattern.split('*').map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const fits = new RegExp(`^${parts.join('.*')}$`);
  const tables = await withSession(line.source, signal, session => baseTables(session, schema));
  return tables.filter(table => fits.test(table));
}
