/**
 * A batch as stored: consecutive records of one partition, in one value (in parts when large, see keys.ts). Numbers are big-endian.
 *
 *     header   crc32 u32 · format u8 = 1 · zero u8[3] · count u32 · last offset delta u32 · first timestamp f64 · newest timestamp f64
 *     record   offset delta u32 · timestamp f64 · key length i32 · value length i32 · header count u16 · key · value · headers
 *     headers  each: name length u16 · value length u32 · name in UTF-8 · value
 *
 * Length -1 is null. The CRC covers the records, then the header after itself, then where the batch belongs: topic id u32, partition u32, base offset u64; so a
 * batch found in the wrong place does not pass for a good one. Offsets count from the base offset, which is in the key; compaction leaves gaps.
 */
import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import { zlibCrc32 } from '../../core/zlib-crc32.ts';
import type { Headers, LogRecord, OutgoingRecord } from '../../ports/log.ts';

/** Bytes before the first record. */
export const BATCH_HEADER_BYTES = 32;

const BATCH_FORMAT = 1;
const RECORD_HEADER_BYTES = 22;
/** Below this it does not matter what becomes of a batch's memory. */
const ALONE_BYTES = 32 * 1024;
const HEADER_ENTRY_BYTES = 6;
/** The largest record that is accepted, in stored bytes. */
const MAX_RECORD_BYTES = 1_100_000_000;

/** Where a batch belongs, for checksums and messages. */
export interface BatchPlace {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  readonly base: bigint;
}

/** A record to store; `LogRecord` and `OutgoingRecord` both are. */
export type StorableRecord = Pick<LogRecord, 'key' | 'value' | 'timestampMs' | 'headers'>;

/** Stored bytes of a record. Errors: UMBUS_LOG_RECORD_SIZE. */
export function recordBytes(record: StorableRecord): number {
  let bytes = RECORD_HEADER_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name in record.headers) {
    bytes += HEADER_ENTRY_BYTES + nameBytes(name).length + (record.headers[name]?.length ?? 0);
  }
  if (bytes > MAX_RECORD_BYTES) throw recordSize(record, bytes);
  return bytes;
}

function recordSize(record: StorableRecord & Partial<OutgoingRecord>, bytes: number): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_RECORD_SIZE',
    `A record for ${record.topic}/${record.partition} has ${bytes} bytes; at most ${MAX_RECORD_BYTES} can be stored.`,
    { details: { topic: record.topic ?? null, partition: record.partition ?? null, bytes } },
  );
}

/** Writes a record at `position` and returns the position after it. */
export function writeRecord(target: Buffer, position: number, delta: number, record: StorableRecord): number {
  const { key, value, headers } = record;
  target.writeUInt32BE(delta, position);
  target.writeDoubleBE(record.timestampMs, position + 4);
  target.writeInt32BE(key === null ? -1 : key.length, position + 12);
  target.writeInt32BE(value === null ? -1 : value.length, position + 16);
  let at = position + RECORD_HEADER_BYTES;
  if (key !== null) {
    target.set(key, at);
    at += key.length;
  }
  if (value !== null) {
    target.set(value, at);
    at += value.length;
  }
  let count = 0;
  for (const name in headers) {
    const bytes = nameBytes(name);
    const content = headers[name];
    if (content === undefined) continue;
    target.writeUInt16BE(bytes.length, at);
    target.writeUInt32BE(content.length, at + 2);
    target.set(bytes, at + HEADER_ENTRY_BYTES);
    target.set(content, at + HEADER_ENTRY_BYTES + bytes.length);
    at += HEADER_ENTRY_BYTES + bytes.length + content.length;
    count += 1;
  }
  target.writeUInt16BE(count, position + 20);
  return at;
}

/** Fills the header in once the records are written, whose CRC is `recordsCrc`. {@link sealBatch} makes it complete. */
export function writeBatchHeader(
  target: Buffer,
  header: { count: number; lastDelta: number; firstTimestampMs: number; newestTimestampMs: number },
  recordsCrc: number,
): void {
  target.fill(0, 4, 8);
  target[4] = BATCH_FORMAT;
  target.writeUInt32BE(header.count, 8);
  target.writeUInt32BE(header.lastDelta, 12);
  target.writeDoubleBE(header.firstTimestampMs, 16);
  target.writeDoubleBE(header.newestTimestampMs, 24);
  target.writeUInt32BE(recordsCrc, 0);
}

/** Completes the checksum, last and once, when the place is known. The records are not read again: they may have left the processor's caches. */
export function sealBatch(batch: Buffer, place: BatchPlace): void {
  batch.writeUInt32BE(checksumOf(batch, batch.readUInt32BE(0), place), 0);
}

/** The last offset of a batch. */
export function lastOffsetOf(batch: Buffer, base: bigint): bigint {
  return base + BigInt(batch.readUInt32BE(12));
}

/** Throws UMBUS_LOG_CORRUPT unless the batch is whole and in its place. */
export function verifyBatch(batch: Buffer, place: BatchPlace): void {
  const problem =
    batch.length < BATCH_HEADER_BYTES
      ? 'is cut short'
      : batch.readUInt32BE(0) !== checksumOf(batch, zlibCrc32(batch.subarray(BATCH_HEADER_BYTES)), place)
        ? 'does not match its checksum'
        : batch[4] !== BATCH_FORMAT
          ? `has the unknown format ${batch[4]}`
          : null;
  if (problem !== null) throw corruptBatch(place, problem);
}

/** Whether a batch is one large record: only the record's value is a view of it then. */
export function isAlone(batch: Buffer): boolean {
  return batch.length >= ALONE_BYTES && batch.readUInt32BE(8) === 1;
}

/** The error for a batch that cannot be used. */
export function corruptBatch(place: BatchPlace, problem: string): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_CORRUPT',
    `The stored batch at offset ${place.base} of ${place.topic}/${place.partition} ${problem}.`,
    { details: { topic: place.topic, partition: place.partition, offset: place.base } },
  );
}

/**
 * Adds the records at or after `from` to `records`: about `maxBytes` of keys and values, but at least one when `records` is empty. The
 * records' bytes are views of `batch`, but for key and headers of a record that {@link isAlone}; it must have passed {@link verifyBatch} and must not change. `nextOffset` is where to go on,
 * `bytes` the keys and values that were added.
 */
export function decodeBatch(
  batch: Buffer,
  base: bigint,
  from: bigint,
  maxBytes: number,
  records: LogRecord[],
): { nextOffset: bigint; bytes: number } {
  const count = batch.readUInt32BE(8);
  const skip = from > base ? Number(from - base) : 0;
  const start = Number(base);
  const alone = isAlone(batch);
  const safe = Number.isSafeInteger(start + 0x1_0000_0000);
  let bytes = 0;
  let at = BATCH_HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    const delta = batch.readUInt32BE(at);
    const keyLength = batch.readInt32BE(at + 12);
    const valueLength = batch.readInt32BE(at + 16);
    const headerCount = batch.readUInt16BE(at + 20);
    const keyAt = at + RECORD_HEADER_BYTES;
    const valueAt = keyLength > 0 ? keyAt + keyLength : keyAt;
    const headersAt = valueLength > 0 ? valueAt + valueLength : valueAt;
    if (delta < skip) {
      at = skipHeaders(batch, headersAt, headerCount);
      continue;
    }
    const offset = safe ? BigInt(start + delta) : base + BigInt(delta);
    const size = headersAt - keyAt;
    if (records.length > 0 && bytes + size > maxBytes) return { nextOffset: offset, bytes };
    let headers = NO_HEADERS;
    let end = headersAt;
    if (headerCount > 0) {
      const read: Record<string, Uint8Array> = {};
      const from = alone ? Buffer.from(batch.subarray(headersAt)) : batch;
      end = readHeaders(from, alone ? 0 : headersAt, headerCount, read) + (alone ? headersAt : 0);
      headers = read;
    }
    const key = keyLength < 0 ? null : batch.subarray(keyAt, valueAt);
    records.push({
      offset,
      key: alone && key !== null ? Buffer.from(key) : key,
      value: valueLength < 0 ? null : batch.subarray(valueAt, headersAt),
      timestampMs: batch.readDoubleBE(at + 4),
      headers,
    });
    bytes += size;
    at = end;
  }
  return { nextOffset: lastOffsetOf(batch, base) + 1n, bytes };
}

const NO_HEADERS: Headers = Object.freeze({});

/** All records of a batch. */
export function recordsOf(batch: Buffer, base: bigint): LogRecord[] {
  const records: LogRecord[] = [];
  decodeBatch(batch, base, base, Number.POSITIVE_INFINITY, records);
  return records;
}

function skipHeaders(batch: Buffer, position: number, count: number): number {
  let at = position;
  for (let index = 0; index < count; index++) {
    at += HEADER_ENTRY_BYTES + batch.readUInt16BE(at) + batch.readUInt32BE(at + 2);
  }
  return at;
}

function readHeaders(
  batch: Buffer,
  position: number,
  count: number,
  target: Record<string, Uint8Array>,
): number {
  let at = position;
  for (let index = 0; index < count; index++) {
    const nameAt = at + HEADER_ENTRY_BYTES;
    const valueAt = nameAt + batch.readUInt16BE(at);
    const end = valueAt + batch.readUInt32BE(at + 2);
    const name = batch.toString('utf8', nameAt, valueAt);
    const value = batch.subarray(valueAt, end);
    // A plain assignment of this one name would set the prototype instead.
    if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true });
    else target[name] = value;
    at = end;
  }
  return at;
}

const CHECKSUM_PLACE = Buffer.alloc(16);

function checksumOf(batch: Buffer, recordsCrc: number, place: BatchPlace): number {
  CHECKSUM_PLACE.writeUInt32BE(place.topicId, 0);
  CHECKSUM_PLACE.writeUInt32BE(place.partition, 4);
  CHECKSUM_PLACE.writeBigUInt64BE(place.base, 8);
  return zlibCrc32(CHECKSUM_PLACE, zlibCrc32(batch.subarray(4, BATCH_HEADER_BYTES), recordsCrc));
}

const MAX_KNOWN_NAMES = 1000;
const knownNames = new Map<string, Buffer>();

/** Header names repeat: their bytes are made once, up to a bound. */
function nameBytes(name: string): Buffer {
  let bytes = knownNames.get(name);
  if (bytes === undefined) {
    bytes = Buffer.from(name, 'utf8');
    if (bytes.length > 0xffff) {
      throw new UmbusError(
        'UMBUS_LOG_RECORD_SIZE',
        `A header name has ${bytes.length} bytes; at most 65535 can be stored.`,
      );
    }
    if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, bytes);
  }
  return bytes;
}
