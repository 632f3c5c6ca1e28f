import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import { ColumnType } from '../column-type.ts';
import { isGeometryKind } from '../geometry-kinds.ts';
import { collationOf } from '../rows/collations.ts';
import type { ColumnMap } from '../table-map-types.ts';
import { labelsOf } from './labels.ts';
import { shownType } from './shown-type.ts';

/** A column as information_schema tells it. */
export interface ColumnDefinition {
  readonly name: string;
  /** `DATA_TYPE`, lower case. */
  readonly dataType: string;
  /** `COLUMN_TYPE`. */
  readonly columnType: string;
  readonly nullable: boolean;
  /** `CHARACTER_SET_NAME`; null for types without text. */
  readonly charset: string | null;
  /** `NUMERIC_PRECISION` and `NUMERIC_SCALE`; for BIT its bits; null for others. */
  readonly precision: number | null;
  readonly scale: number | null;
  /** `DATETIME_PRECISION`; null for others. */
  readonly fraction: number | null;
  /** `CHARACTER_OCTET_LENGTH`: most bytes of text and of BINARY and VARBINARY; null for others. */
  readonly octets: number | null;
}

/** How a value of a binary result becomes a value of a row image. */
export type Conversion =
  /** The first `bytes` bytes of a number, as they are; `sent` are sent. */
  | { readonly kind: 'number'; readonly sent: number; readonly bytes: number }
  | { readonly kind: 'year' }
  | { readonly kind: 'date' }
  | { readonly kind: 'bits'; readonly bytes: number }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'datetime' | 'timestamp' | 'time'; readonly digits: number }
  /** Bytes with a length of `lengthBytes` bytes in front. */
  | { readonly kind: 'bytes'; readonly lengthBytes: 2 | 4 };

/** A column of a table as it is selected, and as its values stand in a row image. */
export interface ResultColumn {
  /** What a decoder of row images takes the column for. Lengths are those of the widest type of the kind: a value says its own. */
  readonly map: ColumnMap;
  /** What is selected: the column, or an expression that says its value more exactly. */
  readonly select: (quoted: string) => string;
  readonly conversion: Conversion;
  /** What bytes are that were selected in place of their text; null for all other columns. */
  readonly address: 'uuid' | 'inet4' | 'inet6' | null;
}

const plain = (quoted: string): string => quoted;
/** ENUM and SET as the number that is stored. The result of `|` has eight bytes on both servers; that of CAST alone has four on MariaDB where they suffice. */
const asNumber = (quoted: string): string => `CAST(${quoted} AS UNSIGNED) | 0`;

const INTEGERS: Readonly<Record<string, readonly [type: number, bytes: number, sent: number]>> = {
  tinyint: [ColumnType.TINY, 1, 1],
  smallint: [ColumnType.SHORT, 2, 2],
  mediumint: [ColumnType.INT24, 3, 4],
  int: [ColumnType.LONG, 4, 4],
  bigint: [ColumnType.LONGLONG, 8, 8],
};
const SHORT_BYTES: ReadonlySet<string> = new Set(['char', 'varchar', 'binary', 'varbinary']);
const LONG_BYTES: ReadonlySet<string> = new Set(
  'tinytext text mediumtext longtext tinyblob blob mediumblob longblob'.split(' '),
);
/** Bytes of MariaDB's types with a text of their own. */
const ADDRESSES = { uuid: 16, inet6: 16, inet4: 4 } as const;
/** Two length bytes. */
const VARCHAR_META = 65_535;
const BLOB_META = 4;

/**
 * How a column is read by SELECT over the binary protocol so that a decoder of row images gives for it what it gives for the stream.
 * Errors: UMBUS_BINLOG_TYPE, UMBUS_BINLOG_CHARSET.
 */
export function resultColumn(column: ColumnDefinition): ResultColumn {
  const { dataType } = column;
  const integer = INTEGERS[dataType];
  if (integer !== undefined) {
    const [type, bytes, sent] = integer;
    return made(
      column,
      { type, unsigned: /unsigned/i.test(column.columnType) },
      { kind: 'number', sent, bytes },
    );
  }
  return (
    fixedColumn(column) ??
    temporalColumn(column) ??
    labelled(column) ??
    byteColumn(column) ??
    unknownType(column)
  );
}

function fixedColumn(column: ColumnDefinition): ResultColumn | null {
  const { precision, scale } = column;
  switch (column.dataType) {
    case 'float':
      return made(column, { type: ColumnType.FLOAT, meta: 4 }, { kind: 'number', sent: 4, bytes: 4 });
    case 'double':
      return made(column, { type: ColumnType.DOUBLE, meta: 8 }, { kind: 'number', sent: 8, bytes: 8 });
    case 'year':
      return made(column, { type: ColumnType.YEAR, unsigned: true }, { kind: 'year' });
    case 'bit': {
      const bits = precision ?? 1;
      const meta = ((bits >> 3) << 8) | (bits & 7);
      return made(column, { type: ColumnType.BIT, meta }, { kind: 'bits', bytes: (bits + 7) >> 3 });
    }
    case 'decimal': {
      const shape = { precision: precision ?? 10, scale: scale ?? 0 };
      const meta = (shape.precision << 8) | shape.scale;
      return made(column, { type: ColumnType.NEWDECIMAL, meta }, { kind: 'decimal', ...shape });
    }
    default:
      return null;
  }
}

function temporalColumn(column: ColumnDefinition): ResultColumn | null {
  const digits = column.fraction ?? 0;
  switch (column.dataType) {
    case 'date':
      return made(column, { type: ColumnType.DATE }, { kind: 'date' });
    case 'datetime':
      return made(column, { type: ColumnType.DATETIME2, meta: digits }, { kind: 'datetime', digits });
    case 'timestamp':
      return made(column, { type: ColumnType.TIMESTAMP2, meta: digits }, { kind: 'timestamp', digits });
    case 'time':
      return made(column, { type: ColumnType.TIME2, meta: digits }, { kind: 'time', digits });
    default:
      return null;
  }
}

function labelled(column: ColumnDefinition): ResultColumn | null {
  const { dataType } = column;
  if (dataType !== 'enum' && dataType !== 'set') return null;
  const labels = labelsOf(column.columnType).map(label => Buffer.from(label, 'utf8'));
  const bytes = dataType === 'enum' ? (labels.length > 255 ? 2 : 1) : setBytes(labels.length);
  const type = dataType === 'enum' ? ColumnType.ENUM : ColumnType.SET;
  const map = { type, meta: (type << 8) | bytes, labels, collation: collation(column, 'utf8mb4') };
  return { ...made(column, map, { kind: 'number', sent: 8, bytes }), select: asNumber };
}

/** A SET is stored in 1, 2, 3, 4 or 8 bytes. */
function setBytes(labels: number): number {
  const bytes = (labels + 7) >> 3;
  return bytes > 4 ? 8 : Math.max(1, bytes);
}

function byteColumn(column: ColumnDefinition): ResultColumn | null {
  const { dataType } = column;
  const charset = column.charset ?? 'binary';
  if (SHORT_BYTES.has(dataType)) {
    const map = { type: ColumnType.VARCHAR, meta: VARCHAR_META, collation: collation(column, charset) };
    return made(column, map, { kind: 'bytes', lengthBytes: 2 });
  }
  const long: Conversion = { kind: 'bytes', lengthBytes: 4 };
  if (LONG_BYTES.has(dataType)) {
    return made(
      column,
      { type: ColumnType.BLOB, meta: BLOB_META, collation: collation(column, charset) },
      long,
    );
  }
  if (dataType === 'json') {
    const map = { type: ColumnType.JSON_TEXT, meta: BLOB_META, collation: collation(column, 'utf8mb4') };
    return made(column, map, long);
  }
  if (isGeometryKind(dataType)) return made(column, { type: ColumnType.GEOMETRY, meta: BLOB_META }, long);
  if (dataType === 'vector') return made(column, { type: ColumnType.VECTOR, meta: BLOB_META }, long);
  if (dataType !== 'uuid' && dataType !== 'inet4' && dataType !== 'inet6') return null;
  const width = ADDRESSES[dataType];
  const map = { type: ColumnType.VARCHAR, meta: VARCHAR_META, collation: collation(column, 'binary') };
  return {
    ...made(column, { ...map, address: dataType }, { kind: 'bytes', lengthBytes: 2 }),
    select: quoted => `CAST(${quoted} AS BINARY(${width}))`,
    address: dataType,
  };
}

function made(
  column: ColumnDefinition,
  map: Partial<ColumnMap> & Pick<ColumnMap, 'type'>,
  conversion: Conversion,
): ResultColumn {
  const { name, nullable } = column;
  const shown = shownType(column);
  const whole: ColumnMap = {
    name,
    nullable,
    meta: 0,
    unsigned: null,
    collation: null,
    labels: null,
    geometryType: null,
    visible: true,
    ...map,
    ...(shown !== undefined && { shown }),
  };
  return { map: whole, select: plain, conversion, address: null };
}

function collation({ name }: ColumnDefinition, charset: string): number {
  const id = collationOf(charset === 'utf8' ? 'utf8mb3' : charset);
  if (id !== null) return id;
  throw new UmbusError(
    'UMBUS_BINLOG_CHARSET',
    `Column ${name} has character set ${charset}, which is not known.`,
    {
      details: { column: name, charset },
    },
  );
}

function unknownType({ name, dataType }: ColumnDefinition): never {
  throw new UmbusError(
    'UMBUS_BINLOG_TYPE',
    `Column ${name} is of type ${dataType.toUpperCase()}, which is not decoded yet.`,
    { details: { column: name } },
  );
}
