/** The column types that the type test writes and reads back. */
import type { Server } from './servers.ts';

/** How SELECT's answer and the message's value are made comparable. */
export type Kind = 'text' | 'number' | 'float' | 'double' | 'string' | 'binary';

export interface Column {
  readonly sql: string;
  readonly kind: Kind;
  readonly values: readonly string[];
  readonly only?: Server['flavor'];
}

const column = (sql: string, kind: Kind, ...values: readonly string[]): Column => ({ sql, kind, values });

const alphabets = "'ÄÖÅéñ ąłő ψω ция שלום ไทย 中文漢字 日本語ｱ 한국어 €'";
const point = "ST_GeomFromText('POINT(1 -2.5)')";
/** All character sets of both servers that have no column of their own above. */
const charsets = [
  ...[
    'armscii8',
    'big5',
    'cp1250',
    'cp1251',
    'cp1256',
    'cp1257',
    'cp850',
    'cp852',
    'cp866',
    'cp932',
    'dec8',
    'eucjpms',
  ],
  ...[
    'euckr',
    'gb2312',
    'gbk',
    'geostd8',
    'greek',
    'hebrew',
    'hp8',
    'keybcs2',
    'koi8r',
    'koi8u',
    'latin2',
    'latin5',
  ],
  ...['latin7', 'macce', 'macroman', 'sjis', 'swe7', 'tis620', 'ucs2', 'ujis', 'utf16', 'utf16le', 'utf32'],
];

const texts = ["''", "'plain'", "'trailing  '", `'q"uo\\\\te\\n\\t\\0'`, "'é'"];
const wide = [...texts, "'中😀'"];
const blobs = ["''", "x'00'", "x'00ff0000'", "x'fffefd'", "'text'"];

/** The columns that are written and read back; types of ums-schema/TYPES.md. */
export const typeColumns: readonly Column[] = [
  column('TINYINT', 'number', '-128', '-1', '0', '127'),
  column('TINYINT UNSIGNED', 'number', '0', '255'),
  column('TINYINT(1)', 'number', '0', '1', '7'),
  column('SMALLINT', 'number', '-32768', '32767'),
  column('SMALLINT UNSIGNED', 'number', '65535'),
  column('YEAR', 'number', '0', '1901', '2155'),
  column('MEDIUMINT', 'number', '-8388608', '8388607', '-1'),
  column('MEDIUMINT UNSIGNED', 'number', '16777215'),
  column('INT', 'number', '-2147483648', '2147483647', '0'),
  column('INT UNSIGNED', 'number', '4294967295', '0'),
  column(
    'BIGINT',
    'number',
    '-9223372036854775808',
    '9223372036854775807',
    '-9007199254740993',
    '-4294967296',
  ),
  column('BIGINT UNSIGNED', 'number', '18446744073709551615', '9007199254740993', '0'),
  column('FLOAT', 'float', "'-0'", '1.1', '-3.402823466e38', '1.175494351e-38', '16777216', '0.1', '0'),
  column(
    'DOUBLE',
    'double',
    "'-0'",
    '1.1',
    '-1.7976931348623157e308',
    '2.2250738585072014e-308',
    '1e15',
    '0',
  ),
  column('DECIMAL(10,0)', 'text', '-9999999999', '0', '12'),
  column('DECIMAL(4,4)', 'text', '-0.9999', '0.0001'),
  column('DECIMAL(20,6)', 'text', '-12345678901234.567891', '0', '-0.000001', '1.5'),
  column(
    'DECIMAL(65,30)',
    'text',
    '-12345678901234567890123456789012345.123456789012345678901234567890',
    '1',
  ),
  column('DECIMAL(9,2) UNSIGNED', 'text', '1234567.89'),
  column('BIT(1)', 'number', "b'1'", "b'0'"),
  column('BIT(12)', 'number', "b'101010101010'"),
  column('BIT(31)', 'number', '2147483647'),
  column('BIT(32)', 'number', '4294967295'),
  column('BIT(64)', 'number', '18446744073709551615', '1'),
  column('DATE', 'text', "'2024-02-29'", "'0000-00-00'", "'2024-00-15'", "'9999-12-31'", "'1000-01-01'"),
  ...[0, 1, 2, 3, 4, 5, 6].flatMap(digits => [
    column(
      `DATETIME(${digits})`,
      'text',
      "'2024-02-29 12:34:56.789012'",
      "'0000-00-00 00:00:00'",
      "'9999-12-31 23:59:59'",
    ),
    column(
      `TIMESTAMP(${digits}) NULL`,
      'text',
      "'2024-02-29 12:34:56.789012'",
      "'0000-00-00 00:00:00'",
      "'1970-01-01 00:00:01'",
    ),
    column(
      `TIME(${digits})`,
      'text',
      "'-838:59:59'",
      "'12:34:56.789012'",
      "'-00:00:00.999999'",
      "'-12:00:00'",
      "'101:00:01.1'",
    ),
  ]),
  column('CHAR(20) CHARACTER SET utf8mb4', 'string', ...wide),
  column('CHAR(255) CHARACTER SET utf8mb4', 'string', ...wide, "REPEAT('é', 255)"),
  column('CHAR(20) CHARACTER SET latin1', 'string', ...texts, "x'80818d8f909dff'"),
  column('VARCHAR(60) CHARACTER SET utf8mb4', 'string', ...wide),
  column('VARCHAR(64) CHARACTER SET utf8mb4', 'string', ...wide),
  column('VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', 'string', ...wide),
  column('VARCHAR(40) CHARACTER SET utf8mb3', 'string', ...texts, "'中'"),
  column('VARCHAR(40) CHARACTER SET latin1', 'string', ...texts, "x'80818d8f909dff'"),
  column('VARCHAR(40) CHARACTER SET ascii', 'string', "'plain'", "'\\\\\"'"),
  column('TINYTEXT CHARACTER SET utf8mb4', 'string', ...wide),
  column('TEXT CHARACTER SET latin1', 'string', ...texts),
  column('MEDIUMTEXT CHARACTER SET utf8mb4', 'string', ...wide, "REPEAT('x\"', 40000)"),
  column('LONGTEXT CHARACTER SET utf8mb4', 'string', ...wide, "REPEAT('é\\n', 90000)"),
  column('BINARY(5)', 'binary', "''", "x'01'", "x'0100'", "'abcde'"),
  column('BINARY(255)', 'binary', ...blobs),
  column('VARBINARY(40)', 'binary', ...blobs),
  column('VARBINARY(400)', 'binary', ...blobs),
  column('TINYBLOB', 'binary', ...blobs),
  column('BLOB', 'binary', ...blobs),
  column('MEDIUMBLOB', 'binary', ...blobs, "REPEAT(x'00ff80', 30000)"),
  column('LONGBLOB', 'binary', ...blobs),
  column(`ENUM('a','b''c','é"') CHARACTER SET utf8mb4`, 'string', "'a'", "'b''c'", "'é\"'", "'not there'"),
  column("ENUM('x','é') CHARACTER SET latin1", 'string', "'é'"),
  column(`SET('p','q"','é') CHARACTER SET utf8mb4`, 'string', "''", "'p'", "'p,q\"'", "'p,q\",é'"),
  {
    ...column(
      'JSON',
      'string',
      `'{"a": 1, "bb": [1, 2.5, "x\\\\"y", null, true], "": {}}'`,
      `JSON_ARRAY(1.50, -0.001, 1e0, 1e20, 1.5e-17, 18446744073709551615, -9223372036854775808)`,
      `JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('2024-02-29 10:11:12.5' AS DATETIME(6)), CAST('-838:59:59' AS TIME))`,
      `JSON_OBJECT('long', REPEAT('é"', 40000), 'b', x'00ff', 'bit', b'101')`,
      `'"just text"'`,
      `'[]'`,
    ),
    only: 'mysql',
  },
  { ...column('JSON', 'string', `'{"a":1,  "b" : [ ]}'`, "'null'"), only: 'mariadb' },
  ...charsets.map(charset => column(`TEXT CHARACTER SET ${charset}`, 'string', "'plain'", alphabets, "''")),
  { ...column('TEXT CHARACTER SET gb18030', 'string', "'plain'", alphabets, "'😀中'"), only: 'mysql' },
  column('GEOMETRY', 'binary', point, "ST_GeomFromText('LINESTRING(0 0,1 1)', 3857)"),
  column('POINT', 'binary', point),
  column('LINESTRING', 'binary', "ST_GeomFromText('LINESTRING(0 0,1 1)')"),
  column('POLYGON', 'binary', "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"),
  column('MULTIPOINT', 'binary', "ST_GeomFromText('MULTIPOINT(0 0,1 1)')"),
  column('MULTILINESTRING', 'binary', "ST_GeomFromText('MULTILINESTRING((0 0,1 1))')"),
  column('MULTIPOLYGON', 'binary', "ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')"),
  column('GEOMETRYCOLLECTION', 'binary', "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')"),
  { ...column('VECTOR(3)', 'binary', "STRING_TO_VECTOR('[1,-2.5,0]')"), only: 'mysql' },
  ...(['VARCHAR(300) COMPRESSED CHARACTER SET gbk', 'TEXT COMPRESSED CHARACTER SET utf8mb4'] as const).map(
    (sql): Column => ({ ...column(sql, 'string', "REPEAT('中', 100)", "''", "'a'"), only: 'mariadb' }),
  ),
  ...(['VARBINARY(300) COMPRESSED', 'BLOB COMPRESSED'] as const).map(
    (sql): Column => ({ ...column(sql, 'binary', "REPEAT(x'00ff', 100)", "''", "x'00'"), only: 'mariadb' }),
  ),
];

/** Makes the table `<schema>.t` with a column `c<i>` of each type that the server has, and writes its values and NULLs. Gives the columns, and how many rows there are. */
export async function makeTypeTable(
  server: Server,
  schema: string,
): Promise<{ readonly columns: readonly Column[]; readonly rows: number }> {
  const columns = typeColumns.filter(({ only }) => only === undefined || only === server.flavor);
  const definitions = columns.map(({ sql }, i) => `c${i} ${sql}`);
  await server.query(
    `CREATE TABLE ${schema}.t (id INT PRIMARY KEY, ${definitions.join(', ')}) ROW_FORMAT = DYNAMIC`,
  );
  const rows = Math.max(...columns.map(({ values }) => values.length)) + 1;
  for (let row = 0; row < rows; row++) {
    const values = columns.map(({ values: each }) => each[row % (each.length + 1)] ?? 'NULL');
    await server.query(`INSERT INTO ${schema}.t VALUES (${row}, ${values.join(', ')})`);
  }
  return { columns, rows };
}
