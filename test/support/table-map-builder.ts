/** Makes the bodies of TABLE_MAP events by hand. */
import { Buffer } from 'node:buffer';
import { ColumnType } from '../../src/binlog/column-type.ts';

/** A column of a table map. What is left out is not in the event's metadata, or is the obvious default. */
export interface ColumnSpec {
  readonly name: string;
  /** As in `ColumnType`. */
  readonly type: number;
  /** As in `ColumnMap.meta`. Default 0. */
  readonly meta?: number;
  /** Default false. */
  readonly nullable?: boolean;
  /** Of numeric columns; default false. */
  readonly unsigned?: boolean;
  /** Of character columns; default 45 (utf8mb4_general_ci). */
  readonly collation?: number;
  /** Of ENUM and SET. */
  readonly labels?: readonly string[];
}

export interface TableSpec {
  readonly tableId: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly ColumnSpec[];
  /** Column indexes; default none. */
  readonly primaryKey?: readonly number[];
  /** False leaves out all optional metadata (`binlog_row_metadata=MINIMAL` keeps a part; this keeps none). Default true. */
  readonly metadata?: boolean;
}

const numericTypes: ReadonlySet<number> = new Set([
  ColumnType.TINY,
  ColumnType.SHORT,
  ColumnType.INT24,
  ColumnType.LONG,
  ColumnType.LONGLONG,
  ColumnType.NEWDECIMAL,
  ColumnType.FLOAT,
  ColumnType.DOUBLE,
  ColumnType.YEAR,
]);
const characterTypes: ReadonlySet<number> = new Set([
  ColumnType.VARCHAR,
  ColumnType.STRING,
  ColumnType.BLOB,
  ColumnType.VARCHAR_COMPRESSED,
  ColumnType.BLOB_COMPRESSED,
  ColumnType.VECTOR,
]);

/** Length-encoded integer below 2^24. */
export function lenenc(value: number): Buffer {
  if (value < 251) return Buffer.from([value]);
  if (value < 0x10000) return Buffer.from([252, value & 255, value >> 8]);
  return Buffer.from([253, value & 255, (value >> 8) & 255, value >> 16]);
}

/** Body of a TABLE_MAP event, with full metadata unless the table says otherwise. */
export function tableMapBody(spec: TableSpec): Buffer {
  const { columns } = spec;
  const head = Buffer.alloc(8);
  head.writeUIntLE(spec.tableId, 0, 6);
  head[6] = 1;
  const types = columns.map(column => (isLabelled(column) ? ColumnType.STRING : column.type));
  const metas = Buffer.concat(columns.map(metaBytes));
  const nulls = Buffer.alloc(Math.ceil(columns.length / 8));
  for (const [i, column] of columns.entries()) {
    if (column.nullable === true) nulls[i >> 3] = (nulls[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return Buffer.concat([
    head,
    text(spec.schema),
    Buffer.alloc(1),
    text(spec.table),
    Buffer.alloc(1),
    lenenc(columns.length),
    Buffer.from(types),
    lenenc(metas.length),
    metas,
    nulls,
    ...(spec.metadata === false ? [] : optionalMetadata(spec)),
  ]);
}

function isLabelled(column: ColumnSpec): boolean {
  return column.type === ColumnType.ENUM || column.type === ColumnType.SET;
}

function metaBytes(column: ColumnSpec): Buffer {
  const meta = column.meta ?? 0;
  switch (column.type) {
    case ColumnType.FLOAT:
    case ColumnType.DOUBLE:
    case ColumnType.TIMESTAMP2:
    case ColumnType.DATETIME2:
    case ColumnType.TIME2:
    case ColumnType.BLOB:
    case ColumnType.JSON:
    case ColumnType.GEOMETRY:
    case ColumnType.BLOB_COMPRESSED:
    case ColumnType.VECTOR:
      return Buffer.from([meta]);
    case ColumnType.VARCHAR:
    case ColumnType.VARCHAR_COMPRESSED:
    case ColumnType.BIT:
      return Buffer.from([meta & 255, meta >> 8]);
    case ColumnType.NEWDECIMAL:
    case ColumnType.STRING:
      return Buffer.from([meta >> 8, meta & 255]);
    case ColumnType.ENUM:
    case ColumnType.SET:
      return Buffer.from([column.type, meta & 255]);
    default:
      return Buffer.alloc(0);
  }
}

function optionalMetadata(spec: TableSpec): Buffer[] {
  const { columns } = spec;
  const numeric = columns.filter(column => numericTypes.has(column.type));
  const characters = columns.filter(column => characterTypes.has(column.type));
  const labelled = columns.filter(isLabelled);
  const fields: Buffer[] = [];
  if (numeric.length > 0) fields.push(field(1, bits(numeric.map(column => column.unsigned === true))));
  if (characters.length > 0) fields.push(field(3, collations(characters)));
  fields.push(field(4, Buffer.concat(columns.map(column => text(column.name)))));
  for (const [kind, type] of [
    [5, ColumnType.SET],
    [6, ColumnType.ENUM],
  ] as const) {
    const those = columns.filter(column => column.type === type);
    if (those.length > 0) fields.push(field(kind, Buffer.concat(those.map(labels))));
  }
  if (spec.primaryKey !== undefined) fields.push(field(8, Buffer.concat(spec.primaryKey.map(lenenc))));
  if (labelled.length > 0) fields.push(field(11, collations(labelled)));
  fields.push(field(12, bits(columns.map(() => true))));
  return fields;
}

function field(kind: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([kind]), lenenc(value.length), value]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([lenenc(bytes.length), bytes]);
}

function labels(column: ColumnSpec): Buffer {
  const all = column.labels ?? [];
  return Buffer.concat([lenenc(all.length), ...all.map(text)]);
}

function collations(columns: readonly ColumnSpec[]): Buffer {
  return Buffer.concat(columns.map(column => lenenc(column.collation ?? 45)));
}

function bits(values: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(values.length / 8));
  for (const [i, value] of values.entries()) {
    if (value) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (0x80 >> (i & 7));
  }
  return bytes;
}
