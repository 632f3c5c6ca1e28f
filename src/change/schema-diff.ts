import type { SchemaChange, SchemaColumn, TableSchema, TypeChange, Verdict } from '../ums/table-schema.ts';
import { holdsCharset } from './charset-width.ts';
import { compareTypes } from './type-values.ts';

/** Verdicts, the harmless first. */
export const verdicts: readonly Verdict[] = ['compatible', 'widening', 'breaking'];

/** All that is different, and the worst of it. */
export interface SchemaDiff {
  readonly verdict: Verdict;
  /** In the order of the columns after, what was dropped first and the key last; [] when nothing is different. */
  readonly changes: readonly SchemaChange[];
}

/** A column that a statement renames. */
export interface ColumnRename {
  readonly from: string;
  readonly to: string;
}

/** Compares two schemas of a table. `renames`: what the statements in between say, in order. */
export function diffSchemas(
  before: TableSchema,
  after: TableSchema,
  renames: readonly ColumnRename[] = [],
): SchemaDiff {
  const pairs = pairsOf(before, after, renames);
  const paired = new Set([...pairs.values()].map(({ column }) => column));
  const dropped = before.columns
    .filter(column => !paired.has(column))
    .map((column): SchemaChange => ({ kind: 'dropped', verdict: 'breaking', column }));
  const moved = movedOf(before, after, pairs);
  const ofColumns = after.columns.flatMap((column, at): SchemaChange[] => {
    const pair = pairs.get(column);
    if (pair === undefined) return [{ kind: 'added', verdict: 'widening', column, at }];
    const changes = columnChanges(pair.column, column, pair.sure);
    return moved.has(column)
      ? [...changes, { kind: 'moved', verdict: 'compatible', name: column.name, at }]
      : changes;
  });
  const changes = [...dropped, ...ofColumns, ...keyChange(before, after, pairs)];
  return { changes, verdict: worst(changes.map(({ verdict }) => verdict)) };
}

/** The worst of some verdicts; `compatible` of none. */
export function worst(some: readonly Verdict[]): Verdict {
  return verdicts[Math.max(0, ...some.map(verdict => verdicts.indexOf(verdict)))] ?? 'breaking';
}

interface Pair {
  /** The column before. */
  readonly column: SchemaColumn;
  readonly sure: boolean;
}

/** For each column after that was there before: what it was. */
function pairsOf(
  before: TableSchema,
  after: TableSchema,
  renames: readonly ColumnRename[],
): ReadonlyMap<SchemaColumn, Pair> {
  const old = new Map(before.columns.map(column => [column.name, column]));
  const pairs = new Map<SchemaColumn, Pair>();
  const pair = (column: SchemaColumn, from: SchemaColumn | undefined, sure = true): void => {
    if (from === undefined || !old.delete(from.name)) return;
    pairs.set(column, { column: from, sure });
  };
  const origins = originsOf(renames);
  for (const column of after.columns) pair(column, old.get(origins.get(column.name) ?? ''));
  // What the statements say of columns that are not there counts for nothing.
  for (const column of after.columns) if (!pairs.has(column)) pair(column, old.get(column.name));
  const come = after.columns.filter(column => !pairs.has(column));
  const [to] = come;
  const [from] = old.values();
  if (from === undefined || to === undefined || old.size > 1 || come.length > 1) return pairs;
  const samePlace = before.columns.indexOf(from) === after.columns.indexOf(to);
  if (samePlace && from.type === to.type && from.charset === to.charset) pair(to, from, false);
  return pairs;
}

/** By the name at the end of a chain of renames: the name at its beginning. */
function originsOf(renames: readonly ColumnRename[]): ReadonlyMap<string, string> {
  const origin = new Map<string, string>();
  for (const { from, to } of renames) {
    const first = origin.get(from) ?? from;
    origin.delete(from);
    origin.set(to, first);
  }
  return origin;
}

function columnChanges(before: SchemaColumn, after: SchemaColumn, sure: boolean): SchemaChange[] {
  const { name } = after;
  const changes: SchemaChange[] = [];
  if (before.name !== name)
    changes.push({ kind: 'renamed', verdict: 'breaking', name, from: before.name, sure });
  if (before.type !== after.type || before.umsType !== after.umsType) {
    const change = compareTypes(before, after);
    changes.push({ kind: 'type', verdict: typeVerdict(change, before, after), name, change, before, after });
  }
  if (before.charset !== undefined && after.charset !== undefined && before.charset !== after.charset) {
    const verdict = holdsCharset(after.charset, before.charset) ? 'compatible' : 'breaking';
    changes.push({ kind: 'charset', verdict, name, before: before.charset, after: after.charset });
  }
  if (before.mask !== after.mask) {
    const masks = { before: before.mask ?? null, after: after.mask ?? null };
    changes.push({ kind: 'mask', verdict: 'breaking', name, ...masks });
  }
  if (before.nullable !== after.nullable) {
    const verdict = after.nullable ? 'widening' : 'compatible';
    changes.push({ kind: 'nullability', verdict, name, nullable: after.nullable });
  }
  return changes;
}

function typeVerdict(change: TypeChange, before: SchemaColumn, after: SchemaColumn): Verdict {
  // Another UMS type is another form in JSON, however well its values fit.
  if (before.umsType !== after.umsType || change === 'narrowed' || change === 'changed') return 'breaking';
  return change === 'widened' ? 'widening' : 'compatible';
}

/** The columns to move, as few as can be, so that those that stayed are in their new order. */
function movedOf(
  before: TableSchema,
  after: TableSchema,
  pairs: ReadonlyMap<SchemaColumn, Pair>,
): ReadonlySet<SchemaColumn> {
  const places = new Map(before.columns.map((column, index) => [column, index]));
  const stayed = after.columns.filter(column => pairs.has(column));
  const order = stayed.map(column => places.get(pairs.get(column)?.column ?? column) ?? 0);
  const kept = longestRise(order);
  return new Set(stayed.filter((_, index) => !kept.has(index)));
}

/** Indexes of a longest rising subsequence of distinct numbers. */
function longestRise(numbers: readonly number[]): ReadonlySet<number> {
  /** By length: the index where the rise of that length with the lowest end ends. */
  const ends: number[] = [];
  const previous: number[] = [];
  for (const [index, number] of numbers.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((numbers[ends[middle] ?? 0] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    previous.push(low === 0 ? -1 : (ends[low - 1] ?? -1));
    ends[low] = index;
  }
  const rise = new Set<number>();
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) rise.add(at);
  return rise;
}

function keyChange(
  before: TableSchema,
  after: TableSchema,
  pairs: ReadonlyMap<SchemaColumn, Pair>,
): SchemaChange[] {
  const named = new Map([...pairs].map(([column, pair]) => [pair.column.name, column.name]));
  const renamed = before.primaryKey.map(name => named.get(name) ?? name);
  if (JSON.stringify(renamed) === JSON.stringify(after.primaryKey)) return [];
  return [{ kind: 'key', verdict: 'breaking', before: before.primaryKey, after: after.primaryKey }];
}
