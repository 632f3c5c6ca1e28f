import { UmbusError } from '../core/errors.ts';
import type { SourceTable } from './split-key.ts';

/**
 * The indexes of the columns that a pull reads: those `wanted`, and those `needed` to tell rows apart and to go on behind a row. Names are compared as the server compares them, without case. Null: they are all
 * columns. Errors: UMBUS_PULL_COLUMN for a name that no column has.
 */
export function chooseColumns(
  { schema, table, columns }: SourceTable,
  wanted: readonly string[],
  needed: readonly string[],
): ReadonlySet<number> | null {
  const indexes = new Map(columns.map(({ name }, i) => [name.toLowerCase(), i]));
  const chosen = new Set<number>();
  for (const name of [...wanted, ...needed]) {
    const index = indexes.get(name.toLowerCase());
    if (index === undefined) {
      const place = `${schema}.${table}`;
      throw new UmbusError('UMBUS_PULL_COLUMN', `The table ${place} has no column ${name} to pull.`, {
        details: { table: place, column: name },
      });
    }
    chosen.add(index);
  }
  return chosen.size === columns.length ? null : chosen;
}

/** The bitmap of a row event that has these columns of `count`. */
export function presentBits(count: number, chosen: ReadonlySet<number>): Uint8Array {
  const bits = new Uint8Array((count + 7) >> 3);
  for (const index of chosen) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return bits;
}
