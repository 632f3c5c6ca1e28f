import type { SqlSession } from '../../adapters/mysql/connect.ts';
import { baseTables, type SelectedTable, selectTable } from '../../adapters/mysql/select-rows.ts';
import { subscribe } from '../../consumer/subscribe.ts';
import type { KeptRows } from '../../consumer/table.ts';
import { createTables, type UmsTables } from '../../consumer/tables.ts';
import type { Log } from '../../ports/log.ts';
import { type LogicalName, OWN_NAME, publishedName } from '../../ums/namespace.ts';
import type { UmsValue } from '../../ums/types.ts';

/** What a result topic rebuilds, against what the server answers. */
export interface Comparison {
  /** Rows that the server has. */
  readonly rows: number;
  /** UMS messages read. */
  readonly messages: number;
  /** Rows that only one side has, counted once a side. */
  readonly differences: number;
  /** The first few of them, as sentences. */
  readonly examples: readonly string[];
}

/** What is compared. */
export interface CompareOptions {
  readonly log: Log;
  readonly resultTopics: readonly string[];
  readonly schemas: readonly string[];
  readonly session: SqlSession;
  /** Logical names of the tables; default: there are none. */
  readonly logical?: LogicalName;
}

const MAX_EXAMPLES = 10;

/** Applies result topics, from their beginning to their present end, to tables in memory. */
export async function rebuild(
  log: Log,
  topics: readonly string[],
): Promise<{ readonly tables: UmsTables; readonly messages: number }> {
  const tables = createTables();
  let messages = 0;
  for await (const { message, partition } of subscribe({ log, topics, follow: false })) {
    tables.apply(message, partition);
    messages += 1;
  }
  return { tables, messages };
}

/**
 * Rebuilds every table of the schemas from the result topics and compares it with the server's own answer, row for row. The line must
 * have caught up and the source must be quiet. A column that a row's message did not have yet counts as NULL.
 */
export async function compareWithSource(options: CompareOptions): Promise<Comparison> {
  const { tables, messages } = await rebuild(options.log, options.resultTopics);
  const examples: string[] = [];
  let rows = 0;
  let differences = 0;
  const { logical = OWN_NAME } = options;
  /** Rows by name that no table of the source has been compared with. */
  const unseen = new Map(Array.from(tables.entries(), ([name, { size }]) => [name, size]));
  for (const schema of options.schemas) {
    for (const table of await baseTables(options.session, schema)) {
      const name = `${schema}.${table}`;
      const selected = await selectTable(options.session, schema, table);
      rows += selected.rows.length;
      const published = publishedName(logical, { schema, table });
      const rebuilt = tables.get(`${schema}.${published.table}`, published.part);
      differences += compareTable(name, selected, rebuilt, examples);
      count(unseen, `${schema}.${published.table}`, -(rebuilt?.size ?? 0));
    }
  }
  for (const [name, size] of unseen) {
    differences += size;
    if (size > 0) examples.push(`${name}: the source has no such table, the topics have ${size} rows.`);
  }
  return { rows, messages, differences, examples: examples.slice(0, MAX_EXAMPLES) };
}

/** Compares as bags of rows, so tables without a key are served too. */
function compareTable(
  name: string,
  selected: SelectedTable,
  rebuilt: KeptRows | undefined,
  examples: string[],
): number {
  const surplus = new Map<string, number>();
  for (const row of selected.rows) count(surplus, JSON.stringify(row), 1);
  if (rebuilt !== undefined) {
    const types = new Map(rebuilt.fields.map(field => [field.name, field.type]));
    for (const values of rebuilt.rows()) {
      const row = selected.columns.map(column => comparable(values[column] ?? null, types.get(column)));
      count(surplus, JSON.stringify(row), -1);
    }
  }
  let differences = 0;
  for (const [row, times] of surplus) {
    if (times === 0) continue;
    differences += Math.abs(times);
    if (examples.length < MAX_EXAMPLES)
      examples.push(`${name}: only ${times > 0 ? 'the source' : 'the topics'} has ${row}.`);
  }
  return differences;
}

function count(bag: Map<string, number>, row: string, by: number): void {
  bag.set(row, (bag.get(row) ?? 0) + by);
}

/** A float's shortest text and the server's double text of it are one value. */
function comparable(value: UmsValue, type: string | undefined): UmsValue {
  return type === 'float' && typeof value === 'number' ? Math.fround(value) : value;
}
