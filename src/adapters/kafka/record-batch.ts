/** Record batches of magic 2 (kafka.apache.org, "Record Batch"): 61 bytes of header, then records with lengths as zigzag varints. */
import { Buffer } from 'node:buffer';
import { crc32c } from '@platformatic/wasm-utils';
import type { OutgoingRecord, TopicPartition } from '../../ports/log.ts';
import { compress, compressionCodes } from './compression.ts';
import type { KafkaCompression } from './options.ts';
import type { ProducerIdentity } from './producer-calls.ts';

const HEADER_BYTES = 61;
const FIRST_BYTES = 4_096;
const TRANSACTIONAL = 0x10;
/** The checksum covers all from here on. */
export const CHECKED_FROM = 21;
/** Most bytes that the lengths of a record and its fixed fields take. */
const RECORD_OVERHEAD = 40;
/** Most bytes that the lengths of a header take. */
const HEADER_OVERHEAD = 10;

/** Records of one partition, encoded, to be sent as one batch. */
export interface EncodedRecords extends TopicPartition {
  readonly count: number;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Room for the batch header, then the records. */
  readonly bytes: Buffer;
}

/** Bytes of a record that count towards its largest size: key, value and headers. */
export function recordBytes(record: OutgoingRecord): number {
  let size = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name of Object.keys(record.headers))
    size += Buffer.byteLength(name) + (record.headers[name]?.length ?? 0);
  return size;
}

/** Copies records of one partition into the form in which they are sent. */
export class BatchEncoder {
  readonly #at: TopicPartition;
  #bytes: Buffer;
  #end = HEADER_BYTES;
  #count = 0;
  #baseTimestampMs = 0;
  #maxTimestampMs = 0;

  constructor(at: TopicPartition) {
    this.#at = { topic: at.topic, partition: at.partition };
    this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
  }

  /** Bytes of the batch so far, before compression. */
  get size(): number {
    return this.#end;
  }

  add(record: OutgoingRecord, size: number): void {
    const timestampMs = Math.trunc(record.timestampMs);
    if (this.#count === 0) {
      this.#baseTimestampMs = timestampMs;
      this.#maxTimestampMs = timestampMs;
    }
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, timestampMs);
    const names = Object.keys(record.headers);
    this.#ensure(size + RECORD_OVERHEAD + names.length * HEADER_OVERHEAD);
    // The length comes first and depends on what follows: room for its longest form, then the record is moved up to it.
    const bodyAt = this.#end + 5;
    const bytes = this.#bytes;
    bytes[bodyAt] = 0;
    let at = writeVarint(bytes, bodyAt + 1, timestampMs - this.#baseTimestampMs);
    at = writeVarint(bytes, at, this.#count);
    at = writeBytes(bytes, at, record.key);
    at = writeBytes(bytes, at, record.value);
    at = writeVarint(bytes, at, names.length);
    for (const name of names) {
      const length = Buffer.byteLength(name);
      at = writeVarint(bytes, at, length);
      at += bytes.write(name, at, 'utf8');
      at = writeBytes(bytes, at, record.headers[name] ?? null);
    }
    const length = at - bodyAt;
    const start = writeVarint(bytes, this.#end, length);
    bytes.copyWithin(start, bodyAt, at);
    this.#end = start + length;
    this.#count += 1;
  }

  done(): EncodedRecords {
    return {
      ...this.#at,
      count: this.#count,
      baseTimestampMs: this.#baseTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
      bytes: this.#bytes.subarray(0, this.#end),
    };
  }

  #ensure(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + more));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** The batch as it goes to the broker. `sequence`: number of its first record in the partition since the producer began. */
export async function finishBatch(
  records: EncodedRecords,
  codec: KafkaCompression,
  producer: ProducerIdentity,
  sequence: number,
): Promise<Buffer> {
  let bytes = records.bytes;
  if (codec !== 'none') {
    const packed = await compress(codec, bytes.subarray(HEADER_BYTES));
    bytes = Buffer.concat([bytes.subarray(0, HEADER_BYTES), packed]);
  }
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  const transactional = producer.transactionalId === null ? 0 : TRANSACTIONAL;
  bytes.writeInt16BE(compressionCodes[codec] | transactional, CHECKED_FROM);
  bytes.writeInt32BE(records.count - 1, 23);
  bytes.writeBigInt64BE(BigInt(records.baseTimestampMs), 27);
  bytes.writeBigInt64BE(BigInt(records.maxTimestampMs), 35);
  bytes.writeBigInt64BE(producer.producerId, 43);
  bytes.writeInt16BE(producer.epoch, 51);
  bytes.writeInt32BE(sequence, 53);
  bytes.writeInt32BE(records.count, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(CHECKED_FROM)), 17);
  return bytes;
}

function writeBytes(bytes: Buffer, at: number, value: Uint8Array | null): number {
  if (value === null) return writeVarint(bytes, at, -1);
  const from = writeVarint(bytes, at, value.length);
  bytes.set(value, from);
  return from + value.length;
}

/** Zigzag varint; exact up to 2^51, which times and lengths are below. */
function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
