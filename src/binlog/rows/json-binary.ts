/**
 * JSON columns: the binary form of a document to the text that the server prints for it, inside a JSON string. Nothing is built in
 * between. Source of the form: MySQL source documentation, `json_binary.h`; of the text: `Json_wrapper::to_string`.
 *
 * A document is read only within its own bytes. Its parts are found by offsets, which damage can make point anywhere, so work is bounded: no more
 * parts than bytes, nesting as deep as the server allows, and no more text than a document of that size can have.
 */
import type { Buffer } from 'node:buffer';
import { writeInteger, writeSigned64, writeUnsigned64 } from '../../ums/digits.ts';
import { validUtf8 } from '../../ums/json-text.ts';
import type { TupleBuffer } from '../../ums/tuple-buffer.ts';
import { writeJsonDouble } from './json-double.ts';
import { writeOpaque } from './json-opaque.ts';
import { INNER_BYTES_MAX, innerTextSize, writeInnerText } from './json-text-in-json.ts';

const SMALL_OBJECT = 0;
const LARGE_OBJECT = 1;
const SMALL_ARRAY = 2;
const LARGE_ARRAY = 3;
const LITERAL = 4;
const INT16 = 5;
const UINT16 = 6;
const INT32 = 7;
const UINT32 = 8;
const INT64 = 9;
const UINT64 = 10;
const DOUBLE = 11;
const STRING = 12;
const OPAQUE = 15;

/** The server's own limit. */
const DEPTH_MAX = 100;
/** No document has more text for each of its bytes; control characters in a string come nearest, with 7. */
const TEXT_BYTES_PER_BYTE = 8;
/** Room for the largest part that is not a string, and what stands around a part. */
const PART_BYTES = 160;
/** Strings longer than this are scanned for the room they need. */
const SCAN_BYTES = 65_536;

const LITERALS = ['null', 'true', 'false'] as const;

/** What went wrong in a document; caught where it is thrown to. */
const DAMAGED = Symbol('damaged');

/**
 * Writes the document in bytes `o` to `e` of `b` as a JSON string with its quotes at `p` of `out.bytes`; returns the place after it with
 * `spare` bytes free beyond, or -1 when the bytes are no document. May replace the buffer of `out`. No bytes at all stand for `null`.
 */
export function writeJson(
  out: TupleBuffer,
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  p: number,
  spare: number,
): number {
  const writer = new DocumentWriter(out, b, d, o, e, p, spare);
  try {
    return writer.document();
  } catch (error) {
    if (error === DAMAGED) return -1;
    throw error;
  }
}

class DocumentWriter {
  readonly #out: TupleBuffer;
  readonly #b: Buffer;
  readonly #d: DataView;
  readonly #start: number;
  readonly #end: number;
  readonly #spare: number;
  #w: Buffer;
  #v: DataView;
  #p: number;
  /** Parts that may still be read, and where the text must have ended. */
  #parts: number;
  readonly #limit: number;

  constructor(
    out: TupleBuffer,
    b: Buffer,
    d: DataView,
    start: number,
    end: number,
    p: number,
    spare: number,
  ) {
    this.#out = out;
    this.#b = b;
    this.#d = d;
    this.#start = start;
    this.#end = end;
    this.#spare = spare + PART_BYTES;
    this.#w = out.bytes;
    this.#v = out.view;
    this.#p = p;
    this.#parts = end - start + 1;
    this.#limit = p + TEXT_BYTES_PER_BYTE * (end - start) + PART_BYTES;
  }

  document(): number {
    this.#room(0);
    this.#byte(34);
    if (this.#start === this.#end) this.#p += this.#w.write('null', this.#p, 'latin1');
    else this.#value(this.#d.getUint8(this.#start), this.#start + 1, this.#end, 0);
    this.#byte(34);
    return this.#p;
  }

  /** Writes the value of a type whose bytes begin at `at` and end at `end` at the latest. */
  #value(type: number, at: number, end: number, depth: number): void {
    if (--this.#parts < 0 || this.#p > this.#limit) throw DAMAGED;
    switch (type) {
      case SMALL_OBJECT:
      case SMALL_ARRAY:
        this.#container(type === SMALL_OBJECT, 2, at, end, depth);
        return;
      case LARGE_OBJECT:
      case LARGE_ARRAY:
        this.#container(type === LARGE_OBJECT, 4, at, end, depth);
        return;
      case STRING: {
        const text = this.#length(at, end);
        this.#text(text.at, text.at + text.length);
        return;
      }
      case OPAQUE:
        this.#opaque(at, end);
        return;
      default:
        this.#scalar(type, at, end);
        return;
    }
  }

  /** Objects and arrays: count, size, key entries (offset, length), value entries (type, offset or value), then keys and values. */
  #container(isObject: boolean, width: 2 | 4, at: number, end: number, depth: number): void {
    if (depth >= DEPTH_MAX || at + 2 * width > end) throw DAMAGED;
    const count = this.#number(at, width);
    const size = this.#number(at + width, width);
    const keys = at + 2 * width;
    const values = keys + (isObject ? count * (width + 2) : 0);
    if (at + size > end || values + count * (width + 1) > at + size) throw DAMAGED;
    this.#byte(isObject ? 123 : 91);
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#comma();
      if (isObject) this.#key(keys + i * (width + 2), width, at, at + size);
      this.#entry(values + i * (width + 1), width, at, at + size, depth);
    }
    this.#room(0);
    this.#byte(isObject ? 125 : 93);
  }

  #key(entry: number, width: 2 | 4, base: number, end: number): void {
    const at = base + this.#number(entry, width);
    const length = this.#d.getUint16(entry + width, true);
    if (at + length > end) throw DAMAGED;
    this.#text(at, at + length);
    this.#room(0);
    this.#byte(58);
    this.#byte(32);
  }

  /** One value of a container: in its entry when it fits there, else at an offset. */
  #entry(entry: number, width: 2 | 4, base: number, end: number, depth: number): void {
    const type = this.#d.getUint8(entry);
    const inEntry =
      type === LITERAL ||
      type === INT16 ||
      type === UINT16 ||
      (width === 4 && (type === INT32 || type === UINT32));
    if (inEntry) {
      this.#value(type, entry + 1, entry + 1 + width, depth + 1);
      return;
    }
    const offset = this.#number(entry + 1, width);
    if (offset === 0 || base + offset >= end) throw DAMAGED;
    this.#value(type, base + offset, end, depth + 1);
  }

  #scalar(type: number, at: number, end: number): void {
    const size = type === LITERAL ? 1 : type <= UINT16 ? 2 : type <= UINT32 ? 4 : 8;
    if (at + size > end) throw DAMAGED;
    this.#room(0);
    this.#p = this.#sound(this.#writeScalar(type, at));
  }

  #writeScalar(type: number, at: number): number {
    const d = this.#d;
    const w = this.#w;
    const p = this.#p;
    switch (type) {
      case LITERAL: {
        const text = LITERALS[d.getUint8(at)];
        return text === undefined ? -1 : p + w.write(text, p, 'latin1');
      }
      case INT16:
        return writeInteger(d.getInt16(at, true), w, p);
      case UINT16:
        return writeInteger(d.getUint16(at, true), w, p);
      case INT32:
        return writeInteger(d.getInt32(at, true), w, p);
      case UINT32:
        return writeInteger(d.getUint32(at, true), w, p);
      case INT64:
        return writeSigned64(d.getInt32(at + 4, true), d.getUint32(at, true), w, p);
      case UINT64:
        return writeUnsigned64(d.getUint32(at + 4, true), d.getUint32(at, true), w, p);
      case DOUBLE:
        return writeJsonDouble(d.getFloat64(at, true), w, p);
      default:
        return -1;
    }
  }

  #opaque(at: number, end: number): void {
    if (at >= end) throw DAMAGED;
    const data = this.#length(at + 1, end);
    this.#room(2 * data.length);
    const type = this.#d.getUint8(at);
    const last = data.at + data.length;
    this.#p = this.#sound(writeOpaque(type, this.#b, this.#d, data.at, last, this.#w, this.#p));
  }

  /** A length of seven bits a byte, lowest first, at most five bytes; the top bit says that another follows. */
  #length(at: number, end: number): { at: number; length: number } {
    let length = 0;
    for (let i = 0; i < 5 && at + i < end; i++) {
      const byte = this.#d.getUint8(at + i);
      length += (byte & 0x7f) * 128 ** i;
      if (byte < 0x80) {
        if (at + i + 1 + length > end) throw DAMAGED;
        return { at: at + i + 1, length };
      }
    }
    throw DAMAGED;
  }

  #text(at: number, end: number): void {
    if (this.#p > this.#limit || !validUtf8(this.#b, at, end)) throw DAMAGED;
    const length = end - at;
    this.#room(length <= SCAN_BYTES ? INNER_BYTES_MAX * length : innerTextSize(this.#b, at, end));
    this.#p = writeInnerText(this.#b, this.#d, at, end, this.#w, this.#v, this.#p);
    this.#room(0);
  }

  #number(at: number, width: 2 | 4): number {
    return width === 2 ? this.#d.getUint16(at, true) : this.#d.getUint32(at, true);
  }

  #comma(): void {
    this.#room(0);
    this.#byte(44);
    this.#byte(32);
  }

  #byte(byte: number): void {
    this.#w[this.#p++] = byte;
  }

  #sound(p: number): number {
    if (p < 0) throw DAMAGED;
    return p;
  }

  /** Makes room for `bytes` and what always stays free. */
  #room(bytes: number): void {
    if (this.#p + bytes + this.#spare <= this.#w.length) return;
    this.#out.grow(this.#p, bytes + this.#spare);
    this.#w = this.#out.bytes;
    this.#v = this.#out.view;
  }
}
