import { Buffer } from 'node:buffer';
import { utf8TextSize, writeUtf8 } from '../../ums/json-text.ts';
import { viewOf } from '../../ums/tuple-buffer.ts';
import { charsetTable } from './charset-tables.ts';
import { latin1Text, writeLatin1 } from './latin1.ts';
import { tableTextSize, tableWriter } from './table-text.ts';
import { utf16Writer, wideTextSize, writeUtf32 } from './wide-text.ts';

/** Most bytes of a JSON string for each byte of text. */
const LABEL_BYTES_PER_BYTE = 6;

/**
 * Writes bytes `o` to `e` of `b` as a JSON string with its quotes; `d` and `v` are the views of `b` and `w`. Returns the
 * place after it, or -1 when the bytes are not text of the character set.
 */
export type TextWriter = (
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  w: Buffer,
  v: DataView,
  p: number,
) => number;

/** A character set that rows can be decoded from. */
export interface TextCodec {
  readonly write: TextWriter;
  /** Bytes that `write` needs, by a scan: used for large values, where six bytes for each byte would be too much. */
  readonly size: (b: Buffer, o: number, e: number) => number;
  /** The text of a label; null when the bytes are not text of the character set. */
  readonly decode: (bytes: Buffer) => string | null;
}

const utf8: TextCodec = {
  write: writeUtf8,
  size: utf8TextSize,
  decode: bytes => {
    const text = bytes.toString('utf8');
    return text.includes('\ufffd') && !bytes.includes('\ufffd') ? null : text;
  },
};

const latin1: TextCodec = {
  write: writeLatin1,
  size: (b, o, e) => {
    let size = utf8TextSize(b, o, e);
    for (; o < e; o++) if ((b[o] as number) >= 0x80) size += 2; // o < e <= b.length; two or three bytes of UTF-8
    return size;
  },
  decode: latin1Text,
};

const ascii: TextCodec = {
  write: (b, d, o, e, w, v, p) => {
    for (let i = o; i < e; i++) if ((b[i] as number) >= 0x80) return -1; // i < e <= b.length
    return writeUtf8(b, d, o, e, w, v, p);
  },
  size: utf8TextSize,
  decode: bytes => (bytes.some(byte => byte >= 0x80) ? null : bytes.toString('latin1')),
};

const byName = new Map<string, TextCodec>([
  ['utf8mb4', utf8],
  ['utf8mb3', utf8],
  ['latin1', latin1],
  ['ascii', ascii],
  ['ucs2', codecOf(utf16Writer(false, false), wideTextSize)],
  ['utf16', codecOf(utf16Writer(false, true), wideTextSize)],
  ['utf16le', codecOf(utf16Writer(true, true), wideTextSize)],
  ['utf32', codecOf(writeUtf32, wideTextSize)],
]);

/** The codec of a character set by MySQL's name; null for one that umbus does not know. Made on first use. */
export function textCodec(charset: string): TextCodec | null {
  const known = byName.get(charset);
  if (known !== undefined) return known;
  const table = charsetTable(charset);
  if (table === null) return null;
  const made = codecOf(tableWriter(table), tableTextSize(table));
  byName.set(charset, made);
  return made;
}

function codecOf(write: TextWriter, size: TextCodec['size']): TextCodec {
  return {
    write,
    size,
    decode: bytes => {
      const text = Buffer.alloc(LABEL_BYTES_PER_BYTE * bytes.length + 2);
      const end = write(bytes, viewOf(bytes), 0, bytes.length, text, viewOf(text), 0);
      return end < 0 ? null : String(JSON.parse(text.toString('utf8', 0, end)));
    },
  };
}
