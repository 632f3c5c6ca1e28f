import { Buffer } from 'node:buffer';
import avsc from 'avsc';
import { messageOf, UmbusError } from '../core/errors.ts';

/** A table map, or a statement's schema, that spans of a run refer to. */
export interface RawTable {
  readonly schema: string;
  /** '' for statements (DDL). */
  readonly table: string;
  /** First 8 bytes of SHA-256 over `map` without its table id and flags; empty for statements. */
  readonly fingerprint: Buffer;
  /** Body of the TABLE_MAP event, without header and checksum; empty for statements. */
  readonly map: Buffer;
}

/**
 * A run of raw change events of one source in one binlog file: what the extractor lands on `<ds>` and the dispatcher splits.
 * The fields are explained, and fixed, in ums-schema/raw-event.avsc.
 */
export interface RawRun {
  readonly kind: 'mysql-binlog';
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
          ],
        },
      },
    },
    { name: 'spans', type: { type: 'array', items: 'int' } },
    { name: 'events', type: 'bytes' },
  ],
} as const;

/** Schema id in the Confluent wire format when no registry is used (ums-schema/README.md). */
export const RAW_RUN_SCHEMA_ID = 1;

const HEADER_BYTES = 5;
const avroType = avsc.Type.forSchema(rawRunSchema as unknown as avsc.Schema);

/**
 * Encodes a run in Confluent wire format: a zero byte, the schema id as u32 big-endian, Avro binary.
 * Source of the format: the wire format page of Confluent's Schema Registry documentation.
 */
export function encodeRawRun(run: RawRun, schemaId: number = RAW_RUN_SCHEMA_ID): Buffer {
  let capacity = HEADER_BYTES + 512 + run.events.length + run.spans.length * 5;
  for (const table of run.tables)
    capacity += table.map.length + 4 * (table.schema.length + table.table.length) + 48;
  for (;;) {
    const bytes = Buffer.allocUnsafe(capacity);
    bytes[0] = 0;
    bytes.writeUInt32BE(schemaId, 1);
    const end = avroType.encode(run, bytes, HEADER_BYTES);
    if (end >= 0) return bytes.subarray(0, end);
    capacity -= end;
  }
}

/** Decodes {@link encodeRawRun}'s bytes. Errors: UMBUS_TOPOLOGY_DECODE. */
export function decodeRawRun(bytes: Uint8Array): RawRun {
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_DECODE',
      'The record is not in Confluent wire format: its first byte is not 0.',
    );
  }
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + HEADER_BYTES, bytes.byteLength - HEADER_BYTES);
  try {
    return avroType.fromBuffer(body) as RawRun;
  } catch (cause) {
    throw new UmbusError('UMBUS_TOPOLOGY_DECODE', `The record is not a raw run: ${messageOf(cause)}.`, {
      cause,
    });
  }
}
