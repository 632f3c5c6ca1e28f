import { Buffer } from 'node:buffer';
import { isUmbusError, messageOf } from '../../core/errors.ts';
import { describeMask } from '../../masking/describe-mask.ts';
import type { TableMasks } from '../../masking/mask-spec.ts';
import { maskPlan, maskTuple } from '../../masking/row-mask.ts';
import { TupleBuffer } from '../../ums/tuple-buffer.ts';
import type { UmsField, UmsValue } from '../../ums/types.ts';
import { looksPersonal } from './personal-data.ts';

/** Rows of a table as they are. */
export interface PlainRows {
  /** `schema.table`. */
  readonly table: string;
  readonly fields: readonly UmsField[];
  readonly primaryKey: readonly string[];
  readonly rows: readonly (readonly UmsValue[])[];
}

/** A column, and what masks it. */
export interface SampledColumn {
  readonly name: string;
  readonly type: string;
  readonly key: boolean;
  /** With its parameters and pattern; null for none. */
  readonly mask: string | null;
  /** No mask, but a name that says it should perhaps have one. */
  readonly personal: boolean;
}

/** What `umbus mask` shows. */
export interface MaskedSample {
  readonly table: string;
  readonly columns: readonly SampledColumn[];
  /** Why the table would be parked as a whole; null when it would not. */
  readonly problem: string | null;
  readonly rows: readonly {
    readonly plain: readonly UmsValue[];
    /** Null when a mask fails for the row, which `problem` says. */
    readonly masked: readonly UmsValue[] | null;
    readonly problem: string | null;
  }[];
}

const SPARE_BYTES = 8;

/** Masks sample rows with the code that masks changes and full pulls. */
export function sideBySide(
  { table, fields, primaryKey, rows }: PlainRows,
  masks: TableMasks | null,
): MaskedSample {
  const columns = fields.map(({ name, type }) => {
    const rule = masks?.ruleOf(name) ?? null;
    return {
      name,
      type,
      key: primaryKey.includes(name),
      mask: rule === null ? null : describeMask(rule),
      personal: rule === null && looksPersonal(name),
    };
  });
  try {
    const plan = maskPlan(masks, table, fields, primaryKey);
    return {
      table,
      columns,
      problem: null,
      rows: rows.map(plain => {
        if (plan === null) return { plain, masked: plain, problem: null };
        try {
          return { plain, masked: maskedRow(plain, plan), problem: null };
        } catch (error) {
          return { plain, masked: null, problem: textOf(error) };
        }
      }),
    };
  } catch (error) {
    return {
      table,
      columns,
      problem: textOf(error),
      rows: rows.map(plain => ({ plain, masked: null, problem: null })),
    };
  }
}

function maskedRow(plain: readonly UmsValue[], plan: Parameters<typeof maskTuple>[0]): readonly UmsValue[] {
  const tuple = Buffer.from(plain.map(value => `,${JSON.stringify(value)}`).join(''), 'utf8');
  const out = new TupleBuffer();
  out.grow(0, tuple.length + 1);
  tuple.copy(out.bytes);
  // Where a value ends is seen by what follows it.
  out.bytes[tuple.length] = 93;
  const end = maskTuple(plan, out, 0, tuple.length, SPARE_BYTES);
  // A tuple that we wrote.
  return JSON.parse(`[${out.bytes.toString('utf8', 1, end)}]`) as readonly UmsValue[];
}

function textOf(error: unknown): string {
  return isUmbusError(error) ? `${error.code}: ${error.message}` : messageOf(error);
}
