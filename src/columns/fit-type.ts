import { ColumnType } from '../binlog/column-type.ts';
import { isGeometryKind } from '../binlog/geometry-kinds.ts';
import type { ColumnMap } from '../binlog/table-map-types.ts';
import type { DescribedColumn } from './table-columns.ts';

/** Most bytes of a character, by character set; one where it is not here. Source: `Maxlen` of SHOW CHARACTER SET. */
const MAX_BYTES: Readonly<Record<string, number>> = {
  utf8mb4: 4,
  utf16: 4,
  utf16le: 4,
  utf32: 4,
  gb18030: 4,
  utf8mb3: 3,
  ujis: 3,
  eucjpms: 3,
  ucs2: 2,
  big5: 2,
  gbk: 2,
  gb2312: 2,
  sjis: 2,
  cp932: 2,
  euckr: 2,
};

const NUMBERS: Readonly<Record<string, number>> = {
  tinyint: ColumnType.TINY,
  smallint: ColumnType.SHORT,
  mediumint: ColumnType.INT24,
  int: ColumnType.LONG,
  bigint: ColumnType.LONGLONG,
  float: ColumnType.FLOAT,
  double: ColumnType.DOUBLE,
};

/** Bytes of length in front of a value, by type. */
const BLOBS: Readonly<Record<string, number>> = {
  tinyblob: 1,
  tinytext: 1,
  blob: 2,
  text: 2,
  mediumblob: 3,
  mediumtext: 3,
  longblob: 4,
  longtext: 4,
};

/** Codes of types with a fraction, and of their old forms, which have none. */
const TEMPORALS: Readonly<Record<string, readonly [code: number, old: number]>> = {
  datetime: [ColumnType.DATETIME2, ColumnType.DATETIME],
  timestamp: [ColumnType.TIMESTAMP2, ColumnType.TIMESTAMP],
  time: [ColumnType.TIME2, ColumnType.TIME],
};

const ADDRESS_BYTES: Readonly<Record<string, number>> = { uuid: 16, inet6: 16, inet4: 4 };

const DECIMAL_PRECISION = 10;
const BYTES_OF_TWO = 256;
/** An ENUM with more labels takes two bytes. */
const SHORT_ENUM_LABELS = 255;

/** Whether values of a type have a sign. */
export function isSigned(type: string): boolean {
  return Object.hasOwn(NUMBERS, type) || type === 'decimal' || type === 'year';
}

/** Whether a table map's column can be one of this definition: type code, and all that the type's metadata says of sizes. */
export function fitsType(column: ColumnMap, definition: DescribedColumn): boolean {
  const { type, sizes = [] } = definition;
  const number = NUMBERS[type];
  if (number !== undefined) return column.type === number;
  const temporal = TEMPORALS[type];
  if (temporal !== undefined) {
    const [code, old] = temporal;
    return column.type === code ? column.meta === (sizes[0] ?? 0) : column.type === old;
  }
  if (isGeometryKind(type)) return column.type === ColumnType.GEOMETRY;
  return fitsSimple(column, definition) ?? fitsString(column, definition);
}

/** Null for another type. */
function fitsSimple(column: ColumnMap, { type, sizes = [], labels = [] }: DescribedColumn): boolean | null {
  const [first] = sizes;
  switch (type) {
    case 'year':
      return column.type === ColumnType.YEAR;
    case 'date':
      return column.type === ColumnType.DATE || column.type === ColumnType.NEWDATE;
    case 'decimal': {
      // DECIMAL(0) is the default precision.
      const precision = first === undefined || first === 0 ? DECIMAL_PRECISION : first;
      return column.type === ColumnType.NEWDECIMAL && column.meta === ((precision << 8) | (sizes[1] ?? 0));
    }
    case 'bit': {
      const bits = first === undefined || first === 0 ? 1 : first;
      return column.type === ColumnType.BIT && column.meta === (((bits >> 3) << 8) | (bits & 7));
    }
    case 'enum':
      return (
        column.type === ColumnType.ENUM && (column.meta & 255) === (labels.length > SHORT_ENUM_LABELS ? 2 : 1)
      );
    case 'set':
      return column.type === ColumnType.SET && (column.meta & 255) === setBytes(labels.length);
    case 'json':
      // MariaDB's is LONGTEXT.
      return column.type === ColumnType.JSON || (column.type === ColumnType.BLOB && column.meta === 4);
    case 'vector':
      return column.type === ColumnType.VECTOR;
    default:
      return null;
  }
}

function setBytes(labels: number): number {
  const bytes = (labels + 7) >> 3;
  return bytes > 4 ? 8 : bytes;
}

function fitsString(column: ColumnMap, definition: DescribedColumn): boolean {
  const { type, sizes, charset = 'binary', compressed } = definition;
  const blob = BLOBS[type];
  if (blob !== undefined) {
    const code = compressed === true ? ColumnType.BLOB_COMPRESSED : ColumnType.BLOB;
    // With a length, and when converted, the server takes the type that is large enough.
    return column.type === code && (sizes === undefined ? column.meta >= blob : true);
  }
  const bytes = ADDRESS_BYTES[type] ?? (sizes?.[0] ?? 1) * (MAX_BYTES[charset] ?? 1);
  if (type === 'varchar' || type === 'varbinary') {
    if (compressed === true) {
      // One byte more, which says how it is compressed.
      return (
        column.type === ColumnType.VARCHAR_COMPRESSED && (column.meta === bytes + 1 || column.meta === bytes)
      );
    }
    return isVarchar(column.type) && column.meta === bytes;
  }
  return column.type === ColumnType.STRING && stringBytes(column.meta) === bytes;
}

function isVarchar(type: number): boolean {
  return type === ColumnType.VARCHAR || type === ColumnType.VAR_STRING;
}

/** Bytes of a CHAR or BINARY column: two of the ten bits are kept, inverted, in the byte of the type. Source: `Field_string::do_save_field_metadata`. */
function stringBytes(meta: number): number {
  return (meta & (BYTES_OF_TWO - 1)) | ((((meta >> 8) & 0x30) ^ 0x30) << 4);
}
