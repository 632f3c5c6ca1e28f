/**
 * Which partition of a result topic a row belongs to (ums-schema/README.md, "Rows placed by key"): murmur2 of its placing key, as Kafka's Java client places a
 * record whose key is that text.
 */
import { Buffer } from 'node:buffer';
import { murmur2, murmur2Of } from '../core/murmur2.ts';
import type { UmsValue } from './types.ts';

/** Between the texts of two columns. */
const SEPARATOR = 0x1f;
/** In place of the text of a NULL. */
const NULL = 0;

const BACKSLASH = 92;
const COMMA = 44;
const LETTER_N = 110;
const QUOTE = 34;
const SQUARE_END = 93;
const BRACE = 123;
const BRACE_END = 125;

/** The placing key of a row: the texts of its placing columns as the tuple has them, in the order of the columns. */
export function placingKeyOf(values: readonly UmsValue[]): Buffer {
  return Buffer.from(values.map(value => (value === null ? '\0' : String(value))).join('\x1f'));
}

/** The partition of a row with these values of its placing columns. */
export function partitionOfKey(values: readonly UmsValue[], partitions: number): number {
  return (murmur2(placingKeyOf(values)) & 0x7fffffff) % partitions;
}

/** Which columns of a tuple make the placing key. */
export interface PlacingColumns {
  /** Indexes among the columns of the tuple, without system columns, in the order of the key. */
  readonly indexes: readonly number[];
  /** The other way round: by column up to the last of the key, its place in the key, or -1. */
  readonly slots: readonly number[];
}

/** The columns with these indexes, in the order of the key. */
export function placingColumns(indexes: readonly number[]): PlacingColumns {
  const slots = Array.from({ length: Math.max(-1, ...indexes) + 1 }, (_, column) => indexes.indexOf(column));
  return { indexes, slots };
}

/** Finds placing keys in tuples as they are written, bytes to bytes. One key at a time. */
export class PlacingKey {
  #bytes = Buffer.allocUnsafeSlow(512);
  #view = viewOf(this.#bytes);
  #length = 0;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Reads the key of a tuple in `w`; `p` is the place of the comma before its first column. Returns the place behind the last column that was looked at. */
  read(w: Buffer, p: number, { indexes, slots }: PlacingColumns): number {
    const starts = this.#starts;
    const ends = this.#ends;
    let at = p;
    for (let column = 0; column < slots.length; column++) {
      const start = at + 1;
      at = valueEnd(w, start);
      const slot = slots[column] as number; // below the length
      if (slot < 0) continue;
      starts[slot] = start;
      ends[slot] = at;
    }
    this.#length = 0;
    for (let slot = 0; slot < indexes.length; slot++) {
      if (slot > 0) this.#push(SEPARATOR);
      this.#add(w, starts[slot] as number, ends[slot] as number); // each column of the key has a slot
    }
    return at;
  }

  /** The partition of the key that was read last. */
  partition(partitions: number): number {
    return (murmur2Of(this.#view, this.#length) & 0x7fffffff) % partitions;
  }

  /** A copy of the key that was read last. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  /** Whether the key that was read last is this one. */
  equals(key: Buffer): boolean {
    return key.length === this.#length && key.compare(this.#bytes, 0, this.#length) === 0;
  }

  /** Adds the text of a value: without its quotes and escapes. */
  #add(w: Buffer, start: number, end: number): void {
    const first = w[start];
    if (first === LETTER_N) {
      this.#push(NULL);
      return;
    }
    const from = first === QUOTE ? start + 1 : start;
    const to = first === QUOTE ? end - 1 : end;
    this.#reserve(to - from);
    const bytes = this.#bytes;
    let p = this.#length;
    for (let at = from; at < to; at++) {
      const byte = w[at] as number; // at < to <= w.length
      if (byte === BACKSLASH) {
        // What is unescaped takes less room than its escapes.
        const text: unknown = JSON.parse(w.toString('utf8', start, end));
        this.#length += bytes.write(String(text), this.#length);
        return;
      }
      bytes[p++] = byte;
    }
    this.#length = p;
  }

  #push(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(wanted * 2);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

/** Where the tuple ends whose columns are read up to `p`: behind its closing brace and the comma that follows each tuple. */
export function tupleEnd(w: Buffer, p: number): number {
  let at = p;
  while (w[at] === COMMA) at = valueEnd(w, at + 1);
  return at + 3;
}

/** The place behind the JSON value that begins at `p`: no array, and no object but a mark, whose texts have no braces. */
export function valueEnd(w: Buffer, p: number): number {
  let at = p;
  if (w[at] === QUOTE) {
    for (at++; w[at] !== QUOTE; at++) if (w[at] === BACKSLASH) at++;
    return at + 1;
  }
  if (w[at] === BRACE) return w.indexOf(BRACE_END, at) + 1;
  while (w[at] !== COMMA && w[at] !== SQUARE_END) at++;
  return at;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
