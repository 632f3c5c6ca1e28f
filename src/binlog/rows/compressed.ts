/**
 * Columns that MariaDB stores compressed. The stored bytes begin with one that says how: 0 for as they are; else the method in the upper four bits (8 is zlib), in the
 * lower a flag (8) for data without a zlib header and the number of bytes that tell the length, big-endian, before the compressed data.
 * Source: MariaDB source documentation, `Field_longstr::compress` and `field_comp.cc`.
 */
import type { Buffer } from 'node:buffer';
import { inflateRawSync, inflateSync } from 'node:zlib';
import { writeBase64 } from '../../ums/base64.ts';
import { type TupleBuffer, viewOf } from '../../ums/tuple-buffer.ts';
import { type ColumnCode, type ColumnPlace, littleEndian, need, orInvalid } from './column-code.ts';
import { markEnd, writeMark } from './mark.ts';
import type { TextCodec } from './text-value.ts';

const ZLIB = 8;
const WITHOUT_HEADER = 8;
const LENGTH_BYTES = 7;

/** What a compressed column holds: text of a character set, or bytes when `codec` is null. */
export interface CompressedContent {
  readonly codec: TextCodec | null;
  readonly charset: string;
  /** Whether what is no text may become a mark. */
  readonly marks: boolean;
}

/** Compressed VARCHAR, VARBINARY, TEXT and BLOB with a length of 1 to 4 bytes in front. */
export function compressedCode(
  place: ColumnPlace,
  lengthBytes: number,
  content: CompressedContent,
): ColumnCode {
  const head = `${need(place, lengthBytes)}const l=${littleEndian(lengthBytes)};o+=${lengthBytes};${need(place, 'l')}`;
  const { codec } = content;
  const end = markEnd(content.charset);
  const write = place.constant(
    (out: TupleBuffer, b: Buffer, o: number, e: number, p: number, spare: number): number => {
      const value = plainBytes(b, o, e);
      if (value === null) return -1;
      const view = viewOf(value);
      out.grow(p, (codec === null ? 2 * value.length + 8 : codec.size(value, 0, value.length)) + spare);
      if (codec === null) {
        out.bytes[p] = 34;
        const last = writeBase64(view, 0, value.length, 0, out.bytes, out.view, p + 1);
        out.bytes[last] = 34;
        return last + 1;
      }
      const last = codec.write(value, view, 0, value.length, out.bytes, out.view, p);
      return last < 0 && content.marks ? writeMark(out, view, 0, value.length, p, spare, end) : last;
    },
  );
  return {
    type: codec === null ? 'binary' : 'string',
    fixedBytes: 2,
    write: `{${head}p=${write}(out,b,o,o+l,p,F);${orInvalid(place)}w=out.bytes;v=out.view;cap=w.length;o+=l;}`,
    skip: `{${head}o+=l;}`,
  };
}

/** The value in stored bytes `o` to `e`; null when they are damaged. No bytes at all are the empty value. */
export function plainBytes(b: Buffer, o: number, e: number): Buffer | null {
  if (o === e) return b.subarray(o, e);
  const how = b[o] as number; // o < e <= b.length
  if (how === 0) return b.subarray(o + 1, e);
  const lengthBytes = how & LENGTH_BYTES;
  const from = o + 1 + lengthBytes;
  if (how >> 4 !== ZLIB || lengthBytes < 1 || lengthBytes > 4 || from > e) return null;
  const length = b.readUIntBE(o + 1, lengthBytes);
  if (length === 0) return null;
  try {
    const packed = b.subarray(from, e);
    const options = { maxOutputLength: length };
    const value =
      (how & WITHOUT_HEADER) !== 0 ? inflateRawSync(packed, options) : inflateSync(packed, options);
    return value.length === length ? value : null;
  } catch {
    return null; // damaged data: the caller reports the column
  }
}
