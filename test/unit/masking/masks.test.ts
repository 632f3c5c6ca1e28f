import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { BucketSize, MaskSpec } from '../../../src/masking/mask-spec.ts';
import { fits } from '../../../src/masking/typed-value.ts';
import { UMS_TYPES, type UmsType } from '../../../src/ums/types.ts';
import { KEY, masked } from './masks-fixture.ts';

test('default-value has a value of each type', () => {
  const defaults = UMS_TYPES.map(type => masked({ kind: 'default-value' }, type, 'x'));
  assert.deepEqual(defaults, [
    '*',
    0,
    '0',
    0,
    0,
    false,
    '1970-01-01',
    '1970-01-01 08:00:01.000',
    '0',
    'Kg==',
    '*',
    '"*"',
  ]);
  for (const [i, type] of UMS_TYPES.entries()) assert.ok(fits(type, defaults[i]), type);
});

test('replace gives its text as a value of the type, and the default value where it is none', () => {
  const cases: readonly (readonly [string, UmsType, unknown])[] = [
    ['hidden', 'string', 'hidden'],
    ['42', 'int', 42],
    ['+42', 'int', 42],
    ['2147483648', 'int', 0],
    ['4x', 'int', 0],
    ['+9223372036854775807', 'long', '9223372036854775807'],
    ['1.5', 'long', '0'],
    ['-1.50', 'decimal', '-1.50'],
    ['1e3', 'decimal', '0'],
    ['0.1', 'float', Math.fround(0.1)],
    ['1e400', 'double', 0],
    ['2026-02-30', 'date', '2026-02-30'],
    ['2026-2-3', 'date', '1970-01-01'],
    ['2026-01-05 10:11:12', 'datetime', '2026-01-05 10:11:12'],
    ['2026-01-05 10:11:12.123', 'datetime', '2026-01-05 10:11:12.123'],
    ['soon', 'datetime', '1970-01-01 08:00:01.000'],
    ['hidden', 'binary', Buffer.from('hidden').toString('base64')],
    ['hidden', 'jsonobject', '"hidden"'],
  ];
  for (const [text, type, expected] of cases) {
    assert.equal(masked({ kind: 'replace', text }, type, 'x'), expected, `${text} as ${type}`);
  }
});

test('keep-edges keeps whole characters, and hides a text without anything between', () => {
  const spec = { kind: 'keep-edges', first: 3, last: 4, fill: '*' } as const;
  assert.equal(masked(spec, 'string', '13812345678'), '138****5678');
  assert.equal(masked(spec, 'string', '1381234'), '*******');
  assert.equal(masked(spec, 'string', '12'), '**');
  assert.equal(masked({ ...spec, first: 1, last: 0, fill: '·' }, 'string', '😀😃😄'), '😀··');
  assert.equal(masked(spec, 'string', Buffer.from([0xff])), '*');
});

test('truncate keeps characters from the front', () => {
  assert.equal(masked({ kind: 'truncate', length: 2 }, 'string', '😀😃😄'), '😀😃');
  assert.equal(masked({ kind: 'truncate', length: 0 }, 'string', 'x'), '');
});

test('null is null', () => {
  assert.equal(masked({ kind: 'null' }, 'int', 3), null);
});

test('bucket gives the lower end of the bucket', () => {
  const cases: readonly (readonly [BucketSize, UmsType, string | number, unknown])[] = [
    [{ step: '10' }, 'int', 37, 30],
    [{ step: '10' }, 'int', -37, -40],
    [{ step: '1000' }, 'long', '9223372036854775807', '9223372036854775000'],
    [{ step: '0.5' }, 'decimal', '12.74', '12.50'],
    [{ step: '100' }, 'decimal', '-12.74', '-100.00'],
    [{ step: '0.25' }, 'double', 1.9, 1.75],
    [{ step: '5' }, 'double', 1.2e21, 1.2e21],
    [{ step: '5' }, 'double', 1e-9, 0],
    [{ unit: 'year' }, 'date', '1984-07-23', '1984-01-01'],
    [{ unit: 'quarter' }, 'date', '1984-07-23', '1984-07-01'],
    [{ unit: 'quarter' }, 'date', '1984-12-23', '1984-10-01'],
    [{ unit: 'month' }, 'date', '1984-07-23', '1984-07-01'],
    [{ unit: 'day' }, 'datetime', '1984-07-23 11:12:13.123', '1984-07-23 00:00:00.000'],
    [{ unit: 'hour' }, 'datetime', '1984-07-23 11:12:13', '1984-07-23 11:00:00'],
    [{ unit: 'month' }, 'date', '0000-00-00', '0000-00-00'],
    [{ unit: 'year' }, 'date', '2026-00-15', '2026-00-00'],
  ];
  for (const [size, type, value, expected] of cases) {
    assert.equal(
      masked({ kind: 'bucket', size }, type, value),
      expected,
      `${value} by ${JSON.stringify(size)}`,
    );
  }
});

describe('a mask that does not fit its column', () => {
  const refuses = (spec: MaskSpec, type: UmsType, message: RegExp, key = false): void => {
    assert.throws(
      () => masked(spec, type, 'x', { key }),
      error => isUmbusError(error, 'UMBUS_MASK_UNFIT') && message.test(error.message),
    );
  };

  test('is refused by the type of the column', () => {
    refuses(
      { kind: 'keep-edges', first: 1, last: 1, fill: '*' },
      'int',
      /UMS type is int, and the mask works on string, raw/,
    );
    refuses({ kind: 'bucket', size: { unit: 'year' } }, 'int', /date, datetime/);
    refuses({ kind: 'bucket', size: { step: '10' } }, 'date', /int, long/);
    refuses({ kind: 'digits', key: KEY }, 'decimal', /string, int, long/);
  });

  test('is refused for a primary key whose rows it would make one', () => {
    refuses({ kind: 'default-value' }, 'string', /rows with different keys would become one/, true);
    refuses({ kind: 'truncate', length: 3 }, 'string', /rows with different keys would become one/, true);
    refuses({ kind: 'md5', salt: null, saltColumn: null }, 'int', /too few values of type int apart/, true);
    assert.match(
      String(masked({ kind: 'md5', salt: null, saltColumn: null }, 'string', 'x', { key: true })),
      /^[0-9a-f]{32}$/,
    );
  });
});
