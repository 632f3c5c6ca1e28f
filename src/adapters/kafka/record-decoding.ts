import type { Buffer } from 'node:buffer';
import { crc32c } from '@platformatic/wasm-utils';
import { UmbusError } from '../../core/errors.ts';
import type { LogRecord, TopicPartition } from '../../ports/log.ts';
import { decompress } from './compression.ts';
import type { FetchedPartition } from './producer-calls.ts';
import { CHECKED_FROM } from './record-batch.ts';

const HEADER_BYTES = 61;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** Type in the key of a control record that ends an aborted transaction. */
const ABORT = 0;

/** Committed records of one partition, and where to read on: behind control records, aborted ones and gaps. */
export interface DecodedRecords {
  readonly records: readonly LogRecord[];
  readonly nextOffset: bigint;
}

/**
 * The committed records from `from` on in what a broker sent: without control records, without those of aborted transactions, without those before `from`
 * that share a batch. Errors: UMBUS_LOG_CORRUPT.
 *
 * The broker names every aborted transaction that has records in what it sent, also where the end of the transaction lies beyond. So: a producer's
 * records are dropped from the first offset of its aborted transaction up to its abort marker.
 */
export function decodeFetched(fetched: FetchedPartition, from: bigint): DecodedRecords {
  const bytes = fetched.records;
  const pending = [...fetched.aborted].sort((one, other) => compare(one.firstOffset, other.firstOffset));
  const aborting = new Set<bigint>();
  const records: LogRecord[] = [];
  let nextOffset = from;
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const batch = bytes.subarray(at, end);
    at = end;
    const baseOffset = batch.readBigInt64BE(0);
    const lastOffset = baseOffset + BigInt(batch.readInt32BE(23));
    assertWhole(batch, fetched, baseOffset);
    const attributes = batch.readInt16BE(CHECKED_FROM);
    const producerId = batch.readBigInt64BE(43);
    for (let first = pending[0]; first !== undefined && first.firstOffset <= lastOffset; first = pending[0]) {
      aborting.add(first.producerId);
      pending.shift();
    }
    if ((attributes & CONTROL) !== 0) {
      if (markerType(batch) === ABORT) aborting.delete(producerId);
    } else if (lastOffset >= from && ((attributes & TRANSACTIONAL) === 0 || !aborting.has(producerId))) {
      decodeBatch(batch, attributes, baseOffset, from, records);
    }
    if (lastOffset >= from) nextOffset = lastOffset + 1n;
  }
  return { records, nextOffset };
}

function assertWhole(batch: Buffer, at: TopicPartition, offset: bigint): void {
  const magic = batch.readInt8(16);
  const whole = magic === 2 && crc32c(batch.subarray(CHECKED_FROM)) === batch.readUInt32BE(17);
  if (whole) return;
  const why = magic === 2 ? 'does not match its checksum' : `has the format ${magic}, from before Kafka 0.11`;
  throw new UmbusError(
    'UMBUS_LOG_CORRUPT',
    `The batch at offset ${offset} of ${at.topic}/${at.partition} ${why}.`,
    { details: { topic: at.topic, partition: at.partition, offset } },
  );
}

/** A control batch has one record; its key is version i16, type i16. */
function markerType(batch: Buffer): number {
  const cursor = { bytes: batch, at: HEADER_BYTES };
  readVarint(cursor);
  cursor.at += 1;
  readVarint(cursor);
  readVarint(cursor);
  readVarint(cursor);
  return batch.readInt16BE(cursor.at + 2);
}

function decodeBatch(
  batch: Buffer,
  attributes: number,
  baseOffset: bigint,
  from: bigint,
  into: LogRecord[],
): void {
  const code = attributes & 0x07;
  const baseTimestampMs = Number(batch.readBigInt64BE(27));
  const appendTimeMs = (attributes & LOG_APPEND_TIME) === 0 ? null : Number(batch.readBigInt64BE(35));
  const bytes = code === 0 ? batch : decompress(code, batch.subarray(HEADER_BYTES));
  const cursor: Cursor = { bytes, at: code === 0 ? HEADER_BYTES : 0 };
  for (let count = batch.readInt32BE(57); count > 0; count--) {
    const length = readVarint(cursor);
    const end = cursor.at + length;
    cursor.at += 1;
    const timestampMs = baseTimestampMs + readVarint(cursor);
    const offset = baseOffset + BigInt(readVarint(cursor));
    if (offset >= from) {
      const key = readBytes(cursor);
      const value = readBytes(cursor);
      const headers = readHeaders(cursor);
      into.push({ offset, key, value, timestampMs: appendTimeMs ?? timestampMs, headers });
    }
    cursor.at = end;
  }
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

const noHeaders: Readonly<Record<string, Uint8Array>> = Object.freeze({});

function readHeaders(cursor: Cursor): Readonly<Record<string, Uint8Array>> {
  const count = readVarint(cursor);
  if (count === 0) return noHeaders;
  const headers: Record<string, Uint8Array> = {};
  for (let index = 0; index < count; index++) {
    const length = readVarint(cursor);
    const name = cursor.bytes.toString('utf8', cursor.at, cursor.at + length);
    cursor.at += length;
    const value = readBytes(cursor) ?? cursor.bytes.subarray(0, 0);
    // Assigned, this name would set the object's prototype.
    if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true });
    else headers[name] = value;
  }
  return headers;
}

function readBytes(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor);
  if (length < 0) return null;
  const from = cursor.at;
  cursor.at = from + length;
  return cursor.bytes.subarray(from, cursor.at);
}

/** Zigzag varint of up to 2^52. */
function readVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function compare(one: bigint, other: bigint): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
