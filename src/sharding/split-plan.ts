import { type KeyLiterals, type KeyRange, keyNames, quoteName, rangeCondition } from './key-range.ts';
import type { SplitKey } from './split-key.ts';

/** A table, or one partition of it, as a FROM clause. */
export function fromClause(schema: string, table: string, key: SplitKey | null): string {
  const hint = key === null ? '' : ` FORCE INDEX (${quoteName(key.index)})`;
  return `${quoteName(schema)}.${quoteName(table)}${hint}`;
}

/**
 * The statement that gives the key of the last row of the shard that begins behind `after`: no row when fewer than `rows` are left. It reads the index over the rows of one shard.
 * `rows`: at least 1.
 */
export function boundarySql(from: string, key: SplitKey, after: KeyLiterals | null, rows: number): string {
  const condition = rangeCondition(key, { after, upTo: null });
  const where = condition === '' ? '' : ` WHERE ${condition}`;
  const names = keyNames(key);
  return `SELECT ${names} FROM ${from}${where} ORDER BY ${names} LIMIT 1 OFFSET ${rows - 1}`;
}

/**
 * The statement that reads a range in key order, at most `limit` rows (null: all). `columns`: expressions; `condition`: one that `parseCondition` has passed, or null.
 * A table without a split key is read as it comes.
 */
export function rowsSql(
  from: string,
  key: SplitKey | null,
  range: KeyRange,
  columns: readonly string[],
  condition: string | null,
  limit: number | null,
): string {
  const conditions = [
    ...(key === null ? [] : [rangeCondition(key, range)]),
    ...(condition === null ? [] : [`(${condition})`]),
  ].filter(text => text !== '');
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const order = key === null ? '' : ` ORDER BY ${keyNames(key)}`;
  return `SELECT ${columns.join(', ')} FROM ${from}${where}${order}${limit === null ? '' : ` LIMIT ${limit}`}`;
}

/** A step of splitting: some shards in key order, and where the next step begins; null when these were the last. */
export interface SplitStep {
  readonly shards: readonly KeyRange[];
  readonly next: { readonly after: KeyLiterals } | null;
}

/**
 * Cuts up to `most` shards behind `after`. `boundary` gives the key of the last row of the shard behind a key, null when the rest is one shard. Shards of one splitting follow each other without a
 * gap and without an overlap whatever `boundary` answers, so rows that come and go meanwhile are in exactly one; the last one has no end. Errors: those of `boundary`.
 */
export async function splitStep(
  after: KeyLiterals | null,
  most: number,
  boundary: (after: KeyLiterals | null) => Promise<KeyLiterals | null>,
): Promise<SplitStep> {
  const shards: KeyRange[] = [];
  let from = after;
  while (shards.length < most) {
    const upTo = await boundary(from);
    shards.push({ after: from, upTo });
    if (upTo === null) return { shards, next: null };
    from = upTo;
  }
  return { shards, next: from === null ? null : { after: from } };
}
