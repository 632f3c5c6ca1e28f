/** Decodes hand-made row images of hand-made tables. */
import { Buffer } from 'node:buffer';
import { compileRows, type RowWriter } from '../../../src/binlog/rows/compile.ts';
import { parseTableMap } from '../../../src/binlog/table-map.ts';
import { TupleBuffer, viewOf } from '../../../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../../../src/ums/tuple-prefix.ts';
import { UTC, type Zone } from '../../../src/ums/zone.ts';
import { type ColumnSpec, tableMapBody } from '../../support/table-map-builder.ts';

export interface TableOptions {
  readonly primaryKey?: readonly number[];
  readonly metadata?: boolean;
  readonly zone?: Zone;
}

/** The decoder of table `shop.t`. */
export function writerOf(columns: readonly ColumnSpec[], options: TableOptions = {}): RowWriter {
  const { primaryKey, metadata, zone = UTC } = options;
  const spec = { tableId: 7, schema: 'shop', table: 't', columns };
  const body = tableMapBody({
    ...spec,
    ...(primaryKey === undefined ? {} : { primaryKey }),
    ...(metadata === undefined ? {} : { metadata }),
  });
  return compileRows(parseTableMap(body), { zone });
}

/** A row image: the null bitmap and the values of the columns that are not null. */
export function image(...values: readonly (Uint8Array | null)[]): Buffer {
  const bitmap = Buffer.alloc(Math.ceil(values.length / 8));
  for (const [i, value] of values.entries()) {
    if (value === null) bitmap[i >> 3] = (bitmap[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return Buffer.concat([bitmap, ...values.filter(value => value !== null)]);
}

export interface Written {
  readonly tuples: unknown[][];
  readonly out: TupleBuffer;
  /** The text of all tuples, as JSON. */
  readonly text: string;
}

/** Decodes images with one of a decoder's functions; more bytes stand before and behind them, which are not the event's. */
export function write(
  writer: RowWriter,
  form: 'rows' | 'pairs' | 'updates',
  images: Uint8Array,
  out = new TupleBuffer(16),
): Written {
  const before = 5;
  const bytes = Buffer.concat([Buffer.alloc(before, 0xee), images, Buffer.alloc(9, 0xee)]);
  const prefix = new TuplePrefix(UTC);
  prefix.file(1, 12);
  prefix.time(1_700_000_000, -1);
  prefix.event(999_998, form === 'rows' ? 'i' : 'u');
  const end = before + images.length;
  writer[form](
    bytes,
    viewOf(bytes),
    before,
    end,
    out,
    prefix,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  );
  const text = `[${out.bytes.toString('utf8', 0, Math.max(0, out.length - 1))}]`;
  const parsed: { tuple: unknown[] }[] = JSON.parse(text);
  return { tuples: parsed.map(({ tuple }) => tuple), out, text };
}

/** The JSON value that a column's bytes become. */
export function value(column: Omit<ColumnSpec, 'name'>, bytes: Uint8Array | null, zone: Zone = UTC): unknown {
  return write(writerOf([{ name: 'c', ...column }], { zone }), 'rows', image(bytes)).tuples[0]?.[4];
}

/** The JSON text that a column's bytes become. */
export function valueText(column: Omit<ColumnSpec, 'name'>, bytes: Uint8Array): string {
  const { text } = write(writerOf([{ name: 'c', ...column }]), 'rows', image(bytes));
  return text.replace(/^\[\{"tuple":\["[^"]*","[^"]*","[^"]*","[^"]*",/, '').replace(/\]\}\]$/, '');
}

/** The UMS type of a column. */
export function umsType(column: Omit<ColumnSpec, 'name'>): string | undefined {
  return writerOf([{ name: 'c', ...column }]).fields[0]?.type;
}

/** Bytes from hex text; spaces do not count. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** A number as bytes, little-endian. */
export function le(value: number | bigint, bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return buffer.subarray(0, bytes);
}

/** A number as bytes, big-endian. */
export function be(value: number | bigint, bytes: number): Buffer {
  return Buffer.from(le(value, bytes)).reverse();
}

/** Text with its length in front. */
export function sized(text: string | Uint8Array, lengthBytes: number): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([le(bytes.length, lengthBytes), bytes]);
}
