import type { TupleBuffer } from '../../ums/tuple-buffer.ts';
import type { UmsField } from '../../ums/types.ts';

/**
 * Replaces values of tuples before anybody sees them. It works on tuples as they are written, after all conversion, so whoever writes tuples of a table, from the binlog or
 * from a query, uses the same one.
 */
export interface RowMask {
  /** The columns as messages describe the masked rows, without system columns. */
  readonly fields: readonly UmsField[];
  /** Indexes of the columns whose places `apply` is given, ascending. */
  readonly columns: readonly number[];
  /** Whether the primary key that consumers see may change in an update that does not change the source's. */
  readonly rekeys: boolean;
  /**
   * Masks a tuple that ends, for now, at `p` of `out.bytes`: `places` has begin and end of the JSON value of each of `columns`. Gives the new end, with `spare` bytes free beyond; may
   * replace the buffer of `out`. Errors: UMBUS_MASK_FAILED, which names no value; the tuple is of no use then.
   */
  apply(out: TupleBuffer, places: Float64Array, p: number, spare: number): number;
}

/** The code of compile.ts around masked columns: nothing for a table without masks. */
export interface MaskCode {
  /** The code of a column's value with its place noted, where it is needed. */
  readonly around: (index: number, write: string) => string;
  /** Masks the tuple, when all of its columns are written. */
  readonly apply: string;
}

/** Makes that code; `constant` gives a value a name. */
export function maskCode(mask: RowMask | null, constant: (value: unknown) => string): MaskCode {
  if (mask === null) return { around: (_, write) => write, apply: '' };
  const places = constant(new Float64Array(2 * mask.columns.length));
  const apply = constant(mask.apply.bind(mask));
  const slots = new Map(mask.columns.map((column, slot) => [column, slot]));
  return {
    around(index, write) {
      const slot = slots.get(index);
      return slot === undefined ? write : `${places}[${2 * slot}]=p;${write}${places}[${2 * slot + 1}]=p;`;
    },
    apply: `p=${apply}(out,${places},p,F);w=out.bytes;v=out.view;cap=w.length;`,
  };
}
