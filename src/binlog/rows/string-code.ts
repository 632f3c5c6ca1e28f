import { Buffer } from 'node:buffer';
import { jsonText } from '../../ums/json-text.ts';
import { type ColumnCode, type ColumnPlace, littleEndian, need, orInvalid } from './column-code.ts';
import { markEnd, markOf } from './mark.ts';
import type { TextCodec } from './text-value.ts';

/** Values longer than this are scanned for the room they need; shorter ones get six bytes for each byte. */
const SCAN_BYTES = 65_536;

/** Code that reads the length in front of a value, checks that the value is there, and puts `o` on its first byte. */
function readLength(place: ColumnPlace, bytes: number): string {
  return `${need(place, bytes)}const l=${littleEndian(bytes)};o+=${bytes};${need(place, 'l')}`;
}

/** CHAR, VARCHAR and TEXT with a length of 1 to 4 bytes in front. What is no text of its character set becomes a mark, or is refused where `marks` is false. */
export function textCode(
  place: ColumnPlace,
  lengthBytes: number,
  codec: TextCodec,
  charset: string,
  marks: boolean,
): ColumnCode {
  const write = place.constant(codec.write);
  const end = place.constant(markEnd(charset));
  const size = lengthBytes > 2 ? `(l<=${SCAN_BYTES}?6*l:${place.constant(codec.size)}(b,o,o+l))` : '6*l';
  return {
    type: 'string',
    fixedBytes: 2,
    write:
      `{${readLength(place, lengthBytes)}if(6*l+p+F>cap){out.grow(p,${size}+F);w=out.bytes;v=out.view;cap=w.length;}` +
      `const q=p;p=${write}(b,d,o,o+l,w,v,p);` +
      (marks
        ? `if(p<0){p=writeMark(out,d,o,o+l,q,F,${end});w=out.bytes;v=out.view;cap=w.length;}o+=l;}`
        : `${orInvalid(place)}o+=l;}`),
    skip: `{${readLength(place, lengthBytes)}o+=l;}`,
  };
}

/** VARBINARY and BLOB with a length of 1 to 4 bytes in front, as base64. */
export function binaryCode(place: ColumnPlace, lengthBytes: number): ColumnCode {
  return {
    type: 'binary',
    fixedBytes: 8,
    write:
      `{${readLength(place, lengthBytes)}if(2*l+p+F>cap){out.grow(p,Math.ceil(l/3)*4+F);w=out.bytes;v=out.view;cap=w.length;}` +
      'w[p]=34;p=writeBase64(d,o,o+l,0,w,v,p+1);w[p++]=34;o+=l;}',
    skip: `{${readLength(place, lengthBytes)}o+=l;}`,
  };
}

/** BINARY(width): the binlog leaves out zero bytes at the end, which belong to the value and are put back. */
export function fixedBinaryCode(place: ColumnPlace, width: number): ColumnCode {
  const lengthBytes = width > 255 ? 2 : 1;
  return {
    type: 'binary',
    fixedBytes: Math.ceil(width / 3) * 4 + 2,
    write:
      `{${readLength(place, lengthBytes)}if(l>${width})invalid(${place.index});` +
      `w[p]=34;p=writeBase64(d,o,o+l,${width}-l,w,v,p+1);w[p++]=34;o+=l;}`,
    skip: `{${readLength(place, lengthBytes)}o+=l;}`,
  };
}

/** JSON: four bytes of length and the binary form of the document. */
export function jsonCode(place: ColumnPlace): ColumnCode {
  return {
    type: 'jsonobject',
    fixedBytes: 2,
    write:
      `{${readLength(place, 4)}p=writeJson(out,b,d,o,o+l,p,F);${orInvalid(place)}` +
      'w=out.bytes;v=out.view;cap=w.length;o+=l;}',
    skip: `{${readLength(place, 4)}o+=l;}`,
  };
}

/** The labels of an ENUM or SET. */
export interface Labels {
  /** Null for a label whose bytes are no text of the character set. */
  readonly texts: readonly (string | null)[];
  readonly bytes: readonly Uint8Array[];
  readonly charset: string;
}

/** ENUM: the number of the label in 1 or 2 bytes; 0 is the empty string that stands for an invalid value. */
export function enumCode(place: ColumnPlace, bytes: number, labels: Labels): ColumnCode {
  const texts = labels.texts.map((text, i) =>
    text === null ? markOf(labels.bytes[i] ?? new Uint8Array(), labels.charset) : jsonText(text),
  );
  texts.unshift(jsonText(''));
  const name = place.constant(texts);
  return {
    type: 'string',
    fixedBytes: Math.max(...texts.map(text => text.length)),
    write: `{${need(place, bytes)}const t=${name}[${littleEndian(bytes)}];if(t===undefined)invalid(${place.index});p=writeLabel(t,w,p);o+=${bytes};}`,
    skip: `o+=${bytes};`,
  };
}

/**
 * SET: one bit for each label, in 1, 2, 3, 4 or 8 bytes, little-endian. Labels are joined by commas. A bit that has no label says nothing, as in SELECT: MySQL 5.6 stores such bits
 * where text that it does not understand is loaded.
 */
export function setCode(place: ColumnPlace, bytes: number, labels: Labels): ColumnCode {
  const texts = labels.texts.map((text, i) =>
    text === null ? Buffer.from(labels.bytes[i] ?? []) : jsonText(text).subarray(1, -1),
  );
  const name = place.constant(texts);
  const bits = bytes === 8 ? 'd.getUint32(o,true),d.getUint32(o+4,true)' : `${littleEndian(bytes)},0`;
  const whole = labels.texts.every(text => text !== null);
  const write = whole ? 'writeSet' : place.constant(markedSet(labels));
  return {
    type: 'string',
    fixedBytes: texts.reduce((sum, text) => sum + 2 * text.length + 1, 64),
    write: `{${need(place, bytes)}p=${write}(${name},${bits},w,p);o+=${bytes};}`,
    skip: `o+=${bytes};`,
  };
}

/** As `writeSet`, for labels that are not all text: the value is a mark of the joined labels. */
function markedSet(labels: Labels): typeof writeSet {
  return (_, low, high, w, p) => {
    const joined: Uint8Array[] = [];
    for (let i = 0; i < 64; i++) {
      if (((i < 32 ? low >>> i : high >>> (i - 32)) & 1) === 0) continue;
      const label = labels.bytes[i];
      if (label === undefined) continue;
      if (joined.length > 0) joined.push(Buffer.from(','));
      joined.push(label);
    }
    return p + markOf(Buffer.concat(joined), labels.charset).copy(w, p);
  };
}

/** Copies a label that is JSON text already. */
export function writeLabel(label: Buffer, w: Buffer, p: number): number {
  for (let i = 0; i < label.length; i++) w[p + i] = label[i] as number; // i < label.length
  return p + label.length;
}

/** Writes the labels of the bits that are set, between quotes. */
export function writeSet(labels: readonly Buffer[], low: number, high: number, w: Buffer, p: number): number {
  w[p++] = 34;
  let first = true;
  for (let i = 0; i < 64; i++) {
    if (((i < 32 ? low >>> i : high >>> (i - 32)) & 1) === 0) continue;
    const label = labels[i];
    if (label === undefined) continue;
    if (!first) w[p++] = 44;
    first = false;
    p = writeLabel(label, w, p);
  }
  w[p] = 34;
  return p + 1;
}
