import { ColumnType } from './column-type.ts';
import { Cursor } from './cursor.ts';

/** The optional metadata of a TABLE_MAP event, by column index; what the event lacks is null or not there. */
export interface OptionalMetadata {
  readonly names: readonly string[] | null;
  readonly unsigned: readonly (boolean | undefined)[];
  readonly collations: readonly (number | undefined)[];
  readonly labels: readonly (readonly Uint8Array[] | undefined)[];
  readonly geometryTypes: readonly (number | undefined)[];
  readonly primaryKey: readonly number[] | null;
  readonly visible: readonly (boolean | undefined)[];
}

/** Field kinds (MySQL source documentation, `Table_map_event::Optional_metadata_field_type`). */
const Kind = {
  SIGNEDNESS: 1,
  DEFAULT_CHARSET: 2,
  COLUMN_CHARSET: 3,
  COLUMN_NAME: 4,
  SET_STR_VALUE: 5,
  ENUM_STR_VALUE: 6,
  GEOMETRY_TYPE: 7,
  SIMPLE_PRIMARY_KEY: 8,
  PRIMARY_KEY_WITH_PREFIX: 9,
  ENUM_AND_SET_DEFAULT_CHARSET: 10,
  ENUM_AND_SET_COLUMN_CHARSET: 11,
  COLUMN_VISIBILITY: 12,
} as const;

const BINARY_COLLATION = 63;

/** The metadata while it is read. */
interface Draft {
  names: string[] | null;
  unsigned: (boolean | undefined)[];
  collations: (number | undefined)[];
  labels: (readonly Uint8Array[] | undefined)[];
  geometryTypes: (number | undefined)[];
  primaryKey: number[] | null;
  visible: (boolean | undefined)[];
}

/** One field: its kind and its value. */
interface Field {
  readonly kind: number;
  readonly value: Cursor;
}

/**
 * Reads the optional metadata that ends a TABLE_MAP event: fields of (kind, length, value), until `cursor` ends. `types` are the resolved column types.
 * A kind that is not known is skipped; a known field that does not fit the columns is an error. Errors: that of the cursor.
 */
export function readOptionalMetadata(cursor: Cursor, types: readonly number[]): OptionalMetadata {
  const draft: Draft = {
    names: null,
    unsigned: [],
    collations: [],
    labels: [],
    geometryTypes: [],
    primaryKey: null,
    visible: [],
  };
  const fields = splitFields(cursor);
  const hasVisibility = fields.some(field => field.kind === Kind.COLUMN_VISIBILITY);
  for (const { kind, value } of fields) {
    if (kind === Kind.DEFAULT_CHARSET) readDefaultCharset(value, types, !hasVisibility, draft.collations);
    else if (kind === Kind.COLUMN_CHARSET) readColumnCharset(value, types, draft.collations);
    else if (!readField(kind, value, types, draft)) continue;
    if (value.left !== 0) throw value.fault(`has ${value.left} bytes that no column uses`);
  }
  return draft;
}

function splitFields(cursor: Cursor): Field[] {
  const fields: Field[] = [];
  while (cursor.left > 0) {
    const kind = cursor.uint(1, 'the optional metadata');
    const length = cursor.lenenc('the optional metadata');
    const start = cursor.take(length, 'the optional metadata');
    const place = `The TABLE_MAP event's optional metadata ${kind}`;
    fields.push({
      kind,
      value: new Cursor(cursor.bytes, place, 'UMBUS_BINLOG_TABLE_MAP', start, start + length),
    });
  }
  return fields;
}

/** Reads a field other than the character columns' charsets. False when the kind is not known. */
function readField(kind: number, field: Cursor, types: readonly number[], draft: Draft): boolean {
  switch (kind) {
    case Kind.SIGNEDNESS:
      readBits(field, columnsOf(types, isNumeric), draft.unsigned);
      return true;
    case Kind.COLUMN_NAME:
      draft.names = types.map(() => field.text(field.lenenc('a column name'), 'a column name'));
      return true;
    case Kind.SET_STR_VALUE:
      readLabels(field, columnsOf(types, isSet), draft.labels);
      return true;
    case Kind.ENUM_STR_VALUE:
      readLabels(field, columnsOf(types, isEnum), draft.labels);
      return true;
    case Kind.GEOMETRY_TYPE:
      readNumbers(field, columnsOf(types, isGeometry), draft.geometryTypes);
      return true;
    case Kind.SIMPLE_PRIMARY_KEY:
      draft.primaryKey = readPrimaryKey(field, types.length, false);
      return true;
    case Kind.PRIMARY_KEY_WITH_PREFIX:
      draft.primaryKey = readPrimaryKey(field, types.length, true);
      return true;
    case Kind.ENUM_AND_SET_DEFAULT_CHARSET:
      readCharsetPairs(field, columnsOf(types, isLabelled), draft.collations);
      return true;
    case Kind.ENUM_AND_SET_COLUMN_CHARSET:
      readNumbers(field, columnsOf(types, isLabelled), draft.collations);
      return true;
    case Kind.COLUMN_VISIBILITY:
      readBits(
        field,
        columnsOf(types, () => true),
        draft.visible,
      );
      return true;
    default:
      return false;
  }
}

function columnsOf(types: readonly number[], wanted: (type: number) => boolean): number[] {
  const columns: number[] = [];
  for (const [i, type] of types.entries()) if (wanted(type)) columns.push(i);
  return columns;
}

/** YEAR counts on both servers, as their events show. */
function isNumeric(type: number): boolean {
  switch (type) {
    case ColumnType.TINY:
    case ColumnType.SHORT:
    case ColumnType.INT24:
    case ColumnType.LONG:
    case ColumnType.LONGLONG:
    case ColumnType.NEWDECIMAL:
    case ColumnType.FLOAT:
    case ColumnType.DOUBLE:
    case ColumnType.YEAR:
      return true;
    default:
      return false;
  }
}

function isCharacter(type: number): boolean {
  switch (type) {
    case ColumnType.STRING:
    case ColumnType.VAR_STRING:
    case ColumnType.VARCHAR:
    case ColumnType.VARCHAR_COMPRESSED:
    case ColumnType.TINY_BLOB:
    case ColumnType.MEDIUM_BLOB:
    case ColumnType.LONG_BLOB:
    case ColumnType.BLOB:
    case ColumnType.BLOB_COMPRESSED:
    case ColumnType.VECTOR:
      return true;
    default:
      return false;
  }
}

function isEnum(type: number): boolean {
  return type === ColumnType.ENUM;
}

function isSet(type: number): boolean {
  return type === ColumnType.SET;
}

function isLabelled(type: number): boolean {
  return isEnum(type) || isSet(type);
}

function isGeometry(type: number): boolean {
  return type === ColumnType.GEOMETRY;
}

function isCharacterOrGeometry(type: number): boolean {
  return isCharacter(type) || isGeometry(type);
}

/** One bit a column, the highest bit of each byte first. */
function readBits(field: Cursor, columns: readonly number[], into: (boolean | undefined)[]): void {
  let bits = 0;
  for (const [i, column] of columns.entries()) {
    if ((i & 7) === 0) bits = field.uint(1, 'a bitmap');
    into[column] = (bits & (0x80 >> (i & 7))) !== 0;
  }
}

function readNumbers(field: Cursor, columns: readonly number[], into: (number | undefined)[]): void {
  for (const column of columns) into[column] = field.lenenc('a number a column');
}

/**
 * Collations of character columns, one for each. MariaDB counts GEOMETRY among them, MySQL does not; the number of values tells which.
 */
function readColumnCharset(field: Cursor, types: readonly number[], into: (number | undefined)[]): void {
  const values: number[] = [];
  while (field.left > 0) values.push(field.lenenc('a collation'));
  const characters = columnsOf(types, isCharacter);
  const columns = values.length === characters.length ? characters : columnsOf(types, isCharacterOrGeometry);
  if (values.length !== columns.length) {
    throw field.fault(`has ${values.length} collations for ${characters.length} columns`);
  }
  for (const [i, column] of columns.entries()) into[column] = values[i];
}

/**
 * Collations of character columns as a default and exceptions. Whether GEOMETRY counts (see {@link readColumnCharset}) shows in two ways: MySQL since
 * 8.0.23 always writes COLUMN_VISIBILITY where it writes names, MariaDB never does; and where GEOMETRY counts, it is binary (63).
 */
function readDefaultCharset(
  field: Cursor,
  types: readonly number[],
  geometryMayCount: boolean,
  into: (number | undefined)[],
): void {
  const geometries = geometryMayCount ? columnsOf(types, isGeometry) : [];
  if (geometries.length > 0) {
    const start = field.at;
    const trial: (number | undefined)[] = [];
    readCharsetPairs(field, columnsOf(types, isCharacterOrGeometry), trial);
    if (geometries.every(column => trial[column] === BINARY_COLLATION)) {
      for (const [column, collation] of trial.entries()) into[column] = collation;
      return;
    }
    field.at = start;
  }
  readCharsetPairs(field, columnsOf(types, isCharacter), into);
}

/** A default collation, then pairs of (index among `columns`, collation) for those that differ. */
function readCharsetPairs(field: Cursor, columns: readonly number[], into: (number | undefined)[]): void {
  const fallback = field.lenenc('the default collation');
  for (const column of columns) into[column] = fallback;
  while (field.left > 0) {
    const column = columns[field.lenenc('a column index')];
    if (column === undefined) throw field.fault('names a column that is not there');
    into[column] = field.lenenc('a collation');
  }
}

function readLabels(
  field: Cursor,
  columns: readonly number[],
  into: (readonly Uint8Array[] | undefined)[],
): void {
  for (const column of columns) {
    const count = field.lenenc('a label count');
    if (count > field.left) throw field.fault(`has ${count} labels in ${field.left} bytes`);
    const labels: Uint8Array[] = [];
    for (let i = 0; i < count; i++) labels.push(field.view(field.lenenc('a label'), 'a label'));
    into[column] = labels;
  }
}

function readPrimaryKey(field: Cursor, columnCount: number, withPrefix: boolean): number[] {
  const key: number[] = [];
  while (field.left > 0) {
    const column = field.lenenc('a key column');
    if (column >= columnCount) throw field.fault('names a key column that is not there');
    key.push(column);
    if (withPrefix) field.lenenc('a key prefix');
  }
  return key;
}
