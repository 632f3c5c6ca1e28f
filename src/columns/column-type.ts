import { notUnderstood, type StatementText } from './statement-text.ts';

/** A type as it is written, with one name for each. */
export interface WrittenType {
  readonly type: string;
  readonly sizes?: readonly number[];
  readonly labels?: readonly string[];
  /** BOOLEAN, SERIAL and their like have a sign of their own. */
  readonly unsigned?: true;
  readonly notNull?: true;
}

/** One name for each type, by all of its names. Source: "Data Types" of the MySQL manual, and of MariaDB's. */
const NAMES: Readonly<Record<string, string>> = {
  TINYINT: 'tinyint',
  INT1: 'tinyint',
  BOOL: 'tinyint',
  BOOLEAN: 'tinyint',
  SMALLINT: 'smallint',
  INT2: 'smallint',
  MEDIUMINT: 'mediumint',
  MIDDLEINT: 'mediumint',
  INT3: 'mediumint',
  INT: 'int',
  INTEGER: 'int',
  INT4: 'int',
  BIGINT: 'bigint',
  INT8: 'bigint',
  DECIMAL: 'decimal',
  DEC: 'decimal',
  NUMERIC: 'decimal',
  FIXED: 'decimal',
  FLOAT: 'float',
  FLOAT4: 'float',
  DOUBLE: 'double',
  FLOAT8: 'double',
  REAL: 'double',
  BIT: 'bit',
  DATE: 'date',
  TIME: 'time',
  DATETIME: 'datetime',
  TIMESTAMP: 'timestamp',
  YEAR: 'year',
  CHAR: 'char',
  CHARACTER: 'char',
  VARCHAR: 'varchar',
  VARCHARACTER: 'varchar',
  BINARY: 'binary',
  VARBINARY: 'varbinary',
  TINYBLOB: 'tinyblob',
  BLOB: 'blob',
  MEDIUMBLOB: 'mediumblob',
  LONGBLOB: 'longblob',
  TINYTEXT: 'tinytext',
  TEXT: 'text',
  MEDIUMTEXT: 'mediumtext',
  LONGTEXT: 'longtext',
  JSON: 'json',
  ENUM: 'enum',
  SET: 'set',
  GEOMETRY: 'geometry',
  POINT: 'point',
  LINESTRING: 'linestring',
  POLYGON: 'polygon',
  MULTIPOINT: 'multipoint',
  MULTILINESTRING: 'multilinestring',
  MULTIPOLYGON: 'multipolygon',
  GEOMETRYCOLLECTION: 'geometrycollection',
  GEOMCOLLECTION: 'geometrycollection',
  VECTOR: 'vector',
  UUID: 'uuid',
  INET4: 'inet4',
  INET6: 'inet6',
};

const TEXT_TYPES: ReadonlySet<string> = new Set([
  'char',
  'varchar',
  'tinytext',
  'text',
  'mediumtext',
  'longtext',
  'enum',
  'set',
]);

/** Whether a type has a character set. */
export function isTextType(type: string): boolean {
  return TEXT_TYPES.has(type);
}

/** A float of more digits than this is a double. */
const FLOAT_DIGITS = 24;

/** Reads a type with its lengths and labels, up to what follows them. Throws NotUnderstood. */
export function readType(text: StatementText): WrittenType {
  const word = text.next().word;
  if (word === 'SERIAL') return { type: 'bigint', unsigned: true, notNull: true };
  const type = Object.hasOwn(NAMES, word) ? NAMES[word] : undefined;
  if (type === undefined) return notUnderstood(`the type ${word === '' ? 'in quotes' : word}`);
  if (type === 'double') text.skip('PRECISION');
  const varying = type === 'char' && text.skip('VARYING') ? 'varchar' : type;
  if (type === 'enum' || type === 'set') return { type, labels: readLabels(text) };
  if (text.word() !== '(') return { type: varying };
  const sizes: number[] = [];
  text.list(() => sizes.push(text.number()));
  const [first = 0] = sizes;
  if (type === 'float' && sizes.length === 1 && first > FLOAT_DIGITS) return { type: 'double' };
  return { type: varying, sizes };
}

function readLabels(text: StatementText): readonly string[] {
  const labels: string[] = [];
  text.list(() => labels.push(text.text()));
  return labels;
}
