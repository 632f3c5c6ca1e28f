import { isGhostOf, isGhostOfGhOst, isSetAside } from './ghost-tables.ts';
import type { ColumnRename } from './schema-diff.ts';
import { type StatementTable, tableStatement } from './table-statement.ts';

/** A table by its full name. */
export interface FullName {
  readonly schema: string;
  readonly table: string;
}

/** What a statement does to one table, in the order in which it is done. */
export type TableEffect = {
  readonly table: string;
} /** The rows are gone; after `drop` the table is, too. */ & (
  | { readonly kind: 'empty'; readonly reason: 'truncate' | 'drop' }
  /** Rows went or came that no row event says. */
  | { readonly kind: 'reload' }
  /** The columns may be others at the next row. */
  | { readonly kind: 'alter'; readonly renames: readonly ColumnRename[] }
  /** A table of this name is there now. */
  | { readonly kind: 'create' }
  | Renaming
);

/** A table of this name went, or came, or both. */
export interface Renaming {
  readonly kind: 'rename';
  /** The name that the table has now which had this one; null when there was none, as far as the statement says. */
  readonly to: FullName | null;
  /** The name that the table had which has this one now; null for none. */
  readonly from: FullName | null;
  /** What is meant where names and order are those of a tool for online changes; null where they are not. */
  readonly online:
    | null
    /** `from` is a copy with the same rows, which takes the place of `to`. */
    | 'replaced'
    /** This is such a copy: its rows are those of `to`. */
    | 'copy'
    /** The table is put aside, and its copy is about to take its place. */
    | 'aside';
}

/** The effects of a statement on the tables of one schema; `default`: the session's. [] when it has none. */
export function tableEffects(sql: string, defaultSchema: string, owner: string): readonly TableEffect[] {
  const statement = tableStatement(sql);
  if (statement === null) return [];
  const fullName = ({ schema, table }: StatementTable): FullName => ({
    schema: schema ?? defaultSchema,
    table,
  });
  const own = (named: StatementTable | null): readonly string[] => {
    const name = named === null ? null : fullName(named);
    return name?.schema === owner ? [name.table] : [];
  };
  switch (statement.kind) {
    case 'truncate':
    case 'drop': {
      const { kind, tables } = statement;
      return tables.flatMap(own).map(table => ({ kind: 'empty', reason: kind, table }));
    }
    // Its tables are those that the reader knows of.
    case 'drop-schema':
      return [];
    case 'create':
      return own(statement.table).flatMap((table): TableEffect[] =>
        statement.replace
          ? [
              { kind: 'empty', reason: 'drop', table },
              { kind: 'create', table },
            ]
          : [{ kind: 'create', table }],
      );
    case 'rename':
      return renamings(
        statement.steps.map(({ from, to }) => ({ from: fullName(from), to: fullName(to) })),
        owner,
      );
    case 'alter': {
      const { table, renames, rows, exchanged, taken, renameTo } = statement;
      const effects = own(table).flatMap((name): TableEffect[] => [
        ...(rows === 'unknown' ? [{ kind: 'reload' as const, table: name }] : []),
        ...(rows === 'gone' ? [{ kind: 'empty' as const, reason: 'truncate' as const, table: name }] : []),
        { kind: 'alter', table: name, renames },
      ]);
      const step = renameTo === null ? [] : [{ from: fullName(table), to: fullName(renameTo) }];
      return [
        ...own(taken).map((name): TableEffect => ({ kind: 'empty', reason: 'drop', table: name })),
        ...own(exchanged).map((name): TableEffect => ({ kind: 'reload', table: name })),
        ...effects,
        ...renamings(step, owner),
      ];
    }
  }
}

/** The schema that a statement drops; null for any other statement. */
export function droppedSchema(sql: string): string | null {
  const statement = tableStatement(sql);
  return statement?.kind === 'drop-schema' ? statement.schema : null;
}

interface Step {
  readonly from: FullName;
  readonly to: FullName;
}

/** What steps of renaming come to in the end, by name, in the order in which they name them. */
function renamings(steps: readonly Step[], owner: string): readonly TableEffect[] {
  const names = new Map<string, FullName>();
  /** By name: the name at the beginning of the table that has it now; null for none. */
  const origin = new Map<string, string | null>();
  const keyOf = (name: FullName): string => {
    const key = JSON.stringify([name.schema, name.table]);
    if (!names.has(key)) {
      names.set(key, name);
      origin.set(key, key);
    }
    return key;
  };
  for (const { from, to } of steps) {
    const [fromKey, toKey] = [keyOf(from), keyOf(to)];
    if (fromKey === toKey) continue;
    origin.set(toKey, origin.get(fromKey) ?? null);
    origin.set(fromKey, null);
  }
  const sources = new Set(steps.map(({ from }) => JSON.stringify([from.schema, from.table])));
  const end = new Map<string, string>();
  for (const [key, from] of origin) if (from !== null) end.set(from, key);
  const effects = new Map<string, Renaming & FullName>();
  for (const [key, name] of names) {
    const now = origin.get(key) ?? null;
    // A name that is only ever taken had no table before.
    const to = sources.has(key) ? (names.get(end.get(key) ?? '') ?? null) : null;
    const from = now === null ? null : (names.get(now) ?? null);
    if (now === key || (to === null && from === null)) continue;
    effects.set(key, { kind: 'rename', ...name, to, from, online: onlineOf(name, to, from, end) });
  }
  return [...effects.values()].flatMap(({ schema, ...effect }): TableEffect[] => {
    if (schema !== owner) return [];
    const { from, to, table } = effect;
    const source = from === null ? undefined : effects.get(JSON.stringify([from.schema, from.table]));
    // What is put aside keeps its rows under the old name, as far as readers are told.
    const aside = source?.online === 'replaced' || source?.online === 'aside';
    return aside && to === null ? [{ kind: 'create', table }] : [effect];
  });
}

function onlineOf(
  name: FullName,
  to: FullName | null,
  from: FullName | null,
  end: ReadonlyMap<string, string>,
): Renaming['online'] {
  const { schema, table } = name;
  if (from !== null && from.schema === schema && isGhostOf(from.table, table)) {
    // Without `to` the table must have been put aside by a statement before.
    if (to !== null || isGhostOfGhOst(from.table, table)) return 'replaced';
  }
  if (from !== null || to === null || to.schema !== schema) return null;
  if (isSetAside(to.table, table)) return 'aside';
  const target = JSON.stringify([to.schema, to.table]);
  const targetLeft = (end.get(target) ?? target) !== target;
  return isGhostOf(table, to.table) && (targetLeft || isGhostOfGhOst(table, to.table)) ? 'copy' : null;
}
