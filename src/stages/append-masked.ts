import { describeMask } from '../masking/describe-mask.ts';
import type { TableMasks } from '../masking/mask-spec.ts';
import type { UmsField } from '../ums/types.ts';

/** What masks the columns of a table. */
export interface MaskedState {
  /** Of the line's masks: 0 for those of the line file, more after each change on the running line. */
  readonly revision: number;
  /** The mask of each masked column, as `describeMask` has it: without secrets. */
  readonly columns: Readonly<Record<string, string>>;
}

/** What masks these columns, which are as messages describe them; null for nothing. */
export function maskedState(
  revision: number,
  masks: TableMasks | null,
  fields: readonly UmsField[],
): MaskedState | null {
  const columns = fields.flatMap(({ name, encoded }) => {
    const rule = encoded ? masks?.ruleOf(name) : null;
    return rule == null ? [] : [[name, describeMask(rule)] as const];
  });
  return columns.length === 0 ? null : { revision, columns: Object.fromEntries(columns) };
}

/** Whether two of them say the same. */
export function sameMasked(a: MaskedState | null | undefined, b: MaskedState | null | undefined): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

/** What rows are told apart by, as text: the columns of their key, and what masks them. */
export function keyedBy(masked: MaskedState | null, primaryKey: readonly string[]): string {
  return JSON.stringify(primaryKey.map(name => [name, masked?.columns[name] ?? null]));
}

/**
 * Whether a row is called otherwise from here on, because another mask, or none, is on a column that tells rows apart or places them. A consumer that holds rows under their
 * old keys has to know.
 */
export function keysChange(
  before: MaskedState | null | undefined,
  after: MaskedState | null,
  columns: readonly string[],
): boolean {
  return columns.some(name => before?.columns[name] !== after?.columns[name]);
}
