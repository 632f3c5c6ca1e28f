/**
 * The text of a column's type, as `SHOW CREATE TABLE` has it, from what a table map tells. Source of the type metadata: MySQL source documentation, `Table_map_event`.
 */
import { Buffer } from 'node:buffer';
import { ColumnType } from '../binlog/column-type.ts';
import { geometryKinds } from '../binlog/geometry-kinds.ts';
import { charsetOf } from '../binlog/rows/collations.ts';
import { textCodec } from '../binlog/rows/text-value.ts';
import type { ColumnMap } from '../binlog/table-map-types.ts';
import { bytesPerCharacter } from './charset-width.ts';

/** A type and its parts; what a type does not have is absent. */
export interface SourceType {
  readonly type: string;
  readonly charset?: string;
  readonly length?: number;
  readonly scale?: number;
}

const integers: ReadonlyMap<number, string> = new Map([
  [ColumnType.TINY, 'tinyint'],
  [ColumnType.SHORT, 'smallint'],
  [ColumnType.INT24, 'mediumint'],
  [ColumnType.LONG, 'int'],
  [ColumnType.LONGLONG, 'bigint'],
  [ColumnType.FLOAT, 'float'],
  [ColumnType.DOUBLE, 'double'],
]);
const times: ReadonlyMap<number, string> = new Map([
  [ColumnType.DATETIME2, 'datetime'],
  [ColumnType.TIMESTAMP2, 'timestamp'],
  [ColumnType.TIME2, 'time'],
]);
const plain: ReadonlyMap<number, string> = new Map([
  [ColumnType.DATE, 'date'],
  [ColumnType.NEWDATE, 'date'],
  [ColumnType.DATETIME, 'datetime'],
  [ColumnType.TIMESTAMP, 'timestamp'],
  [ColumnType.TIME, 'time'],
  [ColumnType.YEAR, 'year'],
  [ColumnType.JSON, 'json'],
  [ColumnType.VECTOR, 'vector'],
]);
/** By the bytes of their length. */
const texts = ['', 'tinytext', 'text', 'mediumtext', 'longtext'];
const blobs = ['', 'tinyblob', 'blob', 'mediumblob', 'longblob'];

/** The type of a column. A code that is not known is written as a number: such a table is parked before anybody reads this. */
export function sourceType(column: ColumnMap): SourceType {
  if (column.shown === undefined) return typeOf(column);
  const { charset, ...shown } = column.shown;
  return { ...typeOf({ ...column, ...shown }), ...(charset !== undefined && { charset }) };
}

function typeOf(column: ColumnMap): SourceType {
  const { type, meta } = column;
  const integer = integers.get(type);
  if (integer !== undefined) return { type: column.unsigned === true ? `${integer} unsigned` : integer };
  const time = times.get(type);
  if (time !== undefined) return meta === 0 ? { type: time } : { type: `${time}(${meta})`, scale: meta };
  const name = plain.get(type);
  if (name !== undefined) return { type: name };
  switch (type) {
    case ColumnType.NEWDECIMAL: {
      const [length, scale] = [meta >> 8, meta & 255];
      return {
        type: `decimal(${length},${scale})${column.unsigned === true ? ' unsigned' : ''}`,
        length,
        scale,
      };
    }
    case ColumnType.BIT: {
      const length = (meta & 255) + (meta >> 8) * 8;
      return { type: `bit(${length})`, length };
    }
    case ColumnType.GEOMETRY:
      return { type: geometryKinds[column.geometryType ?? 0] ?? 'geometry' };
    default:
      return stringType(column);
  }
}

function stringType(column: ColumnMap): SourceType {
  const { type, meta } = column;
  const charset = (column.collation === null ? null : charsetOf(column.collation)) ?? 'binary';
  const bytes = charset === 'binary';
  const of = (text: string, length?: number): SourceType => ({
    type: text,
    ...(bytes ? {} : { charset }),
    ...(length === undefined ? {} : { length }),
  });
  switch (type) {
    case ColumnType.STRING:
      return sized(bytes ? 'binary' : 'char', stringWidth(meta), charset, of);
    case ColumnType.VARCHAR:
    case ColumnType.VAR_STRING:
      return sized(bytes ? 'varbinary' : 'varchar', meta, charset, of);
    // The metadata has one byte more than the values may have.
    case ColumnType.VARCHAR_COMPRESSED: {
      const plainType = sized(bytes ? 'varbinary' : 'varchar', meta - 1, charset, of);
      return { ...plainType, type: `${plainType.type} compressed` };
    }
    case ColumnType.BLOB:
      return of((bytes ? blobs : texts)[meta] ?? 'blob');
    case ColumnType.BLOB_COMPRESSED:
      return of(`${(bytes ? blobs : texts)[meta] ?? 'blob'} compressed`);
    case ColumnType.ENUM:
      return of(`enum(${labelTexts(column, charset)})`);
    case ColumnType.SET:
      return of(`set(${labelTexts(column, charset)})`);
    default:
      return { type: `type ${type}` };
  }
}

function sized(
  name: string,
  bytes: number,
  charset: string,
  of: (text: string, length: number) => SourceType,
): SourceType {
  const length = Math.floor(bytes / bytesPerCharacter(charset));
  return of(`${name}(${length})`, length);
}

/** Bytes of a CHAR or BINARY column: the two highest bits of the ten are kept, inverted, in the type byte of the metadata. */
function stringWidth(meta: number): number {
  return (meta & 255) | ((((meta >> 8) & 0x30) ^ 0x30) << 4);
}

function labelTexts({ labels }: ColumnMap, charset: string): string {
  const codec = textCodec(charset === 'binary' ? 'utf8mb4' : charset);
  return (labels ?? [])
    .map(label => codec?.decode(Buffer.from(label)) ?? Buffer.from(label).toString('latin1'))
    .map(label => `'${label.replaceAll("'", "''")}'`)
    .join(',');
}
