import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isTokenOf } from '../../../src/masking/hash-masks.ts';
import { javaText, javaThird } from '../../../src/masking/java-text.ts';
import { murmur3 } from '../../../src/masking/murmur3.ts';
import { KEY, masked } from './masks-fixture.ts';

/** Made with Guava 33.4.8, the library that DBUS hashes with, on Java 17: `Hashing.md5()` and `Hashing.murmur3_128(0)`. */
const lines = readFileSync(new URL('guava-vectors.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => line.split('\t'));

describe('murmur3', () => {
  test("has the bytes of Guava's murmur3_128 for every length of the tail", () => {
    const vectors = lines.filter(([kind]) => kind === 'bytes');
    assert.equal(vectors.length, 14);
    for (const [, bytes = '', hash] of vectors)
      assert.equal(murmur3(Buffer.from(bytes, 'hex')).toString('hex'), hash);
  });
});

describe('md5 and murmur3', () => {
  for (const kind of ['md5', 'murmur3'] as const) {
    test(`${kind} gives what DBUS gives, for each UMS type`, () => {
      const spec = { kind, salt: null, saltColumn: null };
      const vectors = lines.filter(([of]) => of === kind);
      assert.equal(vectors.length, 9);
      for (const [, text = '', hex, long, int, third, half, halfInt] of vectors) {
        assert.equal(masked(spec, 'string', text), hex);
        assert.equal(masked(spec, 'long', text), long);
        assert.equal(masked(spec, 'int', text), Number(int));
        assert.equal(masked(spec, 'double', text), Number(half));
        assert.equal(masked(spec, 'float', text), Math.fround(Number(halfInt)));
        // Java 17 prints more digits than tell the number apart; the number is the same.
        assert.equal(Number(masked(spec, 'decimal', text)), Number(third));
        assert.match(String(masked(spec, 'decimal', text)), /^-?\d+\.\d$/);
      }
    });
  }

  test('hash numbers as the text that Java makes of them', () => {
    const texts = {
      '1': '1.0',
      '1.5': '1.5',
      '10000000': '1.0E7',
      '9999999': '9999999.0',
      '123456789.125': '1.23456789125E8',
      '0.001': '0.001',
      '0.000999': '9.99E-4',
      '1e21': '1.0E21',
      '3e-10': '3.0E-10',
    };
    for (const [number, text] of Object.entries(texts))
      assert.equal(javaText('double', Number(number)), text);
    assert.equal(javaText('double', -0), '-0.0');
    assert.equal(javaText('int', 7), '7');
    assert.deepEqual([7n, 8n, 9n, -7n, 123456789012345n].map(javaThird), [
      '2.3',
      '2.7',
      '3.0',
      '-2.3',
      '41152263004115.0',
    ]);
  });

  test('put the salt behind the value: a fixed one, or the value of a column of the row', () => {
    const fixed = { kind: 'md5', salt: { name: 's', secret: 'salt' }, saltColumn: null } as const;
    const field = { kind: 'md5', salt: null, saltColumn: 'id' } as const;
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    assert.equal(masked(fixed, 'string', '42'), md5('42salt'));
    assert.equal(masked(field, 'string', 'x', { row: { id: 17 } }), md5('x17'));
    assert.equal(masked(field, 'string', 'x', { row: { id: null } }), md5('x'));
    assert.throws(() => masked(field, 'string', 'x'), /salt column, which the row image lacks/);
  });

  test('give the default value for dates, and bytes for bytes', () => {
    const spec = { kind: 'murmur3', salt: null, saltColumn: null } as const;
    assert.equal(masked(spec, 'date', '2026-01-05'), '1970-01-01');
    assert.equal(masked(spec, 'datetime', '2026-01-05 10:11:12'), '1970-01-01 08:00:01.000');
    assert.equal(
      masked(spec, 'binary', Buffer.from('a')),
      Buffer.from('897859f6655555855a890e51483ab5e6', 'hex').toString('base64'),
    );
    assert.equal(masked(spec, 'jsonobject', 'a'), '"897859f6655555855a890e51483ab5e6"');
  });
});

describe('hmac-sha256', () => {
  const spec = { kind: 'hmac-sha256', key: KEY, length: 64 } as const;
  const digest = (text: string) => createHmac('sha256', KEY.secret).update(text).digest();

  test("gives the key's name and the digest, which anybody with the key can make", () => {
    assert.equal(
      masked(spec, 'string', '+49 170 1234567'),
      `pii:${digest('+49 170 1234567').toString('hex')}`,
    );
    assert.equal(
      masked({ ...spec, length: 16 }, 'string', 'x'),
      `pii:${digest('x').toString('hex').slice(0, 16)}`,
    );
    assert.equal(masked(spec, 'long', '7'), String(digest('7').readBigInt64LE()));
    assert.equal(masked(spec, 'int', 7), digest('7').readInt32LE());
  });

  test('tokens of an older key can still be checked after the key was changed', () => {
    const older = { name: 'pii-2025', secret: 'the key of the year before' };
    const token = String(masked({ ...spec, key: older }, 'string', 'Ann'));
    assert.ok(isTokenOf(token, 'Ann', older));
    assert.ok(!isTokenOf(token, 'Bob', older));
    assert.ok(!isTokenOf(token, 'Ann', KEY));
    assert.ok(!isTokenOf('pii-2025:', 'Ann', older));
  });
});
