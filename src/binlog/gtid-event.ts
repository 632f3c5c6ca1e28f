import { Buffer } from 'node:buffer';
import { Cursor } from './cursor.ts';
import {
  EVENT_CHECKSUM_BYTES,
  EVENT_HEADER_BYTES,
  EVENT_SERVER_ID_AT,
  EVENT_TYPE_AT,
  EventType,
} from './event-type.ts';

/** The event that begins a transaction. */
export type GtidEvent =
  | {
      readonly flavor: 'mysql';
      /** Null for an anonymous transaction. */
      readonly uuid: string | null;
      /** '' for none. */
      readonly tag: string;
      readonly gno: number;
      /** When the source committed, in microseconds since 1970-01-01 UTC; null before MySQL 8.0.1. */
      readonly committedMicros: number | null;
    }
  | {
      readonly flavor: 'mariadb';
      readonly domain: number;
      readonly serverId: number;
      readonly sequence: number;
      /** No BEGIN is meant and no COMMIT follows: one statement is the whole. */
      readonly standalone: boolean;
      /** MariaDB writes whole seconds only, in the event header. */
      readonly committedMicros: null;
    };

/** Offsets within the body of GTID and ANONYMOUS_GTID: flags u8, uuid, number u64, clock type u8, two u64, then the commit time. */
export const GTID_UUID_AT = 1;
export const GTID_GNO_AT = 17;
const GTID_COMMIT_TIME_AT = 42;
const COMMIT_TIME_BYTES = 7;
/** Set in the immediate commit time when the original one follows. */
const HAS_ORIGINAL_TIME = 0x80;

/** Offsets within the body of MARIADB_GTID: sequence u64, domain u32, flags u8. */
export const MARIADB_DOMAIN_AT = 8;
export const MARIADB_FLAGS_AT = 12;
export const MARIADB_GTID_BYTES = 13;
export const MARIADB_FLAG_STANDALONE = 1;

/**
 * Parses an event that begins a transaction: GTID, ANONYMOUS_GTID, GTID_TAGGED or MARIADB_GTID. `[start, end)` of `bytes` is the whole event with header,
 * without checksum. Null for any other type.
 * Formats: MySQL source documentation, class `Gtid_event`; MariaDB knowledge base, "GTID_EVENT". Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function parseGtidEvent(bytes: Uint8Array, start: number, end: number): GtidEvent | null {
  const type = bytes[start + EVENT_TYPE_AT];
  const cursor = new Cursor(
    bytes,
    'The GTID event',
    'UMBUS_BINLOG_TRUNCATED',
    start + EVENT_HEADER_BYTES,
    end,
  );
  switch (type) {
    case EventType.GTID:
    case EventType.ANONYMOUS_GTID:
      return parseMysqlGtid(cursor, type === EventType.ANONYMOUS_GTID);
    case EventType.GTID_TAGGED:
      return parseTaggedGtid(cursor);
    case EventType.MARIADB_GTID:
      return parseMariadbGtid(cursor, start);
    default:
      return null;
  }
}

/** A uuid as text, from its 16 bytes at `at`. */
export function uuidText(bytes: Uint8Array, at: number): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function parseMysqlGtid(cursor: Cursor, anonymous: boolean): GtidEvent {
  const body = cursor.at;
  cursor.take(GTID_GNO_AT, 'the uuid');
  const gno = safeNumber(cursor, 'the transaction number');
  const uuid = anonymous ? null : uuidText(cursor.bytes, body + GTID_UUID_AT);
  let committedMicros: number | null = null;
  if (cursor.end - body >= GTID_COMMIT_TIME_AT + COMMIT_TIME_BYTES) {
    cursor.at = body + GTID_COMMIT_TIME_AT;
    const immediateAt = cursor.take(COMMIT_TIME_BYTES, 'the commit time');
    const top = cursor.bytes.readUInt8(immediateAt + 6);
    const originalAt =
      (top & HAS_ORIGINAL_TIME) === 0
        ? immediateAt
        : cursor.take(COMMIT_TIME_BYTES, 'the original commit time');
    committedMicros = commitTime(cursor.bytes, originalAt);
  }
  return { flavor: 'mysql', uuid, tag: '', gno, committedMicros };
}

function commitTime(bytes: Buffer, at: number): number {
  const high = bytes.readUInt16LE(at + 4) + (bytes.readUInt8(at + 6) & 0x7f) * 0x1_0000;
  return high * 0x1_0000_0000 + bytes.readUInt32LE(at);
}

/** Field ids of GTID_TAGGED (MySQL source documentation, `Gtid_event::define_fields`). */
const Tagged = {
  FLAGS: 0,
  UUID: 1,
  GNO: 2,
  TAG: 3,
  LAST_COMMITTED: 4,
  SEQUENCE: 5,
  IMMEDIATE: 6,
  ORIGINAL: 7,
} as const;

/**
 * GTID_TAGGED is in MySQL's serialization format: a version, the size, the last field that must be known, then (field id, value) in rising order.
 * Every number has variable length; signed ones are zigzag.
 */
function parseTaggedGtid(cursor: Cursor): GtidEvent {
  varint(cursor);
  varint(cursor);
  varint(cursor);
  let uuid = '';
  let gno = 0;
  let tag = '';
  let immediate: number | null = null;
  let original: number | null = null;
  while (cursor.left > 0) {
    const field = varint(cursor);
    if (field === Tagged.UUID) uuid = taggedUuid(cursor);
    else if (field === Tagged.GNO) gno = unzigzag(varint(cursor));
    else if (field === Tagged.TAG) tag = cursor.text(varint(cursor), 'the tag');
    else if (field === Tagged.IMMEDIATE) immediate = varint(cursor);
    else if (field === Tagged.ORIGINAL) original = varint(cursor);
    else if (field < Tagged.ORIGINAL) varint(cursor);
    else break;
  }
  if (uuid === '' || gno < 1) throw cursor.fault('has no transaction number');
  return { flavor: 'mysql', uuid, tag, gno, committedMicros: original ?? immediate };
}

function taggedUuid(cursor: Cursor): string {
  const uuid = Buffer.alloc(16);
  for (let i = 0; i < uuid.length; i++) {
    const byte = varint(cursor);
    if (byte > 0xff) throw cursor.fault('has a uuid with a byte beyond 255');
    uuid[i] = byte;
  }
  return uuidText(uuid, 0);
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** As many low one bits in the first byte as bytes follow; the rest of the bits are the value, little-endian. */
export function varint(cursor: Cursor): number {
  const first = cursor.uint(1, 'a number');
  let extra = 0;
  while (extra < 8 && (first & (1 << extra)) !== 0) extra++;
  let value = extra < 8 ? BigInt(first >> (extra + 1)) : 0n;
  const firstBits = extra < 8 ? 7 - extra : 0;
  for (let i = 0; i < extra; i++) {
    value |= BigInt(cursor.uint(1, 'a number')) << BigInt(firstBits + 8 * i);
  }
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw cursor.fault('has a number beyond 2^53');
  return Number(value);
}

function parseMariadbGtid(cursor: Cursor, start: number): GtidEvent {
  const sequence = safeNumber(cursor, 'the sequence number');
  const domain = cursor.uint(4, 'the domain');
  const flags = cursor.uint(1, 'the flags');
  return {
    flavor: 'mariadb',
    domain,
    serverId: cursor.bytes.readUInt32LE(start + EVENT_SERVER_ID_AT),
    sequence,
    standalone: (flags & MARIADB_FLAG_STANDALONE) !== 0,
    committedMicros: null,
  };
}

function safeNumber(cursor: Cursor, field: string): number {
  const value = cursor.uint64(field);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw cursor.fault(`has ${field} beyond 2^53`);
  return Number(value);
}

/** Bytes of MariaDB's GTID body: number, domain and flags, then six bytes of room, or a group commit id. */
const MARIADB_FIXED_BYTES = 13;
const MARIADB_ROOM_BYTES = 6;
const MARIADB_COMMIT_ID_BYTES = 8;
const MARIADB_FLAG_GROUP_COMMIT = 2;

/**
 * Whether the event that began a transaction, `[0, length)` of `event`, is of an ALTER TABLE that MariaDB logs twice, when it begins and when it has ended
 * (`binlog_alter_two_phase`): the event then has flags behind its fixed part. False for what is no such event.
 */
export function isTwoPhaseAlter(event: Buffer, length: number, checksum: boolean): boolean {
  if (length <= EVENT_HEADER_BYTES + MARIADB_FIXED_BYTES) return false;
  if (event[EVENT_TYPE_AT] !== EventType.MARIADB_GTID) return false;
  const flags = event[EVENT_HEADER_BYTES + MARIADB_FIXED_BYTES - 1] ?? 0;
  const room = (flags & MARIADB_FLAG_GROUP_COMMIT) === 0 ? MARIADB_ROOM_BYTES : MARIADB_COMMIT_ID_BYTES;
  const body = length - EVENT_HEADER_BYTES - (checksum ? EVENT_CHECKSUM_BYTES : 0);
  return body > MARIADB_FIXED_BYTES + room;
}
