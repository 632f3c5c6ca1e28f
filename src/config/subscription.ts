import { signalKind } from '../change/signal-tables.ts';
import type { LineSchema } from './line.ts';

/** Whether a table is meant, by the exact names of its schema and itself. Pure and quick enough to be asked for each table map. */
export type TablePredicate = (schema: string, table: string) => boolean;

/** The part of a line that says which tables are published. */
export interface TableChoices {
  readonly schemas: Readonly<Record<string, Pick<LineSchema, 'tables' | 'exclude' | 'beforeImage'>>>;
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
  return (schema, table) => marked(schema, table) && published(schema, table);
}

/** Matches a name against patterns in which `*` stands for any text and `?` for one character; case counts. Compiled once. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const exact = new Set(patterns.filter(pattern => !/[*?]/.test(pattern)));
  const wild = patterns.filter(pattern => /[*?]/.test(pattern)).map(splitPattern);
  return name => exact.has(name) || wild.some(parts => matchesParts(Array.from(name), parts));
}

function bySchema(
  line: TableChoices,
  compile: (schema: TableChoices['schemas'][string]) => (table: string) => boolean,
): TablePredicate {
  const compiled = new Map(Object.entries(line.schemas).map(([name, schema]) => [name, compile(schema)]));
  return (schema, table) => compiled.get(schema)?.(table) ?? false;
}

/** The texts between the stars, as characters. */
function splitPattern(pattern: string): readonly (readonly string[])[] {
  return pattern.split('*').map(part => Array.from(part));
}

/** Each part at the first place it fits, the last one at the end: linear in name times pattern, unlike a regular expression with many stars. */
function matchesParts(name: readonly string[], parts: readonly (readonly string[])[]): boolean {
  const first = parts[0] ?? [];
  const last = parts.at(-1) ?? [];
  if (parts.length === 1) return name.length === first.length && fits(name, 0, first);
  if (name.length < first.length + last.length) return false;
  if (!fits(name, 0, first) || !fits(name, name.length - last.length, last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    while (from + part.length <= end && !fits(name, from, part)) from++;
    if (from + part.length > end) return false;
    from += part.length;
  }
  return true;
}

function fits(name: readonly string[], at: number, part: readonly string[]): boolean {
  return part.every((character, index) => character === '?' || character === name[at + index]);
}
