import type { UmsTable } from '../../../src/consumer/table.ts';
import type { UmsTables } from '../../../src/consumer/tables.ts';
import { ABSENT, type ExactTable, exactSelect, exactValue, type SqlAsker, tablesOf } from './exact-select.ts';

const MAX_EXAMPLES = 6;

/**
 * Compares tables that were rebuilt from messages with what their server answers, byte for byte, as bags of rows. Gives what differs, as sentences; [] when nothing
 * does. `schema`: the one whose tables are compared.
 */
export async function compareExactly(
  session: SqlAsker,
  schema: string,
  rebuilt: UmsTables,
): Promise<readonly string[]> {
  const differences: string[] = [];
  const names = await tablesOf(session, schema);
  for (const name of names) {
    const source = await exactSelect(session, schema, name);
    differences.push(...compareTable(name, source, rebuilt.get(`${schema}.${name}`)));
  }
  for (const [name, table] of rebuilt.entries()) {
    const isThere = names.some(each => `${schema}.${each}` === name);
    if (!isThere && table.size > 0 && name.startsWith(`${schema}.`)) {
      differences.push(`${name}: the source has no such table, the topic has ${table.size} rows`);
    }
  }
  return differences;
}

function compareTable(name: string, source: ExactTable, table: UmsTable | undefined): string[] {
  const bag = new Map<string, number>();
  const rebuilt = [...(table?.rows() ?? [])].map(values =>
    source.columns.map(column => exactValue(column.kind, values[column.name] ?? null)),
  );
  // MariaDB leaves virtual columns out of images that are not full, and then nobody has ever said what they hold.
  const left = source.columns.map(({ generated }, i) => generated && rebuilt.some(row => row[i] === ABSENT));
  const count = (row: readonly (string | null)[], by: number): void => {
    const text = JSON.stringify(row.filter((_, i) => left[i] !== true));
    bag.set(text, (bag.get(text) ?? 0) + by);
  };
  for (const row of source.rows) count(row, 1);
  for (const row of rebuilt) count(row, -1);
  const head = source.columns.map(column => `${column.name} ${column.kind}`).join(', ');
  const differing = [...bag].filter(([, times]) => times !== 0);
  return differing
    .slice(0, MAX_EXAMPLES)
    .map(
      ([row, times]) => `${name} (${head}): ${times > 0 ? 'only the source' : 'only the topic'} has ${row}`,
    );
}
