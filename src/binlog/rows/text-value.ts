import type { Buffer } from 'node:buffer';
import { utf8TextSize, writeUtf8 } from '../../ums/json-text.ts';
import { latin1Text, writeLatin1 } from './latin1.ts';

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

/** The codecs by MySQL's name of the character set. A set that is not here is not decoded yet. */
export const TEXT_CODECS: Readonly<Record<string, TextCodec>> = {
  utf8mb4: utf8,
  utf8mb3: utf8,
  latin1,
  ascii,
};
