import { signalKind } from '../change/signal-tables.ts';
import type { LineSchema } from './line.ts';
import { logicalName } from './logical-tables.ts';
import { matcher } from './table-pattern.ts';

/** Whether a table is meant, by the exact names of its schema and itself. Pure and quick enough to be asked for each table map. */
export type TablePredicate = (schema: string, table: string) => boolean;

/** The part of a line that says which tables are published. */
export interface TableChoices {
  readonly schemas: Readonly<
    Record<
      string,
      Pick<LineSchema, 'tables' | 'exclude' | 'beforeImage'> & Partial<Pick<LineSchema, 'logical'>>
    >
  >;
}

/** The tables that a line publishes: one of the schema's `tables` matches and none of its `exclude`. */
export function subscription(line: TableChoices): TablePredicate {
  return bySchema(line, schema => {
    const wanted = matcher(schema.tables);
    const unwanted = matcher(schema.exclude);
    return table => wanted(table) && !unwanted(table);
  });
}

/** umbus's own tables in the source. */
export function signalTables({ signals }: { readonly signals: { readonly schema: string } }): TablePredicate {
  return (schema, table) => signalKind(signals.schema, schema, table) !== null;
}

/** The published tables whose updates carry a `b` row. */
export function beforeImage(line: TableChoices): TablePredicate {
  const published = subscription(line);
  const marked = bySchema(line, schema => matcher(schema.beforeImage));
  const logical = logicalName(line);
  return (schema, table) => marked(schema, logical(schema, table)) && published(schema, table);
}

function bySchema(
  line: TableChoices,
  compile: (schema: TableChoices['schemas'][string]) => (table: string) => boolean,
): TablePredicate {
  const compiled = new Map(Object.entries(line.schemas).map(([name, schema]) => [name, compile(schema)]));
  return (schema, table) => compiled.get(schema)?.(table) ?? false;
}
