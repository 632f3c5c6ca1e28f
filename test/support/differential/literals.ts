/**
 * SQL literals of random values that like the edges: ends of ranges, zero and partial dates, negative zero, empty and longest texts, spaces at the end, text beyond the
 * basic plane, bytes that are no text. What a type cannot hold is among them: with an empty `sql_mode` the server makes something of it, which is what is compared.
 */
import { Buffer } from 'node:buffer';
import fc from 'fast-check';

type Literal = fc.Arbitrary<string>;

const quote = (text: string): string => `'${text}'`;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Whole numbers around the ends of a type of so many bits. */
export function integerLiteral(bits: number): Literal {
  const top = 2n ** BigInt(bits);
  const half = top / 2n;
  const ends = [0n, 1n, -1n, half - 1n, half, -half, top - 1n, 127n, 128n, 255n, 256n, 65_535n, 10n];
  return fc
    .oneof(
      fc.constantFrom(...ends),
      fc.bigInt({ min: -half, max: top - 1n }),
      fc.bigInt({ min: -300n, max: 300n }),
    )
    .map(String);
}

const doubles = [
  '0',
  "'-0'",
  '1',
  '-1',
  '0.1',
  '1e-7',
  '1e15',
  '1e16',
  '1e21',
  '-1e22',
  '5e-324',
  '1e-45',
  '3.4028235e38',
  '-3.402823466e38',
];
const moreDoubles = [
  '2.2250738585072014e-308',
  '1.7976931348623157e308',
  '16777217',
  '9007199254740993',
  '123456789',
  '1e7',
  '1e-5',
  '0.3',
];

export const floatLiteral: Literal = fc.oneof(
  fc.constantFrom(...doubles, ...moreDoubles),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer({ min: -1000, max: 1000 }).map(n => String(n / 8)),
);

export function decimalLiteral(precision: number, scale: number): Literal {
  const digits = (count: number): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constant('9'.repeat(count)),
      fc.constant('0'.repeat(count)),
      fc.constant(`${'0'.repeat(Math.max(0, count - 1))}${count > 0 ? '1' : ''}`),
      fc
        .array(fc.constantFrom(...'0123456789'), { minLength: count, maxLength: count })
        .map(all => all.join('')),
    );
  return fc
    .tuple(fc.constantFrom('', '-'), digits(precision - scale), digits(scale))
    .map(([sign, whole, rest]) => `${sign}${whole === '' ? '0' : whole}${rest === '' ? '' : `.${rest}`}`);
}

export function bitLiteral(width: number): Literal {
  const bits = fc
    .array(fc.constantFrom('0', '1'), { minLength: width, maxLength: width })
    .map(all => all.join(''));
  return fc
    .oneof(bits, fc.constantFrom('0', '1', '1'.repeat(width), `1${'0'.repeat(width - 1)}`))
    .map(text => `b${quote(text)}`);
}

const two = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map(n => String(n).padStart(2, '0'));
const fraction = fc.oneof(
  fc.constantFrom('', '.9', '.999999', '.000001', '.5', '.0', '.499999'),
  fc.integer({ min: 0, max: 999_999 }).map(n => `.${String(n).padStart(6, '0')}`),
);
const year = fc.oneof(
  fc.constantFrom('0000', '0001', '1000', '1969', '1970', '2038', '9999'),
  two(1990, 2106),
);
const date = fc.oneof(
  fc.constantFrom(
    '0000-00-00',
    '9999-12-31',
    '2024-02-29',
    '2023-02-29',
    '2026-00-00',
    '2026-00-15',
    '2026-05-00',
  ),
  fc.tuple(year, two(0, 12), two(0, 31)).map(parts => parts.join('-')),
);
const clock = fc.oneof(
  fc.constantFrom('00:00:00', '23:59:59', '12:00:00'),
  fc.tuple(two(0, 23), two(0, 59), two(0, 59)).map(parts => parts.join(':')),
);

export const dateLiteral: Literal = date.map(quote);
export const dateTimeLiteral: Literal = fc
  .oneof(
    fc.tuple(date, clock, fraction).map(([day, time, rest]) => `${day} ${time}${rest}`),
    fc.constantFrom(
      '1970-01-01 00:00:01',
      '2038-01-19 03:14:07.999999',
      '0000-00-00 00:00:00',
      '2106-02-07 06:28:15',
    ),
  )
  .map(quote);
export const timeLiteral: Literal = fc
  .oneof(
    fc.constantFrom(
      '-838:59:59',
      '838:59:59',
      '-838:59:58.999999',
      '838:59:58.999999',
      '-00:00:00.000001',
      '00:00:00',
    ),
    fc
      .tuple(fc.constantFrom('', '-'), fc.integer({ min: 0, max: 838 }), two(0, 59), two(0, 59), fraction)
      .map(([sign, hours, minutes, seconds, rest]) => `${sign}${hours}:${minutes}:${seconds}${rest}`),
  )
  .map(quote);
export const yearLiteral: Literal = fc.oneof(
  fc.constantFrom('0', "'0000'", '1901', '2155', "'00'", '99', '70'),
  fc.integer({ min: 1901, max: 2155 }).map(String),
);

/** Characters of every kind of script, and those that formats stumble over. No question mark: that is what servers write for what they cannot. */
const characters = [
  ...[
    'a',
    'Z',
    '0',
    ' ',
    '_',
    '-',
    ',',
    '.',
    '"',
    "'",
    '\\',
    '/',
    '`',
    '%',
    '{',
    '<',
    '\n',
    '\t',
    '\r',
    '\0',
    '\u001f',
    '\u007f',
  ],
  ...[
    'é',
    'ß',
    'Å',
    'ñ',
    '€',
    'ą',
    'ł',
    'ő',
    'ш',
    'Ю',
    'ψ',
    'Ω',
    'ש',
    'ع',
    'ก',
    'ა',
    'Ժ',
    '中',
    '文',
    '日',
    'ｱ',
    'カ',
    '한',
    '글',
  ],
  ...[
    '\u0080',
    '\u009f',
    '\u00a0',
    '\u0301',
    '\u200d',
    '\u2028',
    '\ufeff',
    '\ufffd',
    '\ue000',
    '😀',
    '𠀀',
    '\u{10ffff}',
    '¥',
    '～',
    '∥',
    '－',
  ],
];
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...characters) },
  { weight: 1, arbitrary: fc.constantFrom('abc', '  ', 'long text ', '"\\"', '\ud83d\ude00\ud83d\ude00') },
);

/** Text, given in UTF-8, that a column of some character set takes as far as it can. `longest`: of the value in characters, about. */
export function textLiteral(charset: string, longest: number): Literal {
  const text = fc.array(piece, { maxLength: 12 }).map(all => all.join(''));
  const long = fc
    .tuple(fc.constantFrom('x', 'é', '中', '😀', '"', '\0', ' '), fc.nat(longest))
    .map(([character, times]) => character.repeat(times));
  const inUtf8 = fc
    .oneof(
      { weight: 8, arbitrary: text },
      { weight: 1, arbitrary: long },
      { weight: 1, arbitrary: fc.constant('') },
    )
    .map(value => `_utf8mb4 x${quote(hex(Buffer.from(value, 'utf8')))}`);
  // The server refuses some of these; the others are codes without a character as often as not.
  const raw = fc
    .oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc
        .array(fc.integer({ min: 0x81, max: 0xfe }), { minLength: 2, maxLength: 4 })
        .map(all => Uint8Array.from(all)),
    )
    .filter(bytes => !bytes.includes(0x3f))
    .map(bytes => `_${charset} x${quote(hex(bytes))}`);
  return fc.oneof({ weight: 5, arbitrary: inUtf8 }, { weight: 1, arbitrary: raw });
}

export function bytesLiteral(longest: number): Literal {
  return fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 20 }).map(bytes => `x${quote(hex(bytes))}`) },
    { weight: 1, arbitrary: fc.constantFrom("x''", "x'00'", "x'0000'", "x'ff00'", "x'20'", "x'ff2020'") },
    { weight: 1, arbitrary: fc.nat(longest).map(times => `REPEAT(x'00ff80', ${Math.ceil(times / 3)})`) },
  );
}

/** Labels by number, by text, and such that are none. */
export function labelLiteral(labels: number, isSet: boolean): Literal {
  const number = isSet
    ? fc.bigInt({ min: 0n, max: 2n ** BigInt(labels) - 1n }).map(String)
    : fc.integer({ min: 0, max: labels }).map(String);
  return fc.oneof({ weight: 6, arbitrary: number }, fc.constantFrom("''", "'nothing'", '1', '0'));
}

const coordinate = fc.constantFrom('0', '1', '-1', '0.5', '1e-10', '179.999', '-90', '12345.678');
const point = fc.tuple(coordinate, coordinate).map(([x, y]) => `${x} ${y}`);
const line = fc.array(point, { minLength: 2, maxLength: 4 }).map(all => all.join(','));
const ring = fc.constantFrom('0 0,1 0,1 1,0 0', '0 0,10 0,10 10,0 10,0 0');

/** Geometry of the kinds that a column may hold, with reference systems. */
export function geometryLiteral(kind: string): Literal {
  const texts: Readonly<Record<string, fc.Arbitrary<string>>> = {
    POINT: point.map(p => `POINT(${p})`),
    LINESTRING: line.map(l => `LINESTRING(${l})`),
    POLYGON: ring.map(r => `POLYGON((${r}))`),
    MULTIPOINT: line.map(l => `MULTIPOINT(${l})`),
    MULTILINESTRING: line.map(l => `MULTILINESTRING((${l}),(0 0,1 1))`),
    MULTIPOLYGON: ring.map(r => `MULTIPOLYGON(((${r})))`),
    GEOMETRYCOLLECTION: fc
      .tuple(point, line)
      .map(([p, l]) => `GEOMETRYCOLLECTION(POINT(${p}),LINESTRING(${l}))`),
  };
  const own = texts[kind];
  return fc
    .tuple(own ?? fc.oneof(...Object.values(texts)), fc.constantFrom('', ', 0', ', 3857', ', 4326'))
    .map(([text, srid]) => `ST_GeomFromText(${quote(text)}${srid})`);
}

/** JSON of MySQL: documents of text, and such that SQL puts together, with types that text cannot say. */
export const jsonLiteral: Literal = fc.oneof(
  fc.json({ maxDepth: 4 }).map(text => `CONVERT(x${quote(hex(Buffer.from(text, 'utf8')))} USING utf8mb4)`),
  fc.constantFrom(
    "'null'",
    '\'""\'',
    "'{}'",
    "'[]'",
    'JSON_ARRAY(1.50, -0.0, 1e0, 1e20, 18446744073709551615, -9223372036854775808, 32768, -32769, 65536)',
    "JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('-838:59:59.5' AS TIME(6)), CAST('2024-02-29 10:11:12.5' AS DATETIME(6)))",
    "JSON_ARRAY(x'00ff', b'101', CAST(-12345678901234567890.123456789 AS DECIMAL(65,30)), ST_GeomFromText('POINT(1 2)'))",
    "JSON_OBJECT('k', REPEAT('é\"', 200), 'kk', JSON_ARRAY(JSON_ARRAY(JSON_OBJECT('', NULL))))",
    "JSON_OBJECT(REPEAT('k', 300), TRUE, 'b', CAST(2026 AS YEAR), 'long', REPEAT('x', 70000))",
    'CAST(CAST(1e308 AS DOUBLE) AS JSON)',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => `CAST(CAST(${n} AS DOUBLE) AS JSON)`),
  integerLiteral(64).map(n => `JSON_OBJECT('n', ${n})`),
  decimalLiteral(20, 6).map(
    n => `JSON_ARRAY(CAST(${n} AS DECIMAL(20,6)), JSON_OBJECT('d', CAST(${n} AS DOUBLE)))`,
  ),
);
