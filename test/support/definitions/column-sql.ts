/** Columns that a binlog without names does not tell apart, and values that come out wrong when they are taken for one another. */
import type { AnyServerKind } from '../servers.ts';
import type { Dice } from './dice.ts';
import { quoted, type SeenColumn } from './seen-tables.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'größe', 'key', 'x`y', 'A b', 'first'];

const NUMBERS = [
  'INT',
  'INT',
  'INT UNSIGNED',
  'INT(5) ZEROFILL',
  'BIGINT',
  'BIGINT UNSIGNED',
  'TINYINT',
  'TINYINT UNSIGNED',
  'BOOL',
  'SMALLINT UNSIGNED',
  'MEDIUMINT',
  'DECIMAL(10,2)',
  'NUMERIC(10,2) UNSIGNED',
  'DEC',
  'FLOAT',
  'FLOAT(30)',
  'DOUBLE PRECISION',
  'REAL UNSIGNED',
  'BIT(3)',
  'YEAR',
];
const OTHERS = [
  'DATE',
  'DATETIME(3)',
  'TIMESTAMP(2) NULL',
  'TIME',
  'BINARY(16)',
  'BINARY(4)',
  'VARBINARY(20)',
  'BLOB',
  'TINYBLOB',
  'POINT',
  'GEOMETRY',
];
const TEXTS = [
  'VARCHAR(20)',
  'VARCHAR(20)',
  'CHAR(10)',
  'CHARACTER VARYING(20)',
  'TEXT',
  'TINYTEXT',
  'TEXT(300)',
  'MEDIUMTEXT',
  "ENUM('one','two','three')",
  "ENUM('two','three','one')",
  "ENUM('größe','thé','x ')",
  "SET('it''s','a;b)','ü')",
  "SET('a;b)','ü','it''s')",
  `ENUM(${Array.from({ length: 300 }, (_, i) => `'l${i}'`).join(',')})`,
];
const CHARSETS = [
  '',
  '',
  '',
  ' CHARACTER SET latin1',
  ' CHARSET utf8mb4',
  ' CHARACTER SET cp1251',
  ' CHARACTER SET cp1250 COLLATE cp1250_bin',
  ' COLLATE latin1_bin',
  ' COLLATE utf8mb4_bin',
  ' CHARACTER SET gbk',
  ' CHARACTER SET binary',
  ' ASCII',
  ' UNICODE',
  ' CHARACTER SET latin2 BINARY',
];
const OWN: Readonly<Record<AnyServerKind, readonly string[]>> = {
  mysql56: [],
  mysql: ['JSON'],
  mariadb: ['UUID', 'UUID', 'INET6', 'INET4', 'JSON', 'VARCHAR(20) COMPRESSED', 'BLOB COMPRESSED'],
};

/** A column's name, one of few. */
export const columnName = (dice: Dice): string => dice.of(NAMES);

/** A column's type with its attributes. */
export function columnType(kind: AnyServerKind, dice: Dice): string {
  const own = OWN[kind];
  const group = dice.below(own.length > 0 ? 5 : 4);
  if (group === 4) return dice.of(own);
  if (group === 3) return dice.of(OTHERS);
  const type = group === 0 ? dice.of(NUMBERS) : textType(dice);
  const rest = [
    '',
    '',
    ' NOT NULL',
    ' NULL',
    " COMMENT 'b INT, c \"`INT'",
    ...(type.startsWith('INT') ? [' DEFAULT -1', ' NOT NULL DEFAULT 7'] : []),
  ];
  return `${type}${dice.of(rest)}`;
}

function textType(dice: Dice): string {
  const type = dice.of(TEXTS);
  const charset = dice.of(CHARSETS);
  // Servers keep the bytes of labels when a table is converted.
  return charset === ' UNICODE' && isLabelled(type) ? type : `${type}${charset}`;
}

const isLabelled = (type: string): boolean => /^(?:enum|set)\(/i.test(type);

/** Whether labels of a column are other text after its table was converted to another character set. */
export const losesLabels = ({ whole }: Pick<SeenColumn, 'whole'>): boolean =>
  isLabelled(whole) && Buffer.byteLength(whole) > whole.length;

/** A column's definition. */
export const columnSql = (kind: AnyServerKind, name: string, dice: Dice): string =>
  `${quoted(name)} ${columnType(kind, dice)}`;

/** Whether a column can be in a key as it is. */
export const isKeyable = ({ type }: Pick<SeenColumn, 'type'>): boolean =>
  !/text|blob|json|geometry|point/.test(type);

const TEXT_VALUES = ["'größe'", "'thé'", "'яблоко'", "'日本'", "''", "'x '", "'ÿ'", "'€'"];

/** A literal for a column. `count`: another one each time, for keys. */
export function valueFor({ type, inPrimaryKey }: SeenColumn, count: number, dice: Dice): string {
  if (!inPrimaryKey && dice.once(8)) return 'NULL';
  switch (type) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'bigint':
      return inPrimaryKey ? String(count) : dice.of(['1', '200', '-3', '4294967295', '18446744073709551615']);
    case 'enum':
    case 'set':
      return dice.of(['1', '2', '3', '1']);
    case 'date':
      return dice.of(["'2024-02-29'", "'0000-00-00'"]);
    case 'datetime':
    case 'timestamp':
      return dice.of(["'2024-02-29 10:11:12.345'", "'2001-01-01 00:00:01'"]);
    case 'time':
      return dice.of(["'-10:11:12'", "'00:00:01'"]);
    case 'year':
      return dice.of(['2024', '1999', '0']);
    case 'uuid':
      return `'00112233-4455-6677-8899-aabbccdd${String(count % 10_000).padStart(4, '0')}'`;
    case 'inet4':
      return `'10.0.${(count >> 8) % 256}.${count % 256}'`;
    case 'inet6':
      return `'::${(count % 65_536).toString(16)}'`;
    case 'point':
    case 'geometry':
      return `ST_GeomFromText('POINT(${count % 90} 2)')`;
    // MariaDB's JSON is one.
    case 'longtext':
    case 'json':
      return dice.of([`'{"a": ${count}}'`, `'"größe"'`, `'["яблоко"]'`]);
    case 'decimal':
    case 'float':
    case 'double':
    case 'bit':
      return String(inPrimaryKey ? count : dice.of([1, 2.5, 0, 3]));
    default:
      return inPrimaryKey || /binary|blob/.test(type) ? `'${count}'` : dice.of(TEXT_VALUES);
  }
}
