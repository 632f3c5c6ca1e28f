/** Columns of the model's tables: their values as UMS has them, and as the server writes them into row images. */
import { Buffer } from 'node:buffer';
import { ColumnType } from '../../src/binlog/column-type.ts';
import type { Random } from '../../src/testing/index.ts';
import type { UmsType, UmsValue } from '../../src/ums/types.ts';
import type { ColumnSpec } from '../support/binlog-builder.ts';

/** A column; `width` is in characters and of `varchar` only. */
export interface Column {
  readonly name: string;
  readonly kind: 'int' | 'bigint' | 'varchar' | 'decimal';
  readonly nullable: boolean;
  readonly width: number;
  /** How many different values the column takes; few make equal rows likely. */
  readonly variety: number;
}

/** A row: one value a column. `bigint` and `decimal` are text. */
export type Row = readonly UmsValue[];

const BYTES_PER_CHARACTER = 4;
/** DECIMAL(10,2): eight digits before the point, two after. */
const PRECISION_AND_SCALE = (10 << 8) | 2;
const WHOLE_BYTES = 4;

/** The UMS type of each kind of column. */
export const umsTypes: Readonly<Record<Column['kind'], UmsType>> = {
  int: 'int',
  bigint: 'long',
  varchar: 'string',
  decimal: 'decimal',
};

/** The column as a table map describes it. */
export function columnSpec({ name, kind, nullable, width }: Column): ColumnSpec {
  switch (kind) {
    case 'int':
      return { name, nullable, type: ColumnType.LONG };
    case 'bigint':
      return { name, nullable, type: ColumnType.LONGLONG };
    case 'varchar':
      return { name, nullable, type: ColumnType.VARCHAR, meta: width * BYTES_PER_CHARACTER };
    case 'decimal':
      return { name, nullable, type: ColumnType.NEWDECIMAL, meta: PRECISION_AND_SCALE };
  }
}

const texts = ['', 'a', 'tea', 'quote " and \\', 'two\nlines', 'größe', '茶', '🍵 pot', 'x'.repeat(40)];

/** A value of a column, NULL now and then where it may be. */
export function randomValue(column: Column, random: Random): UmsValue {
  if (column.nullable && random.chance(0.2)) return null;
  const number = random.below(column.variety);
  switch (column.kind) {
    case 'int':
      return random.chance(0.5) ? number : -number;
    case 'bigint':
      return String(BigInt(number) * 9_007_199_254_740_993n - 1n);
    case 'varchar':
      return `${number}${random.pick(texts) ?? ''}`.slice(0, column.width);
    case 'decimal':
      return `${random.chance(0.3) && number > 0 ? '-' : ''}${number}.${String(number % 100).padStart(2, '0')}`;
  }
}

/** A row image: the null bitmap, then the values that are not NULL. */
export function rowImage(columns: readonly Column[], row: Row): Buffer {
  const nulls = Buffer.alloc((columns.length + 7) >> 3);
  const values: Buffer[] = [];
  for (const [i, column] of columns.entries()) {
    const value = row[i] ?? null;
    if (value === null) nulls[i >> 3] = (nulls[i >> 3] ?? 0) | (1 << (i & 7));
    else values.push(encoded(column, String(value)));
  }
  return Buffer.concat([nulls, ...values]);
}

function encoded({ kind, width }: Column, value: string): Buffer {
  switch (kind) {
    case 'int': {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(Number(value));
      return bytes;
    }
    case 'bigint': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(value));
      return bytes;
    }
    case 'varchar': {
      const text = Buffer.from(value);
      const length = Buffer.alloc(width * BYTES_PER_CHARACTER > 255 ? 2 : 1);
      length.writeUIntLE(text.length, 0, length.length);
      return Buffer.concat([length, text]);
    }
    case 'decimal':
      return encodedDecimal(value);
  }
}

/** Big-endian groups of digits; the highest bit is set for numbers that are not negative, and all bits of the others are inverted. */
function encodedDecimal(value: string): Buffer {
  const negative = value.startsWith('-');
  const [whole = '0', fraction = '0'] = value.replace('-', '').split('.');
  const bytes = Buffer.alloc(WHOLE_BYTES + 1);
  bytes.writeUInt32BE(Number(whole));
  bytes[WHOLE_BYTES] = Number(fraction);
  bytes[0] = (bytes[0] ?? 0) ^ 0x80;
  return negative ? Buffer.from(bytes.map(byte => byte ^ 0xff)) : bytes;
}
