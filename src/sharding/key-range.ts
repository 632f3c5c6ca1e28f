import type { KeyColumn } from './key-column.ts';
import type { SplitKey } from './split-key.ts';

/** Key values as SQL literals (`keyLiteral`), one for each column of the split key. */
export type KeyLiterals = readonly string[];

/** A stretch of a table by its split key: behind `after`, up to and with `upTo`. Null: no bound on that side. */
export interface KeyRange {
  readonly after: KeyLiterals | null;
  readonly upTo: KeyLiterals | null;
}

/** All of a table. */
export const WHOLE_TABLE: KeyRange = { after: null, upTo: null };

/** A name in backquotes. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** The columns of a split key, for SELECT and ORDER BY. */
export function keyNames({ columns }: SplitKey): string {
  return columns.map(({ name }) => quoteName(name)).join(', ');
}

/** What bounds of shards are values of, as text: bounds of one key mean nothing to another. `null`: the table is not cut. */
export function cutText(key: SplitKey | null): string {
  return JSON.stringify(
    key === null
      ? null
      : key.columns.map(({ name, form, charset, collation }) => [name, form, charset, collation]),
  );
}

/**
 * The condition that a row is in a range; '' for all rows. Written out by columns, the first of which bounds the index on both sides: neither server reads a range of an index for `(a, b) > (x, y)`.
 */
export function rangeCondition({ columns }: SplitKey, { after, upTo }: KeyRange): string {
  const conditions = [
    ...(after === null ? [] : [compared(columns, after, '>', '>')]),
    ...(upTo === null ? [] : [compared(columns, upTo, '<', '<=')]),
  ];
  return conditions.join(' AND ');
}

/** `(a, b, c)` compared with literals: `a >= x AND (a > x OR (b >= y AND (b > y OR c > z)))`, which is the same and reads the index by `a`. */
function compared(
  columns: readonly KeyColumn[],
  literals: KeyLiterals,
  strict: '<' | '>',
  last: '>' | '<=',
): string {
  const [column, ...others] = columns;
  const [literal, ...behind] = literals;
  if (column === undefined || literal === undefined) return 'TRUE';
  const name = quoteName(column.name);
  if (others.length === 0) return `${name} ${last} ${literal}`;
  return `${name} ${strict}= ${literal} AND (${name} ${strict} ${literal} OR (${compared(others, behind, strict, last)}))`;
}
