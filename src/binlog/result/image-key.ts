import { Buffer } from 'node:buffer';
import { unreachable } from '../../core/assert.ts';
import { UTC } from '../../ums/zone.ts';
import { decimalShape, writeDecimal } from '../rows/decimal.ts';
import { writeDateColumn, writeDateTime2, writeTime2, writeTimestamp2 } from '../rows/temporal.ts';
import type { Conversion, ResultColumn } from './result-column.ts';

/**
 * The values of some columns of the row image at `o`, each in the bytes that a text result has for it: the key of the last row of a page, from which the next goes on. `indexes`: of columns
 * that are not NULL.
 */
export function imageKey(
  columns: readonly ResultColumn[],
  indexes: readonly number[],
  bytes: Buffer,
  o: number,
): readonly Buffer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = Math.max(...indexes);
  const found = new Map<number, Buffer>();
  let at = o + ((columns.length + 7) >> 3);
  for (const [i, column] of columns.entries()) {
    if (i > last) break;
    if (((bytes[o + (i >> 3)] ?? 0) & (1 << (i & 7))) !== 0) continue;
    const end = valueEnd(column.conversion, bytes, at);
    if (indexes.includes(i)) found.set(i, valueText(column, bytes, view, at, end));
    at = end;
  }
  return indexes.map(index => found.get(index) ?? Buffer.alloc(0));
}

function valueEnd(conversion: Conversion, bytes: Buffer, at: number): number {
  switch (conversion.kind) {
    case 'number':
    case 'bits':
      return at + conversion.bytes;
    case 'year':
      return at + 1;
    case 'date':
      return at + 3;
    case 'decimal':
      return at + decimalShape(conversion.precision, conversion.scale).bytes;
    case 'datetime':
      return at + 5 + ((conversion.digits + 1) >> 1);
    case 'timestamp':
      return at + 4 + ((conversion.digits + 1) >> 1);
    case 'time':
      return at + 3 + ((conversion.digits + 1) >> 1);
    case 'bytes':
      return at + conversion.lengthBytes + bytes.readUIntLE(at, conversion.lengthBytes);
    default:
      return unreachable(conversion);
  }
}

const TEXT_BYTES = 100;

function valueText(
  { map, conversion, address }: ResultColumn,
  bytes: Buffer,
  view: DataView,
  at: number,
  end: number,
): Buffer {
  switch (conversion.kind) {
    case 'number':
      return Buffer.from(integerText(bytes.subarray(at, end), map.unsigned === true));
    case 'year':
      return Buffer.from(bytes[at] === 0 ? '0' : String(1900 + (bytes[at] ?? 0)));
    case 'bits':
      return Buffer.from(bytes.subarray(at, end));
    case 'bytes': {
      const value = Buffer.from(bytes.subarray(at + conversion.lengthBytes, end));
      return address === null ? value : Buffer.from(addressText(address, value));
    }
    default: {
      const out = Buffer.alloc(TEXT_BYTES);
      const length = writeText(conversion, view, at, out);
      // Times are between quotes.
      return conversion.kind === 'decimal' ? out.subarray(0, length) : out.subarray(1, length - 1);
    }
  }
}

function writeText(
  conversion: Exclude<Conversion, { readonly kind: 'number' | 'year' | 'bits' | 'bytes' }>,
  view: DataView,
  at: number,
  out: Buffer,
): number {
  switch (conversion.kind) {
    case 'decimal':
      return writeDecimal(view, at, conversion.precision, conversion.scale, out, 0);
    case 'date':
      return writeDateColumn(view, at, out, 0);
    case 'datetime':
      return writeDateTime2(view, at, conversion.digits, out, 0);
    case 'timestamp':
      return writeTimestamp2(view, at, conversion.digits, UTC, out, 0);
    case 'time':
      return writeTime2(view, at, conversion.digits, out, 0);
    default:
      return unreachable(conversion);
  }
}

/** The text of an address that was read as bytes. */
function addressText(address: 'uuid' | 'inet4' | 'inet6', bytes: Buffer): string {
  const hex = bytes.toString('hex');
  switch (address) {
    case 'uuid':
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    case 'inet4':
      return bytes.join('.');
    case 'inet6':
      return (hex.match(/.{4}/g) ?? []).join(':');
    default:
      return unreachable(address);
  }
}

/** A little-endian integer of any size. */
function integerText(bytes: Buffer, unsigned: boolean): string {
  let value = 0n;
  for (const byte of Buffer.from(bytes).reverse()) value = value * 256n + BigInt(byte);
  return (unsigned ? value : BigInt.asIntN(8 * bytes.length, value)).toString();
}
