import fc from 'fast-check';
import type { AnyServerKind } from '../servers.ts';
import {
  bitLiteral,
  bytesLiteral,
  dateLiteral,
  dateTimeLiteral,
  decimalLiteral,
  floatLiteral,
  geometryLiteral,
  integerLiteral,
  jsonLiteral,
  labelLiteral,
  textLiteral,
  timeLiteral,
  yearLiteral,
} from './literals.ts';

/** A column of a random table. */
export interface RandomColumn {
  readonly name: string;
  /** Its type with all that belongs to it. */
  readonly sql: string;
  /** How it stands in a key; null when it cannot. */
  readonly keyPart: string | null;
  /** Literals of its values, NULL left out; null for a column that the server fills. */
  readonly values: fc.Arbitrary<string> | null;
  readonly nullable: boolean;
}

type Shape = Omit<RandomColumn, 'name' | 'nullable'>;
type Keyed = 'whole' | 'prefix' | 'never';

const shape = (sql: string, values: fc.Arbitrary<string>, keyed: Keyed = 'whole', prefix = 5): Shape => ({
  sql,
  values,
  keyPart: keyed === 'whole' ? '' : keyed === 'prefix' ? `(${prefix})` : null,
});

const CHARSETS = [
  ...[
    'utf8mb4',
    'utf8mb4',
    'utf8mb3',
    'latin1',
    'latin1',
    'ascii',
    'gbk',
    'big5',
    'sjis',
    'cp932',
    'ujis',
    'eucjpms',
  ],
  ...[
    'euckr',
    'gb2312',
    'ucs2',
    'utf16',
    'utf16le',
    'utf32',
    'cp1250',
    'cp1251',
    'cp1256',
    'cp1257',
    'latin2',
  ],
  ...[
    'latin5',
    'latin7',
    'greek',
    'hebrew',
    'tis620',
    'koi8r',
    'koi8u',
    'cp850',
    'cp852',
    'cp866',
    'swe7',
    'armscii8',
  ],
  ...['geostd8', 'hp8', 'dec8', 'keybcs2', 'macce', 'macroman'],
];

/** MySQL 5.6 has another name for `utf8mb3`. */
const charsetOf = (kind: AnyServerKind): fc.Arbitrary<string> =>
  fc
    .constantFrom(...CHARSETS, ...(kind === 'mysql' ? ['gb18030'] : []))
    .map(charset => (kind === 'mysql56' && charset === 'utf8mb3' ? 'utf8' : charset));

const collated = (kind: AnyServerKind): fc.Arbitrary<readonly [charset: string, sql: string]> =>
  fc
    .tuple(charsetOf(kind), fc.boolean())
    .map(([charset, bin]) => [charset, `CHARACTER SET ${charset}${bin ? ` COLLATE ${charset}_bin` : ''}`]);

const integers = fc
  .tuple(
    fc.constantFrom(
      ['TINYINT', 8],
      ['SMALLINT', 16],
      ['MEDIUMINT', 24],
      ['INT', 32],
      ['BIGINT', 64],
      ['TINYINT(1)', 8],
      ['INT(5)', 32],
    ),
    fc.constantFrom('', '', ' UNSIGNED', ' UNSIGNED ZEROFILL'),
  )
  .map(([[type, bits], attribute]) => shape(`${type}${attribute}`, integerLiteral(Number(bits))));

const numbers = fc.oneof(
  integers,
  fc
    .tuple(fc.integer({ min: 1, max: 65 }), fc.nat(30), fc.constantFrom('', '', ' UNSIGNED', ' ZEROFILL'))
    .map(([precision, wanted, attribute]) => {
      const scale = Math.min(precision, wanted);
      return shape(`DECIMAL(${precision},${scale})${attribute}`, decimalLiteral(precision, scale));
    }),
  fc
    .constantFrom(
      'FLOAT',
      'DOUBLE',
      'FLOAT(9,3)',
      'DOUBLE(20,5)',
      'DOUBLE UNSIGNED',
      'FLOAT UNSIGNED ZEROFILL',
    )
    .map(sql => shape(sql, floatLiteral)),
  fc.integer({ min: 1, max: 64 }).map(width => shape(`BIT(${width})`, bitLiteral(width))),
);

const times = fc.oneof(
  fc.constant(shape('YEAR', yearLiteral)),
  fc.constant(shape('DATE', dateLiteral)),
  fc.nat(6).map(digits => shape(`DATETIME(${digits})`, dateTimeLiteral)),
  fc.nat(6).map(digits => shape(`TIMESTAMP(${digits}) NULL`, dateTimeLiteral)),
  fc.nat(6).map(digits => shape(`TIME(${digits})`, timeLiteral)),
);

const texts = (kind: AnyServerKind): fc.Arbitrary<Shape> =>
  fc
    .tuple(
      collated(kind),
      fc.constantFrom(
        ...([
          'CHAR(1)',
          'CHAR(20)',
          'CHAR(63)',
          'CHAR(64)',
          'CHAR(255)',
          'VARCHAR(1)',
          'VARCHAR(63)',
          'VARCHAR(64)',
        ] as const),
        ...(['VARCHAR(255)', 'VARCHAR(300)', 'TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT'] as const),
      ),
    )
    .map(([[charset, sql], type]) => {
      const length = Number(/\d+/.exec(type)?.[0] ?? 60_000);
      const keyed = length <= 64 ? 'whole' : 'prefix';
      return shape(
        `${type} ${sql}`,
        textLiteral(charset, Math.min(2 * length, 30_000)),
        keyed,
        Math.min(length, 9),
      );
    });

const binaries = fc
  .constantFrom(
    'BINARY(1)',
    'BINARY(16)',
    'BINARY(255)',
    'VARBINARY(10)',
    'VARBINARY(255)',
    'VARBINARY(300)',
    'TINYBLOB',
    'BLOB',
    'MEDIUMBLOB',
    'LONGBLOB',
  )
  .map(type => {
    const length = Number(/\d+/.exec(type)?.[0] ?? 60_000);
    return shape(
      type,
      bytesLiteral(Math.min(2 * length, 80_000)),
      length <= 255 ? 'whole' : 'prefix',
      Math.min(length, 9),
    );
  });

const labels = (kind: AnyServerKind): fc.Arbitrary<Shape> =>
  fc
    .tuple(collated(kind), fc.boolean(), fc.constantFrom(1, 2, 7, 8, 9, 16, 17, 24, 25, 32, 33, 63, 64))
    .map(([[, sql], isSet, count]) => {
      const list = Array.from(
        { length: count },
        (_, i) => `'${i % 3 === 0 ? 'l' : i % 3 === 1 ? 'é' : '"\\\\'}${i}'`,
      );
      return shape(`${isSet ? 'SET' : 'ENUM'}(${list.join(',')}) ${sql}`, labelLiteral(count, isSet));
    });

const geometries = fc
  .constantFrom(
    'GEOMETRY',
    'POINT',
    'LINESTRING',
    'POLYGON',
    'MULTIPOINT',
    'MULTILINESTRING',
    'MULTIPOLYGON',
    'GEOMETRYCOLLECTION',
  )
  .map(type => shape(type, geometryLiteral(type), 'never'));

const vector = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 4 })
  .map(all => `STRING_TO_VECTOR('[${all.join(',')}]')`);

const ofMysql: fc.Arbitrary<Shape> = fc.constantFrom(
  shape('JSON', jsonLiteral, 'never'),
  shape('VECTOR(4)', vector, 'never'),
);

const address = (parts: number, top: number, base: number, separator: string): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(0, 0, top), fc.nat(top)), { minLength: parts, maxLength: parts })
    .map(all => `'${all.map(part => part.toString(base)).join(separator)}'`);

const ofMariadb: fc.Arbitrary<Shape> = fc.oneof(
  fc.uuid().map(() =>
    shape(
      'UUID',
      fc.uuid().map(id => `'${id}'`),
    ),
  ),
  fc.constant(shape('INET4', address(4, 255, 10, '.'))),
  fc.constant(shape('INET6', address(8, 65_535, 16, ':'))),
  fc
    .constantFrom('VARCHAR(300)', 'TEXT', 'MEDIUMTEXT')
    .map(type => shape(`${type} COMPRESSED CHARACTER SET utf8mb4`, textLiteral('utf8mb4', 300), 'never')),
  fc
    .constantFrom('VARBINARY(300)', 'BLOB')
    .map(type => shape(`${type} COMPRESSED`, bytesLiteral(300), 'never')),
  fc.constant(
    shape(
      'JSON',
      fc.json().map(text => `CONVERT(x'${Buffer.from(text, 'utf8').toString('hex')}' USING utf8mb4)`),
      'never',
    ),
  ),
);

const generated: fc.Arbitrary<Shape> = fc
  .tuple(
    fc.constantFrom(
      'INT AS (rid * 2)',
      "VARCHAR(20) CHARACTER SET utf8mb4 AS (CONCAT('é', rid))",
      'DECIMAL(20,4) AS (rid / 7)',
      'BIGINT AS (NULL)',
    ),
    fc.constantFrom('STORED', 'VIRTUAL'),
  )
  .map(([sql, how]) => ({ sql: `${sql} ${how}`, values: null, keyPart: null }));

/** What not every server knows. */
const own: Readonly<Record<AnyServerKind, readonly fc.WeightedArbitrary<Shape>[]>> = {
  mysql: [
    { weight: 2, arbitrary: ofMysql },
    { weight: 1, arbitrary: generated },
  ],
  mariadb: [
    { weight: 2, arbitrary: ofMariadb },
    { weight: 1, arbitrary: generated },
  ],
  mysql56: [],
};

/** A random column of a server's types. */
export function randomColumn(kind: AnyServerKind, name: string): fc.Arbitrary<RandomColumn> {
  const any = fc.oneof(
    { weight: 5, arbitrary: numbers },
    { weight: 4, arbitrary: times },
    { weight: 6, arbitrary: texts(kind) },
    { weight: 3, arbitrary: binaries },
    { weight: 3, arbitrary: labels(kind) },
    { weight: 1, arbitrary: geometries },
    ...own[kind],
  );
  return fc.tuple(any, fc.nat(5)).map(([column, chance]) => {
    if (column.values === null) return { ...column, name, nullable: true };
    const fixed = / NULL$/.test(column.sql);
    const nullable = fixed || chance > 1;
    const hidden = nullable && !fixed && chance === 5 && kind !== 'mysql56' ? ' INVISIBLE' : '';
    return { ...column, name, nullable, sql: `${column.sql}${nullable ? '' : ' NOT NULL'}${hidden}` };
  });
}
