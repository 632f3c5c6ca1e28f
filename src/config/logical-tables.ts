import { type LogicalName, OWN_NAME } from '../ums/namespace.ts';
import type { LineSchema } from './line.ts';
import { matcher } from './table-pattern.ts';

/** Tables whose names are kept ready; all make room when there are more. */
const KEPT = 10_000;

/** The part of a line that says which tables are one. */
export interface LogicalChoices {
  readonly schemas: Readonly<Record<string, Partial<Pick<LineSchema, 'logical'>>>>;
}

/**
 * Logical names by the names of schema and table: that of the first logical table one of whose patterns matches, else the table's own. `OWN_NAME` when the line has no logical tables.
 */
export function logicalName({ schemas }: LogicalChoices): LogicalName {
  const bySchema = new Map(
    Object.entries(schemas).flatMap(([schema, { logical = {} }]) => {
      const tables = Object.entries(logical).map(([name, patterns]) => ({
        name,
        matches: matcher(patterns),
      }));
      return tables.length === 0 ? [] : [[schema, tables] as const];
    }),
  );
  if (bySchema.size === 0) return OWN_NAME;
  const kept = new Map<string, string>();
  return (schema, table) => {
    const tables = bySchema.get(schema);
    if (tables === undefined) return table;
    const key = `${schema}.${table}`;
    let name = kept.get(key);
    if (name === undefined) {
      name = tables.find(({ matches }) => matches(table))?.name ?? table;
      if (kept.size >= KEPT) kept.clear();
      kept.set(key, name);
    }
    return name;
  };
}
