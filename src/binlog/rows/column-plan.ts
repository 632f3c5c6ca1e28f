import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import type { Zone } from '../../ums/zone.ts';
import { ColumnType } from '../column-type.ts';
import type { ColumnMap } from '../table-map-types.ts';
import { addressCode } from './address-code.ts';
import { charsetOf } from './collations.ts';
import type { ColumnCode, ColumnPlace } from './column-code.ts';
import { compressedCode } from './compressed.ts';
import { DECIMAL_PRECISION_MAX, DECIMAL_SCALE_MAX } from './decimal.ts';
import {
  bigintCode,
  bitCode,
  decimalCode,
  doubleCode,
  floatCode,
  integerCode,
  yearCode,
} from './number-code.ts';
import {
  binaryCode,
  enumCode,
  fixedBinaryCode,
  jsonCode,
  type Labels,
  setCode,
  textCode,
} from './string-code.ts';
import {
  dateCode,
  dateTime2Code,
  oldDateTimeCode,
  oldTimeCode,
  oldTimestampCode,
  time2Code,
  timestamp2Code,
} from './temporal-code.ts';
import { type TextCodec, textCodec } from './text-value.ts';

/** A column of a table map, and where it stands. */
export interface ColumnContext extends ColumnPlace {
  readonly column: ColumnMap;
  /** `schema.table.column`, for messages. */
  readonly name: string;
  /** Zone of TIMESTAMP values. */
  readonly zone: Zone;
  /** Whether values may be marks. */
  readonly marks: boolean;
}

const BINARY = 'binary';
const SET_BYTES = [1, 2, 3, 4, 8];

/**
 * The code for a column: how its bytes become a value of a UMS message. Source of the type metadata: MySQL source documentation,
 * `Table_map_event`. Errors: UMBUS_BINLOG_TYPE, UMBUS_BINLOG_CHARSET, UMBUS_BINLOG_NO_METADATA, UMBUS_BINLOG_TABLE_MAP (metadata that the type
 * cannot have).
 */
export function columnCode(context: ColumnContext): ColumnCode {
  const { column } = context;
  const { meta } = column;
  switch (column.type) {
    case ColumnType.TINY:
      return integerCode(context, 1, unsignedOf(context));
    case ColumnType.SHORT:
      return integerCode(context, 2, unsignedOf(context));
    case ColumnType.INT24:
      return integerCode(context, 3, unsignedOf(context));
    case ColumnType.LONG:
      return integerCode(context, 4, unsignedOf(context));
    case ColumnType.LONGLONG:
      return bigintCode(context, unsignedOf(context));
    case ColumnType.FLOAT:
      return floatCode(context);
    case ColumnType.DOUBLE:
      return doubleCode(context);
    case ColumnType.YEAR:
      return yearCode(context);
    case ColumnType.BIT:
      return bitCode(context, within(context, (meta & 255) + (meta >> 8) * 8, 1, 64));
    case ColumnType.NEWDECIMAL: {
      const precision = within(context, meta >> 8, 1, DECIMAL_PRECISION_MAX);
      return decimalCode(
        context,
        precision,
        within(context, meta & 255, 0, Math.min(precision, DECIMAL_SCALE_MAX)),
      );
    }
    case ColumnType.JSON:
      within(context, meta, 4, 4);
      return jsonCode(context);
    case ColumnType.JSON_TEXT:
      return { ...lengthFirst(context, within(context, meta, 4, 4)), type: 'jsonobject' };
    default:
      return temporalCode(context) ?? stringCode(context) ?? unknownType(context);
  }
}

function temporalCode(context: ColumnContext): ColumnCode | null {
  const { column, zone } = context;
  switch (column.type) {
    case ColumnType.DATE:
    case ColumnType.NEWDATE:
      return dateCode(context);
    case ColumnType.DATETIME2:
      return dateTime2Code(context, within(context, column.meta, 0, 6));
    case ColumnType.TIMESTAMP2:
      return timestamp2Code(context, within(context, column.meta, 0, 6), zone);
    case ColumnType.TIME2:
      return time2Code(context, within(context, column.meta, 0, 6));
    case ColumnType.DATETIME:
      return oldDateTimeCode(context);
    case ColumnType.TIMESTAMP:
      return oldTimestampCode(context, zone);
    case ColumnType.TIME:
      return oldTimeCode(context);
    default:
      return null;
  }
}

function stringCode(context: ColumnContext): ColumnCode | null {
  const { meta, type } = context.column;
  switch (type) {
    case ColumnType.STRING: {
      const width = stringWidth(meta);
      const { address } = context.column;
      if (address !== undefined) return addressCode(context, address, 1);
      if (isBinary(context)) return fixedBinaryCode(context, width);
      return textCode(context, width > 255 ? 2 : 1, codecOf(context), charsetName(context), context.marks);
    }
    case ColumnType.VARCHAR:
    case ColumnType.VAR_STRING:
      if (context.column.address !== undefined)
        return addressCode(context, context.column.address, meta > 255 ? 2 : 1);
      return lengthFirst(context, meta > 255 ? 2 : 1);
    case ColumnType.BLOB:
      return lengthFirst(context, within(context, meta, 1, 4));
    // Geometry is the SRID in four bytes, then WKB; a vector is its numbers of four bytes: as SELECT gives them.
    case ColumnType.GEOMETRY:
    case ColumnType.VECTOR:
      return binaryCode(context, within(context, meta, 1, 4));
    case ColumnType.VARCHAR_COMPRESSED:
      return compressed(context, meta > 255 ? 2 : 1);
    case ColumnType.BLOB_COMPRESSED:
      return compressed(context, within(context, meta, 1, 4));
    case ColumnType.ENUM:
      return enumCode(context, within(context, meta & 255, 1, 2), labelsOf(context));
    case ColumnType.SET: {
      const bytes = meta & 255;
      if (!SET_BYTES.includes(bytes)) within(context, bytes, 1, 4);
      return setCode(context, bytes, labelsOf(context));
    }
    default:
      return null;
  }
}

function lengthFirst(context: ColumnContext, lengthBytes: number): ColumnCode {
  return isBinary(context)
    ? binaryCode(context, lengthBytes)
    : textCode(context, lengthBytes, codecOf(context), charsetName(context), context.marks);
}

function compressed(context: ColumnContext, lengthBytes: number): ColumnCode {
  const codec = isBinary(context) ? null : codecOf(context);
  return compressedCode(context, lengthBytes, {
    codec,
    charset: charsetName(context),
    marks: context.marks,
  });
}

/** Bytes of a CHAR or BINARY column: the two highest bits of the ten are kept, inverted, in the type byte of the metadata. */
function stringWidth(meta: number): number {
  const type = meta >> 8;
  return (meta & 255) | (((type & 0x30) ^ 0x30) << 4);
}

function isBinary(context: ColumnContext): boolean {
  return charsetName(context) === BINARY;
}

function charsetName({ column, name }: ColumnContext): string {
  if (column.collation === null) throw noMetadata(name, 'no character set');
  const charset = charsetOf(column.collation);
  if (charset !== null) return charset;
  throw new UmbusError(
    'UMBUS_BINLOG_CHARSET',
    `Column ${name} has collation ${column.collation}, which is not known.`,
    { details: { column: name, collation: column.collation } },
  );
}

function codecOf(context: ColumnContext): TextCodec {
  const charset = charsetName(context);
  // Labels of a binary ENUM are text all the same; there utf8mb4 stands in, and refuses what is not.
  const codec = textCodec(charset === BINARY ? 'utf8mb4' : charset);
  if (codec !== null) return codec;
  throw new UmbusError(
    'UMBUS_BINLOG_CHARSET',
    `Column ${context.name} has character set ${charset}, which is not decoded yet.`,
    { details: { column: context.name, charset } },
  );
}

function labelsOf(context: ColumnContext): Labels {
  const { column, name } = context;
  const bytes = column.labels;
  if (bytes === null) throw noMetadata(name, 'no labels');
  const codec = codecOf(context);
  return {
    texts: bytes.map(label => codec.decode(Buffer.from(label))),
    bytes,
    charset: charsetName(context),
  };
}

function unsignedOf({ column, name }: ColumnContext): boolean {
  if (column.unsigned === null) throw noMetadata(name, 'no sign');
  return column.unsigned;
}

/** Checks a number of the type metadata. */
function within({ column, name }: ColumnContext, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw new UmbusError(
    'UMBUS_BINLOG_TABLE_MAP',
    `Column ${name} of type code ${column.type} has metadata ${column.meta}, which the type cannot have.`,
    { details: { column: name, type: column.type, meta: column.meta } },
  );
}

function unknownType({ column, name }: ColumnContext): never {
  const type = TYPE_NAMES.get(column.type) ?? `type code ${column.type}`;
  throw new UmbusError('UMBUS_BINLOG_TYPE', `Column ${name} is of type ${type}, which is not decoded yet.`, {
    details: { column: name, type: column.type },
  });
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [ColumnType.DECIMAL, 'DECIMAL of before MySQL 5.0'],
  [ColumnType.TYPED_ARRAY, 'array of a multi-valued index'],
]);

function noMetadata(name: string, what: string): UmbusError {
  return new UmbusError(
    'UMBUS_BINLOG_NO_METADATA',
    `The table map has ${what} for column ${name}: run SET GLOBAL binlog_row_metadata = FULL on the source, then reconnect its sessions.`,
    { details: { column: name } },
  );
}
