import { Buffer } from 'node:buffer';
import { type ErrorCode, UmbusError } from '../core/errors.ts';

/**
 * Reads the fields of one event in order and never outside `[start, end)`. For events that come rarely (table maps, GTIDs, statements);
 * the hot path reads its few numbers inline. Every method throws the code given at construction, with `place` in the message, when bytes are missing.
 */
export class Cursor {
  readonly bytes: Buffer;
  readonly end: number;
  /** Offset of the next byte, within `bytes`. */
  at: number;
  readonly #place: string;
  readonly #code: ErrorCode;

  /** `place` completes the sentence "... ends inside <field>.", for example `The TABLE_MAP event`. */
  constructor(
    bytes: Uint8Array,
    place: string,
    code: ErrorCode = 'UMBUS_BINLOG_TRUNCATED',
    start = 0,
    end = bytes.length,
  ) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
    this.#place = place;
    this.#code = code;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.end - this.at;
  }

  /** Moves over `length` bytes and returns where they start. */
  take(length: number, field: string): number {
    const start = this.at;
    if (!(length >= 0 && length <= this.end - start)) {
      throw this.fault(`ends inside ${field}: ${length} bytes at ${start} of ${this.end}`);
    }
    this.at = start + length;
    return start;
  }

  /** Unsigned little-endian number of 1 to 6 bytes. */
  uint(length: 1 | 2 | 3 | 4 | 5 | 6, field: string): number {
    const start = this.take(length, field);
    return this.bytes.readUIntLE(start, length);
  }

  uint64(field: string): bigint {
    return this.bytes.readBigUInt64LE(this.take(8, field));
  }

  /** Length-encoded integer (MySQL manual, "Protocol::LengthEncodedInteger"). A value beyond 2^53 - 1 is an error. */
  lenenc(field: string): number {
    const first = this.uint(1, field);
    if (first < 251) return first;
    if (first === 252) return this.uint(2, field);
    if (first === 253) return this.uint(3, field);
    if (first === 254) {
      const value = this.uint64(field);
      if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    }
    throw this.fault(`has a bad length-encoded number in ${field} at ${this.at}`);
  }

  /** A view of the next `length` bytes; no copy. */
  view(length: number, field: string): Buffer {
    const start = this.take(length, field);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number, field: string): string {
    const start = this.take(length, field);
    return this.bytes.toString('utf8', start, start + length);
  }

  /** The error of a malformed field, for checks made by the caller. `what` follows the place: "ends inside the schema name". */
  fault(what: string): UmbusError {
    return new UmbusError(this.#code, `${this.#place} ${what}.`);
  }
}
