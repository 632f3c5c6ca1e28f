import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { charsetOf } from '../../../src/binlog/rows/collations.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { hex, le, sized, umsType, value, writerOf } from './rows-fixture.ts';

const UTF8MB4 = 255;
const LATIN1 = 8;
const ASCII = 11;
const BINARY = 63;

const refused = (work: () => unknown): void =>
  assert.throws(work, error => isUmbusError(error, 'UMBUS_BINLOG_VALUE'));

/** Metadata of CHAR or BINARY of so many bytes. */
const width = (bytes: number): number => ((0xfe ^ ((bytes & 0x300) >> 4)) << 8) | (bytes & 255);

describe('text', () => {
  const varchar = (text: string, collation = UTF8MB4) =>
    value({ type: T.VARCHAR, meta: 200, collation }, sized(text, 1));

  test('is exactly the stored characters', () => {
    for (const text of [
      '',
      'a',
      'abc',
      'abcd',
      'é中😀',
      `say "hi" \\ \b\f\n\r\t\u0001\u001f/`,
      'ab"cd"efgh\\',
      '\u007f',
    ]) {
      assert.equal(varchar(text), text);
      assert.equal(varchar(text, 33), text);
    }
  });

  test('every byte below 0x80 comes through, wherever it stands in a word', () => {
    for (let byte = 0; byte < 128; byte++) {
      for (let at = 0; at < 5; at++) {
        const text = 'xxxxxxxxx'.slice(0, at) + String.fromCharCode(byte) + 'yyyyyyy'.slice(0, 6 - at);
        assert.equal(varchar(text), text);
      }
    }
  });

  test('has a length of two bytes when the column is wider than 255 bytes', () => {
    assert.equal(value({ type: T.VARCHAR, meta: 255 }, sized('x'.repeat(255), 1)), 'x'.repeat(255));
    assert.equal(value({ type: T.VARCHAR, meta: 256 }, sized('x'.repeat(256), 2)), 'x'.repeat(256));
    assert.equal(value({ type: T.STRING, meta: width(255) }, sized('x', 1)), 'x');
    assert.equal(value({ type: T.STRING, meta: width(1020) }, sized('x', 2)), 'x');
  });

  test('of TEXT columns of all sizes', () => {
    for (const meta of [1, 2, 3, 4]) {
      assert.equal(umsType({ type: T.BLOB, meta }), 'string');
      assert.equal(value({ type: T.BLOB, meta }, sized('héllo', meta)), 'héllo');
    }
    const large = '"\u0001é'.repeat(40_000);
    assert.equal(value({ type: T.BLOB, meta: 3 }, sized(large, 3)), large);
  });

  test('that is not valid UTF-8 is kept as a mark, never replaced', () => {
    const invalid = [
      '80',
      'c0af',
      'c3',
      'e28228',
      'eda080',
      'f08080af',
      'f4908080',
      'ff',
      '616263c3',
      'f09f98',
    ];
    for (const bytes of invalid) {
      const long = Buffer.concat([Buffer.alloc(150, 'a'), hex(bytes)]);
      for (const each of [hex(bytes), long]) {
        assert.deepEqual(value({ type: T.VARCHAR, meta: 200 }, sized(each, 1)), {
          base64: each.toString('base64'),
          charset: 'utf8mb4',
        });
      }
    }
  });

  test("of latin1 is Windows-1252 with MySQL's five more characters", () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const expected = Array.from(all, byte => {
      const decoded = new TextDecoder('windows-1252').decode(Buffer.from([byte]));
      return [0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte) ? String.fromCharCode(byte) : decoded;
    }).join('');
    assert.equal(value({ type: T.VARCHAR, meta: 300, collation: LATIN1 }, sized(all, 2)), expected);
    const large = Buffer.alloc(70_000, 0x80);
    assert.equal(value({ type: T.BLOB, meta: 3, collation: LATIN1 }, sized(large, 3)), '€'.repeat(70_000));
  });

  test('of ascii has no bytes above 0x7f', () => {
    assert.equal(varchar('plain', ASCII), 'plain');
    assert.deepEqual(varchar('é', ASCII), { base64: 'w6k=', charset: 'ascii' });
  });

  test('of a collation that no server has is refused by number', () => {
    assert.throws(
      () => writerOf([{ name: 'c', type: T.VARCHAR, meta: 20, collation: 9999 }]),
      error => isUmbusError(error, 'UMBUS_BINLOG_CHARSET'),
    );
  });

  test('of every character set is decoded', () => {
    const of = (collation: number, bytes: string) =>
      value({ type: T.BLOB, meta: 2, collation }, sized(hex(bytes), 2));
    for (const [collation, bytes, text] of [
      [28, '61c4e3bac3', 'a你好'],
      [1, 'a741a66e', '你好'],
      [13, '93fa967bb1', '日本ｱ'],
      [95, '8740', '①'],
      [12, 'c6fccbdc8fb0a18eb1', '日本丂ｱ'],
      [19, 'c7d1', '한'],
      [248, '81308130e3329a35', '\u0080\u{10ffff}'],
      [90, '4f60003d', '你='],
      [54, 'd83dde00', '😀'],
      [56, '3dd800de', '😀'],
      [60, '0001f60000000022', '😀"'],
      [10, '5b', 'Ä'],
      [51, 'cff0e8', 'При'],
    ] as const) {
      assert.equal(of(collation, bytes), text);
    }
  });

  test('that lacks its second half, or has none, is kept as a mark', () => {
    const of = (collation: number, bytes: string) =>
      value({ type: T.BLOB, meta: 2, collation }, sized(hex(bytes), 2));
    for (const [collation, bytes, charset] of [
      [28, '61c4', 'gbk'],
      [28, 'a2a0', 'gbk'],
      [12, '8fb0', 'ujis'],
      [248, '813081', 'gb18030'],
      [248, 'fe39fe39', 'gb18030'],
      [90, 'd83dde00', 'ucs2'],
      [90, '00', 'ucs2'],
      [54, 'd83d', 'utf16'],
      [54, 'de00d83d', 'utf16'],
      [60, '00110000', 'utf32'],
      [60, '0000d800', 'utf32'],
      [51, '98', 'cp1251'],
    ] as const) {
      assert.deepEqual(of(collation, bytes), { base64: hex(bytes).toString('base64'), charset });
    }
  });
});

describe('binary strings', () => {
  test('are base64', () => {
    assert.equal(umsType({ type: T.VARCHAR, meta: 20, collation: BINARY }), 'binary');
    for (let length = 0; length < 20; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37) & 255));
      assert.equal(
        value({ type: T.VARCHAR, meta: 20, collation: BINARY }, sized(bytes, 1)),
        bytes.toString('base64'),
      );
    }
    const large = Buffer.alloc(200_000, 0xfb);
    assert.equal(
      value({ type: T.BLOB, meta: 4, collation: BINARY }, sized(large, 4)),
      large.toString('base64'),
    );
  });

  test('of BINARY get back the zero bytes that the binlog leaves out', () => {
    for (let length = 0; length <= 7; length++) {
      const bytes = Buffer.from('abcdefg'.slice(0, length));
      const padded = Buffer.concat([bytes, Buffer.alloc(7 - length)]);
      assert.equal(
        value({ type: T.STRING, meta: width(7), collation: BINARY }, sized(bytes, 1)),
        padded.toString('base64'),
      );
    }
    refused(() => value({ type: T.STRING, meta: width(2), collation: BINARY }, sized('abc', 1)));
  });
});

describe('ENUM and SET', () => {
  const enumColumn = { type: T.ENUM, meta: 1, labels: ['a', 'b"x\\', 'é'] };
  const setColumn = { type: T.SET, meta: 1, labels: ['p', 'q"', 'r'] };

  test('are their labels', () => {
    assert.equal(umsType(enumColumn), 'string');
    assert.equal(value(enumColumn, hex('01')), 'a');
    assert.equal(value(enumColumn, hex('02')), 'b"x\\');
    assert.equal(value(enumColumn, hex('03')), 'é');
    assert.equal(value(enumColumn, hex('00')), '');
    assert.equal(value(setColumn, hex('00')), '');
    assert.equal(value(setColumn, hex('01')), 'p');
    assert.equal(value(setColumn, hex('07')), 'p,q",r');
    const many = Array.from({ length: 64 }, (_, i) => `m${i}`);
    assert.equal(value({ type: T.SET, meta: 8, labels: many }, le(2n ** 64n - 1n, 8)), many.join(','));
    assert.equal(value({ type: T.SET, meta: 8, labels: many }, le(2n ** 63n + 1n, 8)), 'm0,m63');
    const labels = Array.from({ length: 300 }, (_, i) => `label ${i}`);
    assert.equal(value({ type: T.ENUM, meta: 2, labels }, le(300, 2)), 'label 299');
  });

  test('a number without a label is refused', () => {
    refused(() => value(enumColumn, hex('04')));
  });

  test('a bit without a label says nothing, as in SELECT', () => {
    assert.equal(value(setColumn, hex('08')), '');
    assert.equal(value(setColumn, hex('fd')), 'p,r');
    const labels = Array.from({ length: 33 }, (_, i) => `m${i}`);
    assert.equal(value({ type: T.SET, meta: 8, labels }, le(2n ** 63n + 2n ** 33n + 2n ** 32n, 8)), 'm32');
  });
});

describe('collations', () => {
  test('are known by character set, on both servers', () => {
    const known: readonly (readonly [number, string])[] = [
      [8, 'latin1'],
      [33, 'utf8mb3'],
      [45, 'utf8mb4'],
      [63, 'binary'],
      [83, 'utf8mb3'],
      [192, 'utf8mb3'],
      [224, 'utf8mb4'],
      [248, 'gb18030'],
      [255, 'utf8mb4'],
      [323, 'utf8mb4'],
      [576, 'utf8mb3'],
      [608, 'utf8mb4'],
      [1048, 'gb2312'],
      [1057, 'utf8mb3'],
      [1069, 'utf8mb4'],
      [1216, 'utf8mb3'],
      [1248, 'utf8mb4'],
      [2048, 'utf8mb3'],
      [2304, 'utf8mb4'],
      [2560, 'ucs2'],
      [2816, 'utf16'],
      [3072, 'utf32'],
    ];
    for (const [id, charset] of known) assert.equal(charsetOf(id), charset, `collation ${id}`);
    for (const id of [0, 17, 100, 500, 1041, 100_000]) assert.equal(charsetOf(id), null, `collation ${id}`);
  });
});
