import type { UmsType } from './types.ts';

/** A column of a table. */
export interface SchemaColumn {
  readonly name: string;
  /** As the server writes it, in lower case: `varchar(20)`, `int unsigned`, `enum('a','b')`. Display widths are left out, since the binlog has none. */
  readonly type: string;
  readonly umsType: UmsType;
  readonly nullable: boolean;
  /** As the server names it; of columns of text only. */
  readonly charset?: string;
  /** Characters of a text type with a length, bytes of BINARY and VARBINARY, bits of BIT, digits of DECIMAL. */
  readonly length?: number;
  /** What masks it, in words and without secrets; absent for nothing. */
  readonly mask?: string;
  /** Digits behind the point of DECIMAL, and of the seconds of a time type. */
  readonly scale?: number;
}

/** The columns of a table, in its order, and its primary key, as of some position. */
export interface TableSchema {
  readonly columns: readonly SchemaColumn[];
  /** Names in key order; [] without one. */
  readonly primaryKey: readonly string[];
}

/** How the values of a type relate to those of the one before it. */
export type TypeChange =
  /** The same values, written or kept in another way. */
  | 'respelled'
  /** Every value of before, and more. */
  | 'widened'
  /** Fewer values: the server may have cut or rounded those that were stored. */
  | 'narrowed'
  /** Neither. */
  | 'changed';

/**
 * What a change of columns means to somebody who keeps what he has read. `compatible`: nothing to do. `widening`: what he holds fits still, but there will be values that
 * may not fit what he made for the old ones. `breaking`: what he holds, or how he reads, may be wrong from here on.
 */
export type Verdict = 'compatible' | 'widening' | 'breaking';

/** One thing that is different. Positions count from 0. */
export type SchemaChange = { readonly verdict: Verdict } & (
  | { readonly kind: 'added'; readonly column: SchemaColumn; readonly at: number }
  | { readonly kind: 'dropped'; readonly column: SchemaColumn }
  /** `sure`: the statement says so. Otherwise one column went and one came, in the same place and of the same type. */
  | { readonly kind: 'renamed'; readonly name: string; readonly from: string; readonly sure: boolean }
  | {
      readonly kind: 'type';
      readonly name: string;
      readonly change: TypeChange;
      readonly before: SchemaColumn;
      readonly after: SchemaColumn;
    }
  | { readonly kind: 'moved'; readonly name: string; readonly at: number }
  | { readonly kind: 'nullability'; readonly name: string; readonly nullable: boolean }
  | { readonly kind: 'charset'; readonly name: string; readonly before: string; readonly after: string }
  | {
      readonly kind: 'mask';
      readonly name: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  | { readonly kind: 'key'; readonly before: readonly string[]; readonly after: readonly string[] }
);
