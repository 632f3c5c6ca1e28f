import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { UmbusError } from '../core/errors.ts';
import { ColumnType } from './column-type.ts';
import { Cursor } from './cursor.ts';
import { type OptionalMetadata, readOptionalMetadata } from './table-map-metadata.ts';
import type { ColumnMap, TableMap } from './table-map-types.ts';

/** Bytes of table id and flags at the start of a TABLE_MAP body. */
const POST_HEADER_BYTES = 8;
/** MySQL's own limit on columns of a table, with room to spare; a larger count is damage. */
const MAX_COLUMNS = 65_535;

/** The name of a table as its TABLE_MAP event gives it. */
export interface TableName {
  readonly tableId: number;
  readonly schema: string;
  readonly table: string;
}

/**
 * Parses a TABLE_MAP event. `body` is the event without its 19-byte header and without checksum. Optional metadata fields of kinds that are not
 * known are skipped by their length. Labels are views of `body`.
 * Format: MySQL source documentation, class `Table_map_event`. Errors: UMBUS_BINLOG_TABLE_MAP (malformed), UMBUS_BINLOG_TYPE (a column type whose
 * metadata length is not known).
 */
export function parseTableMap(body: Uint8Array): TableMap {
  const cursor = new Cursor(body, 'The TABLE_MAP event', 'UMBUS_BINLOG_TABLE_MAP');
  const name = readName(cursor);
  const place = `${name.schema}.${name.table}`;
  const count = cursor.lenenc('the column count');
  if (count > MAX_COLUMNS) throw cursor.fault(`of ${place} has ${count} columns`);
  const rawTypes = cursor.view(count, 'the column types');
  const { types, metas } = readColumnMetadata(cursor, rawTypes, place);
  const nullable = cursor.view((count + 7) >> 3, 'the null bitmap');
  const optional = readOptionalMetadata(cursor, types);
  const columns: ColumnMap[] = [];
  for (let i = 0; i < count; i++) columns.push(columnOf(i, types, metas, nullable, optional));
  return { ...name, columns, primaryKey: optional.primaryKey, named: optional.names !== null };
}

/** The name only, without looking at the columns. Errors: UMBUS_BINLOG_TABLE_MAP. */
export function parseTableName(body: Uint8Array): TableName {
  return readName(new Cursor(body, 'The TABLE_MAP event', 'UMBUS_BINLOG_TABLE_MAP'));
}

/**
 * First 8 bytes of SHA-256 over a TABLE_MAP body without table id and flags, and over what is known beside it: equal for equal definitions, whatever id the server uses.
 * `body` as in {@link parseTableMap}.
 */
export function tableMapFingerprint(body: Uint8Array, columns = ''): Buffer {
  const hash = createHash('sha256').update(body.subarray(POST_HEADER_BYTES)).update(columns);
  return Buffer.from(hash.digest().subarray(0, 8));
}

function readName(cursor: Cursor): TableName {
  const tableId = cursor.uint(6, 'the table id');
  cursor.take(2, 'the flags');
  const schema = cursor.text(cursor.lenenc('the schema name'), 'the schema name');
  cursor.take(1, 'the schema name');
  const table = cursor.text(cursor.lenenc('the table name'), 'the table name');
  cursor.take(1, 'the table name');
  return { tableId, schema, table };
}

function columnOf(
  i: number,
  types: readonly number[],
  metas: readonly number[],
  nullable: Uint8Array,
  optional: OptionalMetadata,
): ColumnMap {
  return {
    name: optional.names?.[i] ?? null,
    type: types[i] ?? 0,
    meta: metas[i] ?? 0,
    nullable: ((nullable[i >> 3] ?? 0) & (1 << (i & 7))) !== 0,
    unsigned: optional.unsigned[i] ?? null,
    collation: optional.collations[i] ?? null,
    labels: optional.labels[i] ?? null,
    geometryType: optional.geometryTypes[i] ?? null,
    visible: optional.visible[i] ?? true,
  };
}

function readColumnMetadata(
  cursor: Cursor,
  rawTypes: Uint8Array,
  place: string,
): { types: number[]; metas: number[] } {
  const length = cursor.lenenc('the metadata length');
  const end = cursor.take(length, 'the column metadata') + length;
  const block = new Cursor(
    cursor.bytes,
    `The TABLE_MAP event of ${place}`,
    'UMBUS_BINLOG_TABLE_MAP',
    end - length,
    end,
  );
  const types: number[] = [];
  const metas: number[] = [];
  for (const [i, type] of rawTypes.entries()) {
    const meta = readMeta(block, type, i, place);
    const realType = meta >> 8;
    const isLabelled =
      type === ColumnType.STRING && (realType === ColumnType.ENUM || realType === ColumnType.SET);
    types.push(isLabelled ? realType : type);
    metas.push(meta);
  }
  if (block.left !== 0) throw block.fault(`has ${block.left} bytes of column metadata that no column uses`);
  return { types, metas };
}

function readMeta(block: Cursor, type: number, column: number, place: string): number {
  switch (type) {
    case ColumnType.FLOAT:
    case ColumnType.DOUBLE:
    case ColumnType.TIMESTAMP2:
    case ColumnType.DATETIME2:
    case ColumnType.TIME2:
    case ColumnType.TINY_BLOB:
    case ColumnType.MEDIUM_BLOB:
    case ColumnType.LONG_BLOB:
    case ColumnType.BLOB:
    case ColumnType.BLOB_COMPRESSED:
    case ColumnType.GEOMETRY:
    case ColumnType.JSON:
    case ColumnType.VECTOR:
      return block.uint(1, 'the column metadata');
    case ColumnType.VARCHAR:
    case ColumnType.VARCHAR_COMPRESSED:
    case ColumnType.BIT:
      return block.uint(2, 'the column metadata');
    case ColumnType.NEWDECIMAL:
    case ColumnType.ENUM:
    case ColumnType.SET:
    case ColumnType.STRING: {
      const first = block.uint(1, 'the column metadata');
      return (first << 8) | block.uint(1, 'the column metadata');
    }
    default:
      if (type <= ColumnType.NEWDATE) return 0;
      throw new UmbusError(
        'UMBUS_BINLOG_TYPE',
        `Column ${column + 1} of ${place} has type code ${type}, whose metadata is not known.`,
        { details: { table: place, column: column + 1, type } },
      );
  }
}
