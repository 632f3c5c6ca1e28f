import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';

/** Writes the primitive types of the Kafka protocol (kafka.apache.org/protocol, "Protocol Primitive Types"). */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #at = 0;

  /** What was written; the writer is not used any more. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int8(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  int64(value: bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigInt64BE(value, at);
    return this;
  }

  uvarint(value: number): this {
    let rest = value;
    let at = this.#room(1);
    while (rest >= 0x80) {
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
      at = this.#room(1);
    }
    this.#bytes[at] = rest;
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** STRING and NULLABLE_STRING. */
  text(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value, 'utf8');
    return this.int16(bytes.length).raw(bytes);
  }

  /** COMPACT_STRING and COMPACT_NULLABLE_STRING. */
  compactText(value: string | null): this {
    if (value === null) return this.uvarint(0);
    const bytes = Buffer.from(value, 'utf8');
    return this.uvarint(bytes.length + 1).raw(bytes);
  }

  /** BYTES. */
  bytes(value: Uint8Array): this {
    return this.int32(value.length).raw(value);
  }

  /** ARRAY; null where the list is nullable. */
  list<T>(items: readonly T[] | null, write: (item: T) => void): this {
    if (items === null) return this.int32(-1);
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** COMPACT_ARRAY. */
  compactList<T>(items: readonly T[] | null, write: (item: T) => void): this {
    if (items === null) return this.uvarint(0);
    this.uvarint(items.length + 1);
    for (const item of items) write(item);
    return this;
  }

  /** An empty TAG_BUFFER. */
  noTags(): this {
    return this.uvarint(0);
  }

  /** Where to write so many bytes. It may replace `#bytes`, so it comes before their use in a statement of its own. */
  #room(size: number): number {
    const at = this.#at;
    if (at + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + size));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#at = at + size;
    return at;
  }
}

/** Reads what {@link ByteWriter} writes. Errors: UMBUS_KAFKA_UNREACHABLE when an answer ends before its own lengths say. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bool(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    return this.nullableText() ?? '';
  }

  nullableText(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#text(length);
  }

  compactNullableText(): string | null {
    const length = this.uvarint();
    return length === 0 ? null : this.#text(length - 1);
  }

  compactText(): string {
    return this.compactNullableText() ?? '';
  }

  /** BYTES and NULLABLE_BYTES, as a view; null counts as empty. */
  bytes(): Buffer {
    const length = this.int32();
    if (length <= 0) return this.#bytes.subarray(0, 0);
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  list<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  compactList<T>(read: () => T): T[] {
    return this.#items(this.uvarint() - 1, read);
  }

  /** Passes over a TAG_BUFFER. */
  tags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint();
      this.#take(this.uvarint());
    }
  }

  #items<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(read());
    return items;
  }

  #text(length: number): string {
    const from = this.#take(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  #take(length: number): number {
    const from = this.#at;
    if (length < 0 || from + length > this.#bytes.length) {
      throw new UmbusError('UMBUS_KAFKA_UNREACHABLE', 'An answer of a Kafka broker ends early.');
    }
    this.#at = from + length;
    return from;
  }
}
