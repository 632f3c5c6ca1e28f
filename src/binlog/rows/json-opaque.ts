/** Values of a JSON document that JSON itself does not have: decimals, dates and times, and any other SQL type as base64. */
import type { Buffer } from 'node:buffer';
import { writeDate, writeFraction, writeTime } from '../../ums/time-text.ts';
import { ColumnType } from '../column-type.ts';
import { DECIMAL_PRECISION_MAX, DECIMAL_SCALE_MAX, decimalShape, writeDecimal } from './decimal.ts';
import { writeTimeText } from './temporal.ts';

const MICRO_DIGITS = 6;
/** Letters of base64 in a line, as the server breaks them. */
const BASE64_LINE = 76;

/**
 * Writes the value of a column type in bytes `o` to `e` at `p`; texts get quotes that are escaped once. Needs room for twice the bytes plus
 * 150. Returns the place after it, or -1 when the bytes are no value of the type.
 * Source: MySQL source documentation, `Json_wrapper::to_string` and `my_time.cc` for the packed times.
 */
export function writeOpaque(
  type: number,
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  w: Buffer,
  p: number,
): number {
  switch (type) {
    case ColumnType.NEWDECIMAL:
      return writeOpaqueDecimal(d, o, e, w, p);
    case ColumnType.DATE:
    case ColumnType.DATETIME:
    case ColumnType.TIMESTAMP:
    case ColumnType.TIME:
      return e - o === 8 ? writePackedTime(type, b.readBigInt64LE(o), w, p) : -1;
    default: {
      const base64 = b.toString('base64', o, e).replaceAll(LINE, '$&\\\\n');
      return p + w.write(`\\"base64:type${type}:${base64}\\"`, p, 'latin1');
    }
  }
}

/** A full line of base64 that is not the last. */
const LINE = new RegExp(`.{${BASE64_LINE}}(?=.)`, 'g');

/** Precision, scale, and the bytes of a DECIMAL. */
function writeOpaqueDecimal(d: DataView, o: number, e: number, w: Buffer, p: number): number {
  if (e - o < 3) return -1;
  const precision = d.getUint8(o);
  const scale = d.getUint8(o + 1);
  if (precision < 1 || precision > DECIMAL_PRECISION_MAX || scale > Math.min(precision, DECIMAL_SCALE_MAX)) {
    return -1;
  }
  if (e - o - 2 !== decimalShape(precision, scale).bytes) return -1;
  return writeDecimal(d, o + 2, precision, scale, w, p);
}

/** Date and time packed into 64 bits: year · 13 + month, day in 5 bits, hour in 5 (10 for TIME), minute in 6, second in 6, microseconds in 24. */
function writePackedTime(type: number, packed: bigint, w: Buffer, p: number): number {
  const size = packed < 0n ? -packed : packed;
  const micros = Number(size & 0xff_ffffn);
  const clock = Number((size >> 24n) & 0x1_ffffn);
  const days = Number(size >> 41n);
  const minute = (clock >> 6) & 63;
  const second = clock & 63;
  if (micros > 999_999 || minute > 59 || second > 59) return -1;
  w[p] = 92;
  let end: number;
  if (type === ColumnType.TIME) {
    const hour = Number((size >> 36n) & 0x3ffn);
    end = writeTimeText(packed < 0n, hour, minute, second, micros, MICRO_DIGITS, w, p + 1);
    if (end < 0) return -1;
    end--; // before the quote, which gets its backslash below
  } else {
    const months = days >> 5;
    const year = Math.floor(months / 13);
    if (packed < 0n || year > 9999 || clock >> 12 > 23) return -1;
    w[p + 1] = 34;
    end = writeDate(year, months - year * 13, days & 31, w, p + 2);
    if (type !== ColumnType.DATE) {
      w[end] = 32;
      end = writeFraction(micros, MICRO_DIGITS, w, writeTime(clock >> 12, minute, second, w, end + 1));
    }
  }
  w[end] = 92;
  w[end + 1] = 34;
  return end + 2;
}
