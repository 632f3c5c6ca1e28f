import { bigEndian, type ColumnCode, type ColumnPlace, fixedSize, orInvalid, quoted } from './column-code.ts';
import { DECIMAL_GROUP_BYTES, decimalShape } from './decimal.ts';

/** Bytes of the longest number text that `writeFloat` and `writeDouble` make. */
const FLOAT_TEXT_BYTES = 26;

/** TINYINT to INT, of 1 to 4 bytes, little-endian. INT UNSIGNED does not fit an `int` of UMS and becomes a `long`. */
export function integerCode(place: ColumnPlace, bytes: 1 | 2 | 3 | 4, unsigned: boolean): ColumnCode {
  const value = {
    1: unsigned ? 'b[o]' : 'd.getInt8(o)',
    2: unsigned ? 'd.getUint16(o,true)' : 'd.getInt16(o,true)',
    3: unsigned ? 'd.getUint16(o,true)|b[o+2]<<16' : 'd.getUint16(o,true)|d.getInt8(o+2)<<16',
    4: unsigned ? 'd.getUint32(o,true)' : 'd.getInt32(o,true)',
  }[bytes];
  const write = `p=writeInteger(${value},w,p);`;
  return bytes === 4 && unsigned
    ? fixedSize(place, 'long', 4, 12, quoted(write))
    : fixedSize(place, 'int', bytes, 12, write);
}

/** BIGINT. */
export function bigintCode(place: ColumnPlace, unsigned: boolean): ColumnCode {
  const write = unsigned
    ? 'p=writeUnsigned64(d.getUint32(o+4,true),d.getUint32(o,true),w,p);'
    : 'p=writeSigned64(d.getInt32(o+4,true),d.getUint32(o,true),w,p);';
  return fixedSize(place, 'long', 8, 23, quoted(write));
}

/** FLOAT: the shortest number that rounds to the same four bytes. */
export function floatCode(place: ColumnPlace): ColumnCode {
  const write = `p=writeFloat(d.getFloat32(o,true),w,p);${orInvalid(place)}`;
  return fixedSize(place, 'float', 4, FLOAT_TEXT_BYTES, write);
}

/** DOUBLE: the shortest number that rounds to the same eight bytes. */
export function doubleCode(place: ColumnPlace): ColumnCode {
  const write = `p=writeDouble(d.getFloat64(o,true),w,p);${orInvalid(place)}`;
  return fixedSize(place, 'double', 8, FLOAT_TEXT_BYTES, write);
}

/** YEAR: one byte, years from 1900; 0 is year 0. */
export function yearCode(place: ColumnPlace): ColumnCode {
  return fixedSize(place, 'int', 1, 4, 'p=writeInteger(b[o]===0?0:1900+b[o],w,p);');
}

/** BIT(1) to BIT(64), big-endian. Up to 31 bits an `int`, above a `long`. */
export function bitCode(place: ColumnPlace, bits: number): ColumnCode {
  const bytes = (bits + 7) >> 3;
  if (bits <= 31) return fixedSize(place, 'int', bytes, 12, `p=writeInteger(${bigEndian(bytes)},w,p);`);
  const high = bytes > 4 ? bigEndian(bytes - 4) : '0';
  const write = `p=writeUnsigned64(${high},${bigEndian(4, bytes - 4)},w,p);`;
  return fixedSize(place, 'long', bytes, 23, quoted(write));
}

/**
 * DECIMAL: groups of nine digits in four bytes and shorter groups at both ends, big-endian, the first bit inverted and all
 * bits inverted when negative (MySQL source documentation, `decimal2bin`). All digits of the scale are written.
 */
export function decimalCode(place: ColumnPlace, precision: number, scale: number): ColumnCode {
  const { groups, fractionFrom, bytes } = decimalShape(precision, scale);
  const code = ['const neg=b[o]<128,m=neg?-1:0;let n;if(neg)w[p++]=45;'];
  if (fractionFrom > 0) code.push('let z=true;');
  let at = 0;
  for (const [i, digits] of groups.entries()) {
    const size = DECIMAL_GROUP_BYTES[digits] ?? 4;
    const mask = size === 4 ? 'm' : `(m&${2 ** (8 * size) - 1})`;
    const sign = i === 0 ? `^${2 ** (8 * size - 1)}` : '';
    code.push(
      `n=(${bigEndian(size, at)}^${mask}${sign})>>>0;if(n>${10 ** digits - 1})invalid(${place.index});`,
    );
    if (i < fractionFrom) {
      code.push(`if(!z)p=writePadded(n,${digits},w,p);else if(n!==0){p=writeInteger(n,w,p);z=false;}`);
    } else {
      if (i === fractionFrom) code.push('w[p++]=46;');
      code.push(`p=writePadded(n,${digits},w,p);`);
    }
    at += size;
    if (i === fractionFrom - 1) code.push('if(z)w[p++]=48;');
  }
  if (fractionFrom === 0) code.splice(1, 0, 'w[p++]=48;');
  return fixedSize(place, 'decimal', bytes, precision + 5, quoted(`{${code.join('')}}`));
}
