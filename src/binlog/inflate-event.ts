/**
 * Events that the server compressed, as the events that they stand for. Sources: MySQL source documentation, class `Transaction_payload_event`; MariaDB
 * source documentation, `binlog_buf_uncompress` and `Rows_log_event::uncompress_buf`.
 */
import { Buffer } from 'node:buffer';
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { messageOf, UmbusError } from '../core/errors.ts';
import { crc32 } from './crc32.ts';
import { Cursor } from './cursor.ts';
import {
  EVENT_CHECKSUM_BYTES,
  EVENT_FLAGS_AT,
  EVENT_HEADER_BYTES,
  EVENT_LOG_POS_AT,
  EVENT_SIZE_AT,
  EVENT_TYPE_AT,
  EventType,
  FLAG_INFLATED,
} from './event-type.ts';
import { QUERY_POST_HEADER_BYTES, QUERY_SCHEMA_LENGTH_AT, QUERY_STATUS_LENGTH_AT } from './query.ts';
import { parseRowsHeader } from './rows-header.ts';

/** Fields before a payload: a kind, a length and a value each. */
const END_OF_FIELDS = 0;
const COMPRESSION = 2;
const ZSTD = 0;
const NOT_COMPRESSED = 255;
/** No transaction is larger when it is unpacked; a larger number is damage. */
const MAX_BYTES = 2 ** 32;

/** The plain type of each compressed one of MariaDB. */
const plainTypes: ReadonlyMap<number, number> = new Map([
  [EventType.MARIADB_QUERY_COMPRESSED, EventType.QUERY],
  [EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1, EventType.WRITE_ROWS_V1],
  [EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1, EventType.UPDATE_ROWS_V1],
  [EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1, EventType.DELETE_ROWS_V1],
  [EventType.MARIADB_WRITE_ROWS_COMPRESSED, EventType.WRITE_ROWS],
  [EventType.MARIADB_UPDATE_ROWS_COMPRESSED, EventType.UPDATE_ROWS],
  [EventType.MARIADB_DELETE_ROWS_COMPRESSED, EventType.DELETE_ROWS],
]);

/** The type of the event that a compressed one of MariaDB stands for; null for any other type. */
export function plainTypeOf(type: number): number | null {
  return plainTypes.get(type) ?? null;
}

/**
 * The events of a TRANSACTION_PAYLOAD: `[start, end)` of `bytes` is its body. They have no checksums and no positions. Errors: UMBUS_BINLOG_TRUNCATED,
 * UMBUS_BINLOG_EVENT (a compression that is not known, or damage).
 */
export function payloadEvents(bytes: Uint8Array, start: number, end: number): readonly Buffer[] {
  const cursor = new Cursor(bytes, 'The TRANSACTION_PAYLOAD event', 'UMBUS_BINLOG_TRUNCATED', start, end);
  let compression = ZSTD;
  for (;;) {
    const kind = cursor.lenenc('a field');
    if (kind === END_OF_FIELDS) break;
    const value = cursor.view(cursor.lenenc('a field'), 'a field');
    if (kind === COMPRESSION) compression = new Cursor(value, 'The compression').lenenc('its number');
  }
  const packed = cursor.view(cursor.left, 'the payload');
  return splitEvents(compression === NOT_COMPRESSED ? packed : unpacked(packed, compression));
}

function unpacked(packed: Buffer, compression: number): Buffer {
  if (compression !== ZSTD) {
    throw new UmbusError(
      'UMBUS_BINLOG_EVENT',
      `A transaction is compressed in a way that is not known: ${compression}.`,
    );
  }
  return guarded(() => zstdDecompressSync(packed, { maxOutputLength: MAX_BYTES }));
}

function splitEvents(payload: Buffer): Buffer[] {
  const events: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const size = at + EVENT_HEADER_BYTES <= payload.length ? payload.readUInt32LE(at + EVENT_SIZE_AT) : 0;
    if (size < EVENT_HEADER_BYTES || at + size > payload.length) {
      throw new UmbusError('UMBUS_BINLOG_TRUNCATED', 'A compressed transaction ends inside an event.');
    }
    events.push(payload.subarray(at, at + size));
    at += size;
  }
  return events;
}

/**
 * The plain event of a compressed one of MariaDB, without checksum: `[start, bodyEnd)` of `bytes` is the event without its own. Errors: UMBUS_BINLOG_TRUNCATED,
 * UMBUS_BINLOG_EVENT.
 */
export function inflatedEvent(bytes: Buffer, start: number, bodyEnd: number): Buffer {
  const type = bytes.readUInt8(start + EVENT_TYPE_AT);
  const plain = plainTypes.get(type);
  if (plain === undefined) {
    throw new UmbusError('UMBUS_BINLOG_EVENT', `Event type ${type} is not compressed.`, {
      details: { type },
    });
  }
  const event = Buffer.from(bytes.subarray(start, bodyEnd));
  event.writeUInt8(plain, EVENT_TYPE_AT);
  const at = plain === EventType.QUERY ? statementAt(event) : parseRowsHeader(event, 0, event.length).rowsAt;
  return Buffer.concat([event.subarray(0, at), inflatedPart(event, at)]);
}

function statementAt(event: Buffer): number {
  const cursor = new Cursor(event, 'The QUERY event', 'UMBUS_BINLOG_TRUNCATED', EVENT_HEADER_BYTES);
  const post = cursor.view(QUERY_POST_HEADER_BYTES, 'the post-header');
  cursor.take(post.readUInt16LE(QUERY_STATUS_LENGTH_AT), 'the status variables');
  cursor.take(post.readUInt8(QUERY_SCHEMA_LENGTH_AT) + 1, 'the schema');
  return cursor.at;
}

/** What lies compressed at `at`: a byte with 0x80, a method (0 is zlib) and the number of bytes of the length that follows, big-endian; then the data. */
function inflatedPart(event: Buffer, at: number): Buffer {
  const cursor = new Cursor(event, 'The compressed event', 'UMBUS_BINLOG_TRUNCATED', at);
  const how = cursor.uint(1, 'its header');
  const lengthBytes = how & 7;
  if ((how & 0xf0) !== 0x80 || lengthBytes < 1 || lengthBytes > 4) {
    throw new UmbusError('UMBUS_BINLOG_EVENT', `An event is compressed in a way that is not known: ${how}.`);
  }
  const length = cursor.view(lengthBytes, 'its length').readUIntBE(0, lengthBytes);
  const packed = cursor.view(cursor.left, 'its data');
  const part = guarded(() => inflateSync(packed, { maxOutputLength: Math.max(1, length) }));
  if (part.length === length) return part;
  throw new UmbusError('UMBUS_BINLOG_EVENT', 'A compressed event has not the length that it says.');
}

function guarded(inflate: () => Buffer): Buffer {
  try {
    return inflate();
  } catch (cause) {
    throw new UmbusError('UMBUS_BINLOG_EVENT', `Compressed data are damaged: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

/**
 * An event (whole, without checksum) as it would lie at `position` of a file with or without checksums. Flagged, since it can be larger than its place.
 */
export function placedEvent(event: Buffer, position: number, checksum: boolean): Buffer {
  const size = event.length + (checksum ? EVENT_CHECKSUM_BYTES : 0);
  const placed = Buffer.alloc(size);
  event.copy(placed);
  placed.writeUInt32LE(size, EVENT_SIZE_AT);
  placed.writeUInt32LE((position + size) % 2 ** 32, EVENT_LOG_POS_AT);
  placed.writeUInt16LE(placed.readUInt16LE(EVENT_FLAGS_AT) | FLAG_INFLATED, EVENT_FLAGS_AT);
  if (checksum) {
    const view = new DataView(placed.buffer, placed.byteOffset, size);
    placed.writeUInt32LE(crc32(placed, view, 0, event.length), event.length);
  }
  return placed;
}
