import type { UmsType, UmsValue } from '../ums/types.ts';

/** A key that a mask uses, under the name that the line file gives it. */
export interface MaskKey {
  readonly name: string;
  /** The secret as text; its UTF-8 bytes are the key. */
  readonly secret: string;
}

/** What masks a column: a type with its parameters, all defaults filled in and all secrets read. README.md, "Masking", says what each gives. */
export type MaskSpec =
  | { readonly kind: 'default-value' | 'null' }
  | { readonly kind: 'replace'; readonly text: string }
  | {
      readonly kind: 'md5' | 'murmur3';
      /** Null: none. */
      readonly salt: MaskKey | null;
      /** The column of the same row whose value is the salt; null: `salt` is. */
      readonly saltColumn: string | null;
    }
  | { readonly kind: 'regex'; readonly regex: string; readonly replacement: string }
  | {
      readonly kind: 'hmac-sha256';
      readonly key: MaskKey;
      /** Hexadecimal digits of a token, even. */
      readonly length: number;
    }
  | {
      readonly kind: 'keep-edges';
      /** Characters kept in front and at the end. */
      readonly first: number;
      readonly last: number;
      /** Stands for each character between. */
      readonly fill: string;
    }
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'bucket'; readonly size: BucketSize }
  | { readonly kind: 'digits'; readonly key: MaskKey }
  | {
      readonly kind: 'function';
      /** As {@link MaskFunctions} knows it. */
      readonly id: string;
      /** Other columns of the row that it is given; `all` for every one. */
      readonly columns: readonly string[] | 'all';
    };

/** The kinds of masks, in the order of the documentation. */
export const MASK_KINDS = [
  'default-value',
  'replace',
  'md5',
  'murmur3',
  'regex',
  'hmac-sha256',
  'digits',
  'keep-edges',
  'truncate',
  'bucket',
  'null',
  'function',
] as const satisfies readonly MaskSpec['kind'][];

/** The width of a bucket: of a date, or of a number as a decimal text greater than 0. */
export type BucketSize = { readonly unit: DateUnit } | { readonly step: string };

/** Parts of a date that a bucket may have. */
export const DATE_UNITS = ['year', 'quarter', 'month', 'day', 'hour'] as const;
/** One of {@link DATE_UNITS}. */
export type DateUnit = (typeof DATE_UNITS)[number];

/** A rule of the line file: which columns, and what masks them. */
export interface MaskRule {
  /** As the line file has it, for example `*.phone`. */
  readonly pattern: string;
  readonly spec: MaskSpec;
}

/** The rules that may concern a table. */
export interface TableMasks {
  /** The first rule that matches a column; null for none. */
  ruleOf(column: string): MaskRule | null;
  readonly functions: MaskFunctions;
}

/** The masks of a line. A change of them is another object. */
export interface MaskRules {
  /** Grows with every change on a running line; 0 for those of the line file. */
  readonly revision: number;
  /** Null when no rule can match a column of the table, whatever columns it has. */
  of(schema: string, table: string): TableMasks | null;
}

/** A line without masks. */
export const NO_MASKS: MaskRules = { revision: 0, of: () => null };

/** Runs the masks that a user wrote, outside this layer. */
export interface MaskFunctions {
  /** What a function gives for a value and other columns of its row, unchecked; or why it gives nothing. Never throws. */
  call(id: string, value: UmsValue, row: Readonly<Record<string, UmsValue>>): FunctionResult;
  /** Why a function cannot be called; null when it can. Ends a sentence that begins with the function. Never throws. */
  problemOf(id: string): string | null;
}

/** `failed`: ends a sentence that begins with the function's name; holds nothing that the function said. */
export type FunctionResult = { readonly value: unknown } | { readonly failed: string };

/** A line without functions of the user's. */
export const NO_FUNCTIONS: MaskFunctions = {
  call: () => ({ failed: 'is not there' }),
  problemOf: () => 'is not there',
};

/** A column that is to be masked. */
export interface MaskedColumn {
  readonly name: string;
  readonly type: UmsType;
  /** Whether consumers tell rows apart by it. */
  readonly key: boolean;
}

/** A value that is never null: as JSON gives it, or bytes for `binary` columns and for what is no text of its character set. */
export type PlainValue = string | number | boolean | Uint8Array;

/** The values of the row as they are, without system columns. */
export interface RowValues {
  /** Of all columns. */
  readonly names: readonly string[];
  /** Null: SQL NULL; undefined: the row image lacks it. Only for columns that the mask said it needs. */
  readonly of: (column: string) => UmsValue | undefined;
}

/** A mask has no value for what it was given. The reason ends a sentence that begins with the mask's name, and holds nothing of a value. */
export class MaskFault extends Error {}

/** The mask of one column. */
export interface ColumnMask {
  /** Other columns that it needs; `all` for every one. */
  readonly needs: readonly string[] | 'all';
  /** Gives the masked value, which is still to be checked against the column's type. Throws {@link MaskFault}; of anything else that it throws nothing is shown. */
  readonly mask: (value: PlainValue, row: RowValues) => unknown;
}
