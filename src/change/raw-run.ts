import { Buffer } from 'node:buffer';
import avsc from 'avsc';
import { messageOf, UmbusError } from '../core/errors.ts';
import { recordMemory } from '../core/memory-pool.ts';

/** A table map, or a statement's schema, that spans of a run refer to. */
export interface RawTable {
  readonly schema: string;
  /** '' for statements (DDL). */
  readonly table: string;
  /** First 8 bytes of SHA-256 over `map` without its table id and flags, and over `columns`; empty for statements. */
  readonly fingerprint: Buffer;
  /** Body of the TABLE_MAP event, without header and checksum; empty for statements. */
  readonly map: Buffer;
  /**
   * What the map lacks of the columns at this place (src/columns/table-columns.ts, `descriptionText`), which the fingerprint then covers too; '' when it lacks nothing, and
   * for statements.
   */
  readonly columns: string;
}

/**
 * A run of raw change events of one source in one binlog file: what the extractor lands on `<ds>` and the dispatcher splits.
 * The fields are explained, and fixed, in ums-schema/raw-event.avsc.
 */
export interface RawRun {
  /** `mysql-pull`: a page of a full pull (pull-page.ts), whose events are row images alone. */
  readonly kind: 'mysql-binlog' | 'mysql-pull';
  readonly server: string;
  readonly epoch: number;
  readonly file: string;
  readonly position: number;
  readonly next: number;
  readonly resume: { readonly file: string; readonly position: number; readonly gtid: string };
  readonly checksum: boolean;
  /** Microseconds since 1970-01-01 UTC. */
  readonly captured: number;
  readonly filtered: number;
  readonly tables: readonly RawTable[];
  /** Pairs: index into `tables` or -1, byte length. */
  readonly spans: readonly number[];
  readonly events: Buffer;
}

/** The writer's schema, equal to ums-schema/raw-event.avsc (a test compares them). */
export const rawRunSchema = {
  type: 'record',
  name: 'RawRun',
  namespace: 'umbus',
  fields: [
    { name: 'kind', type: 'string' },
    { name: 'server', type: 'string' },
    { name: 'epoch', type: 'int' },
    { name: 'file', type: 'string' },
    { name: 'position', type: 'long' },
    { name: 'next', type: 'long' },
    {
      name: 'resume',
      type: {
        type: 'record',
        name: 'Resume',
        fields: [
          { name: 'file', type: 'string' },
          { name: 'position', type: 'long' },
          { name: 'gtid', type: 'string' },
        ],
      },
    },
    { name: 'checksum', type: 'boolean' },
    { name: 'captured', type: 'long' },
    { name: 'filtered', type: 'long' },
    {
      name: 'tables',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'RawTable',
          fields: [
            { name: 'schema', type: 'string' },
            { name: 'table', type: 'string' },
            { name: 'fingerprint', type: 'bytes' },
            { name: 'map', type: 'bytes' },
            { name: 'columns', type: 'string', default: '' },
          ],
        },
      },
    },
    { name: 'spans', type: { type: 'array', items: 'int' } },
    { name: 'events', type: 'bytes' },
  ],
} as const;

/** Schema id in the Confluent wire format when no registry is used (ums-schema/README.md): far above those of registries, which count from 1. */
export const RAW_RUN_SCHEMA_ID = 1_000_000_002;
/** The same of the schema before, whose tables have no `columns`. */
export const FIRST_RAW_RUN_SCHEMA_ID = 1;

const HEADER_BYTES = 5;
/** `events` is the last field, so what is before it is encoded by itself, and the events stay where they are. */
const headFields = rawRunSchema.fields.filter(({ name }) => name !== 'events');
const headType = avsc.Type.forSchema({ ...rawRunSchema, fields: headFields } as unknown as avsc.Schema);
/** Reads heads of the first schema as heads of this one; made when the first comes. */
let firstHead: avsc.Resolver | null = null;
/** The whole record, made when a run with another schema is read first. */
let wholeType: avsc.Type | null = null;
/** What a table of the first schema has: schema, table, fingerprint, map. */
const TEXTS_OF_FIRST_TABLE = 4;
/** Longest length before the events: 53 bits, seven a byte. */
const MAX_LENGTH_BYTES = 8;
/** Room before the events of {@link eventsBuffer}; a head that is longer costs a copy. */
const ROOM_BYTES = 8 * 1024;
/** Memory of {@link eventsBuffer} whose room was not used yet. */
const roomy = new WeakSet<ArrayBufferLike>();
/** What runs were decoded from: a run that is passed on is not encoded again. */
const sources = new WeakMap<RawRun, Buffer>();
let scratch: Buffer = Buffer.allocUnsafeSlow(ROOM_BYTES);

/**
 * Memory for `bytes` of events. A run whose `events` begin at its start is encoded in place: {@link encodeRawRun} puts all else before them, and nothing is
 * copied. Such a run belongs to whoever it is emitted to, and goes when its record is durable ({@link recordMemory}).
 */
export function eventsBuffer(bytes: number): Buffer {
  const memory = recordMemory.take(ROOM_BYTES + bytes);
  roomy.add(memory.buffer);
  return memory.subarray(ROOM_BYTES);
}

/**
 * Encodes a run in Confluent wire format: a zero byte, the schema id as u32 big-endian, Avro binary. The result may share the memory of the run's events, and a
 * run that was decoded gives the bytes that it came from.
 * Source of the format: the wire format page of Confluent's Schema Registry documentation.
 */
export function encodeRawRun(run: RawRun, schemaId: number = RAW_RUN_SCHEMA_ID): Buffer {
  const source = sources.get(run);
  if (source !== undefined && source.readUInt32BE(1) === schemaId) return source;
  const { events } = run;
  const headBytes = encodeHead(run, schemaId);
  const bytes = takeRoom(events, headBytes) ?? Buffer.allocUnsafeSlow(headBytes + events.length);
  scratch.copy(bytes, 0, 0, headBytes);
  if (bytes.buffer !== events.buffer) events.copy(bytes, headBytes);
  return bytes;
}

/** Writes all before the events into `scratch` and returns its length. */
function encodeHead(run: RawRun, schemaId: number): number {
  for (;;) {
    scratch[0] = 0;
    scratch.writeUInt32BE(schemaId, 1);
    const end = headType.encode(run, scratch, HEADER_BYTES);
    const missing = end < 0 ? -end : end + MAX_LENGTH_BYTES - scratch.length;
    if (missing <= 0) return writeLength(scratch, end, run.events.length);
    scratch = Buffer.allocUnsafeSlow(2 * (scratch.length + missing));
  }
}

/** The events with the room of `headBytes` before them, once; null when there is none. */
function takeRoom(events: Buffer, headBytes: number): Buffer | null {
  const { buffer, byteOffset, length } = events;
  if (byteOffset !== ROOM_BYTES || headBytes > ROOM_BYTES || !roomy.delete(buffer)) return null;
  return Buffer.from(buffer, ROOM_BYTES - headBytes, headBytes + length);
}

/** Writes a length as an Avro long: zigzag, then seven bits a byte, lowest first (Avro specification, "Binary Encoding"). Returns where it ends. */
function writeLength(target: Buffer, at: number, length: number): number {
  let rest = length * 2;
  let end = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[end++] = (rest % 0x80) | 0x80;
  target[end++] = rest;
  return end;
}

/** Reads {@link writeLength}'s bytes; a length is -1 when they are cut off or negative. */
function readLength(source: Buffer, at: number): { readonly length: number; readonly end: number } {
  let value = 0;
  let scale = 1;
  for (let end = at; end < at + MAX_LENGTH_BYTES; scale *= 0x80) {
    const byte = source[end++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { length: value % 2 === 0 ? value / 2 : -1, end };
  }
  return { length: -1, end: at };
}

/**
 * Decodes {@link encodeRawRun}'s bytes, which must not change as long as the run is used: its events are a view of them. Any id is read by the newest schema, except the fixed
 * id of the first one. That is read by the first schema when it fits, spans and all, else by the newest: a registry counts from 1 too, and may have given the id to that.
 * Errors: UMBUS_TOPOLOGY_DECODE.
 */
export function decodeRawRun(bytes: Uint8Array): RawRun {
  if (rawRunSchemaId(bytes) !== FIRST_RAW_RUN_SCHEMA_ID) return decode(bytes, false);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (firstSchemaFits(source)) {
    const run = decode(bytes, true);
    if (spansFit(run)) return run;
  }
  return decode(bytes, false);
}

/**
 * Whether the bytes have the lengths of the first schema, to the last byte. The Avro library is not asked, since it goes on beyond the end for as many items as a count
 * that is none says.
 */
function firstSchemaFits(source: Buffer): boolean {
  let at = HEADER_BYTES;
  /** Goes over a number; -1 for one below 0, and beyond the end. */
  const number = (): number => {
    const { length, end } = readLength(source, at);
    at = end > at ? end : source.length + 1;
    return length;
  };
  const text = (): void => {
    const length = number();
    at = length < 0 ? source.length + 1 : at + length;
  };
  const items = (item: () => void): void => {
    for (let count = number(); count !== 0 && at <= source.length; count = number()) {
      if (count < 0) at = source.length + 1;
      for (let i = 0; i < count && at <= source.length; i++) item();
    }
  };
  for (const field of [text, text, number, text, number, number, text, number, text]) field();
  at += 1; // checksum
  number();
  number();
  items(() => {
    for (let i = 0; i < TEXTS_OF_FIRST_TABLE; i++) text();
  });
  items(number);
  text();
  return at === source.length;
}

/** Whether the spans of a run are of its tables and cover its events. */
export function spansFit({ spans, tables, events }: RawRun): boolean {
  let bytes = 0;
  for (const [i, value] of spans.entries()) {
    if (i % 2 === 0 ? value < -1 || value >= tables.length : value < 0) return false;
    if (i % 2 === 1) bytes += value;
  }
  return spans.length % 2 === 0 && bytes === events.length;
}

/** The same by the newest schema, whatever the id: a registry gives its own. */
export function decodeNewestRawRun(bytes: Uint8Array): RawRun {
  rawRunSchemaId(bytes);
  return decode(bytes, false);
}

function decode(bytes: Uint8Array, first: boolean): RawRun {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = decodeHead(source, first);
  const { length, end } = readLength(source, head.offset);
  if (head.offset < 0 || length < 0 || end + length !== source.length) {
    const problem =
      head.offset < 0 || end + length > source.length ? 'it is cut short' : 'its length is wrong';
    throw new UmbusError('UMBUS_TOPOLOGY_DECODE', `The record is not a raw run: ${problem}.`);
  }
  const run: RawRun = { ...head.value, events: source.subarray(end) };
  sources.set(run, source);
  return run;
}

/** The schema id in the header of a record. Errors: UMBUS_TOPOLOGY_DECODE. */
export function rawRunSchemaId(bytes: Uint8Array): number {
  if (bytes.length >= HEADER_BYTES && bytes[0] === 0) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1);
  }
  throw new UmbusError(
    'UMBUS_TOPOLOGY_DECODE',
    'The record is not in Confluent wire format: its first byte is not 0.',
  );
}

/**
 * A reader of runs that were written with another schema, by Avro's schema resolution (specification, "Schema Resolution"). Null when the schema is the same, so that
 * {@link decodeRawRun} reads them. Throws what avsc throws for a schema that runs cannot be read from. Errors of the reader: UMBUS_TOPOLOGY_DECODE.
 */
export function rawRunReader(writerSchema: string): ((bytes: Uint8Array) => RawRun) | null {
  const schema: avsc.Schema = JSON.parse(writerSchema);
  const writer = avsc.Type.forSchema(schema);
  wholeType ??= avsc.Type.forSchema(rawRunSchema as unknown as avsc.Schema);
  const reader = wholeType;
  const resolver = reader.createResolver(writer);
  if (writer.equals(reader)) return null;
  return bytes => {
    rawRunSchemaId(bytes);
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      return reader.fromBuffer(source.subarray(HEADER_BYTES), resolver) as RawRun;
    } catch (cause) {
      throw notARun(cause);
    }
  };
}

function notARun(cause: unknown): UmbusError {
  return new UmbusError('UMBUS_TOPOLOGY_DECODE', `The record is not a raw run: ${messageOf(cause)}.`, {
    cause,
  });
}

/** All before the events, and where they begin with their length; -1 when the bytes end before that. */
function decodeHead(
  source: Buffer,
  first: boolean,
): { readonly value: Omit<RawRun, 'events'>; readonly offset: number } {
  try {
    if (first) firstHead ??= headType.createResolver(firstHeadType());
    const resolver = first ? (firstHead ?? undefined) : undefined;
    return headType.decode(source, HEADER_BYTES, resolver) as {
      value: Omit<RawRun, 'events'>;
      offset: number;
    };
  } catch (cause) {
    throw notARun(cause);
  }
}

function firstHeadType(): avsc.Type {
  const fields = headFields.map(field => {
    if (field.name !== 'tables') return field;
    const { items } = field.type;
    const before = items.fields.filter(({ name }) => name !== 'columns');
    return { ...field, type: { ...field.type, items: { ...items, fields: before } } };
  });
  return avsc.Type.forSchema({ ...rawRunSchema, fields } as unknown as avsc.Schema);
}
