import type { Buffer } from 'node:buffer';
import { jsonText } from '../../ums/json-text.ts';
import { type ColumnCode, type ColumnPlace, littleEndian, need, orInvalid } from './column-code.ts';
import type { TextCodec } from './text-value.ts';

/** Values longer than this are scanned for the room they need; shorter ones get six bytes for each byte. */
const SCAN_BYTES = 65_536;

/** Code that reads the length in front of a value, checks that the value is there, and puts `o` on its first byte. */
function readLength(place: ColumnPlace, bytes: number): string {
  return `${need(place, bytes)}const l=${littleEndian(bytes)};o+=${bytes};${need(place, 'l')}`;
}

/** CHAR, VARCHAR and TEXT with a length of 1 to 4 bytes in front. */
export function textCode(place: ColumnPlace, lengthBytes: number, codec: TextCodec): ColumnCode {
  const write = place.constant(codec.write);
  const size = lengthBytes > 2 ? `(l<=${SCAN_BYTES}?6*l:${place.constant(codec.size)}(b,o,o+l))` : '6*l';
  return {
    type: 'string',
    fixedBytes: 2,
    write:
      `{${readLength(place, lengthBytes)}if(6*l+p+F>cap){out.grow(p,${size}+F);w=out.bytes;v=out.view;cap=w.length;}` +
      `p=${write}(b,d,o,o+l,w,v,p);${orInvalid(place)}o+=l;}`,
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

/** ENUM: the number of the label in 1 or 2 bytes; 0 is the empty string that stands for an invalid value. */
export function enumCode(place: ColumnPlace, bytes: number, labels: readonly string[]): ColumnCode {
  const texts = ['', ...labels].map(jsonText);
  const name = place.constant(texts);
  return {
    type: 'string',
    fixedBytes: Math.max(...texts.map(text => text.length)),
    write: `{${need(place, bytes)}const t=${name}[${littleEndian(bytes)}];if(t===undefined)invalid(${place.index});p=writeLabel(t,w,p);o+=${bytes};}`,
    skip: `o+=${bytes};`,
  };
}

/** SET: one bit for each label, in 1, 2, 3, 4 or 8 bytes, little-endian. Labels are joined by commas. */
export function setCode(place: ColumnPlace, bytes: number, labels: readonly string[]): ColumnCode {
  const texts = labels.map(label => jsonText(label).subarray(1, -1));
  const name = place.constant(texts);
  const bits = bytes === 8 ? 'd.getUint32(o,true),d.getUint32(o+4,true)' : `${littleEndian(bytes)},0`;
  return {
    type: 'string',
    fixedBytes: texts.reduce((sum, text) => sum + text.length + 1, 2),
    write: `{${need(place, bytes)}p=writeSet(${name},${bits},w,p);${orInvalid(place)}o+=${bytes};}`,
    skip: `o+=${bytes};`,
  };
}

/** Copies a label that is JSON text already. */
export function writeLabel(label: Buffer, w: Buffer, p: number): number {
  for (let i = 0; i < label.length; i++) w[p + i] = label[i] as number; // i < label.length
  return p + label.length;
}

/** Writes the labels of the bits that are set, between quotes; -1 when a bit has no label. */
export function writeSet(labels: readonly Buffer[], low: number, high: number, w: Buffer, p: number): number {
  w[p++] = 34;
  let first = true;
  for (let i = 0; i < 64; i++) {
    if (((i < 32 ? low >>> i : high >>> (i - 32)) & 1) === 0) continue;
    const label = labels[i];
    if (label === undefined) return -1;
    if (!first) w[p++] = 44;
    first = false;
    p = writeLabel(label, w, p);
  }
  w[p] = 34;
  return p + 1;
}
