/** Rows of a table as Avro records, and back. */
import { Buffer } from 'node:buffer';
import { encodeFrames, FRAME_HEADER_BYTES } from './avro-frame.ts';
import {
  AVRO_SYSTEM_FIELDS,
  type AvroColumn,
  type AvroTable,
  type NamedSchema,
  type RowShape,
  rowSchema,
} from './avro-schema.ts';
import { avroRecordType } from './avro-type.ts';
import { SYSTEM_FIELDS } from './message.ts';
import type { UmsField, UmsType, UmsValue } from './types.ts';

/** Room for a row's header and lengths, beside what its JSON has. */
const ROW_ROOM_BYTES = 64;
const SYSTEM_COUNT = SYSTEM_FIELDS.length;
/** Digits that tell every 32-bit float from its neighbours. */
const FLOAT_DIGITS = 9;

/** Writes rows of one shape. */
export interface RowEncoder {
  readonly schema: NamedSchema;
  /** A record value for each tuple, without its schema id. `sizeBytes`: of the message that they come from, to begin with enough room. */
  encode(tuples: readonly (readonly UmsValue[])[], batchId: number, sizeBytes: number): readonly Buffer[];
}

/** What writes the rows of a shape. Pure; to be kept, since it compiles the schema. */
export function rowEncoder(shape: RowShape): RowEncoder {
  const schema = rowSchema(shape);
  const type = avroRecordType(schema.text);
  const Row: new (...values: readonly unknown[]) => object = type.recordConstructor;
  const binary = shape.columns.flatMap((column, index) => (column.type === 'binary' ? [index] : []));
  const first = AVRO_SYSTEM_FIELDS.length;
  const count = first + shape.columns.length;
  const recordOf = (tuple: readonly UmsValue[], batchId: number): object => {
    const values = new Array<unknown>(count);
    for (let index = 0; index < SYSTEM_COUNT; index++) values[index] = tuple[index];
    values[SYSTEM_COUNT] = batchId;
    for (let index = SYSTEM_COUNT; index < tuple.length; index++) values[index + 1] = tuple[index];
    for (const index of binary) values[first + index] = bytesOf(values[first + index]);
    return new Row(...values);
  };
  return {
    schema,
    encode: (tuples, batchId, sizeBytes) =>
      encodeFrames(
        type,
        tuples.map(tuple => recordOf(tuple, batchId)),
        sizeBytes + ROW_ROOM_BYTES,
      ),
  };
}

/** Reads rows of one schema. */
export interface RowDecoder {
  readonly table: AvroTable;
  /** All fields of a tuple, system columns included. */
  readonly fields: readonly UmsField[];
  /** The tuple of a record value. Throws what avsc throws for bytes that do not fit the schema. */
  decode(value: Uint8Array): { readonly tuple: readonly UmsValue[]; readonly batchId: number };
}

/** What reads the rows of a schema that {@link rowSchema} has made; null for any other schema. Throws when the text is no schema of Avro. */
export function rowDecoder(schemaText: string): RowDecoder | null {
  const parsed: unknown = JSON.parse(schemaText);
  const table = isRecord(parsed) ? tableOf(parsed['umbus']) : null;
  const columns = isRecord(parsed) ? columnsOf(parsed['fields']) : null;
  if (table === null || columns === null) return null;
  const type = avroRecordType(schemaText);
  const names = type.fields.map(field => field.name);
  const readers = columns.map(({ type: umsType }) => umsValueOf(umsType));
  return {
    table,
    fields: [...SYSTEM_FIELDS, ...columns],
    decode(value) {
      const record: Readonly<Record<string, unknown>> = type.fromBuffer(datumOf(value));
      const values = names.map(name => record[name]);
      const own = values.slice(AVRO_SYSTEM_FIELDS.length);
      return {
        tuple: [
          ...values.slice(0, SYSTEM_COUNT).map(String),
          ...readers.map((read, index) => read(own[index])),
        ],
        batchId: Number(values[SYSTEM_COUNT]),
      };
    },
  };
}

/** The Avro data of a record value. */
export function datumOf(value: Uint8Array): Buffer {
  return Buffer.from(
    value.buffer,
    value.byteOffset + FRAME_HEADER_BYTES,
    value.byteLength - FRAME_HEADER_BYTES,
  );
}

function bytesOf(value: unknown): unknown {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : value;
}

function umsValueOf(type: UmsType): (value: unknown) => UmsValue {
  if (type === 'binary') return value => (Buffer.isBuffer(value) ? value.toString('base64') : null);
  if (type === 'float') return value => (typeof value === 'number' ? shortest(value) : null);
  // What avsc reads for the other types is what UMS has: text, numbers, booleans and null.
  return value => (value === undefined ? null : (value as UmsValue));
}

/** The number with the fewest digits that is the same 32-bit float, as UMS writes it. */
function shortest(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return value;
  for (let digits = 1; digits < FLOAT_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(FLOAT_DIGITS));
}

function tableOf(about: unknown): AvroTable | null {
  if (!isRecord(about)) return null;
  const { schema, table, primaryKey } = about;
  if (typeof schema !== 'string' || typeof table !== 'string' || !Array.isArray(primaryKey)) return null;
  return { schema, table, primaryKey: primaryKey.map(String) };
}

function columnsOf(fields: unknown): readonly AvroColumn[] | null {
  if (!Array.isArray(fields)) return null;
  const system = fields
    .slice(0, AVRO_SYSTEM_FIELDS.length)
    .map(field => (isRecord(field) ? field['name'] : null));
  if (!AVRO_SYSTEM_FIELDS.every(({ name }, index) => system[index] === name)) return null;
  const columns = fields.slice(AVRO_SYSTEM_FIELDS.length).map(columnOf);
  return columns.every(column => column !== null) ? columns : null;
}

function columnOf(field: unknown): AvroColumn | null {
  const column = isRecord(field) ? field['umbus'] : null;
  if (!isRecord(column)) return null;
  const { name, type, nullable, encoded } = column;
  if (typeof name !== 'string' || !isUmsType(type)) return null;
  return { name, type, nullable: nullable === true, encoded: encoded === true };
}

const umsTypes: Readonly<Record<UmsType, true>> = {
  string: true,
  int: true,
  long: true,
  float: true,
  double: true,
  boolean: true,
  date: true,
  datetime: true,
  decimal: true,
  binary: true,
  raw: true,
  jsonobject: true,
};

function isUmsType(type: unknown): type is UmsType {
  return typeof type === 'string' && Object.hasOwn(umsTypes, type);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
