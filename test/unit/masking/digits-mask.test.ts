import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { unmaskDigits } from '../../../src/masking/digits-mask.ts';
import { ff1 } from '../../../src/masking/ff1.ts';
import { KEY, masked } from './masks-fixture.ts';

const WHOLE_KEY = '2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94';
const TWEAK = '39383736353433323130';

/** The samples of NIST for SP 800-38G, FF1, radix 10: bytes of the key, tweak, result for 0123456789. */
const samples = [
  [16, '', '2433477484'],
  [16, TWEAK, '6124200773'],
  [24, '', '2830668132'],
  [24, TWEAK, '2496655549'],
  [32, '', '6657667009'],
  [32, TWEAK, '1001623463'],
] as const;

describe('FF1', () => {
  for (const [bytes, tweak, result] of samples) {
    test(`gives the sample of NIST for a key of ${bytes} bytes and ${tweak === '' ? 'no' : 'a'} tweak`, () => {
      const cipher = ff1(Buffer.from(WHOLE_KEY, 'hex').subarray(0, bytes), Buffer.from(tweak, 'hex'));
      assert.equal(cipher.encrypt('0123456789'), result);
      assert.equal(cipher.decrypt(result), '0123456789');
    });
  }

  test('can be undone for every length', () => {
    const cipher = ff1(Buffer.from(WHOLE_KEY, 'hex'));
    for (let length = 2; length <= 60; length++) {
      const digits = '9182736450'.repeat(6).slice(0, length);
      const result = cipher.encrypt(digits);
      assert.match(result, new RegExp(`^\\d{${length}}$`));
      assert.equal(cipher.decrypt(result), digits);
    }
  });
});

describe('digits', () => {
  const spec = { kind: 'digits', key: KEY } as const;

  test('keeps all signs but the digits, and can be undone with the key', () => {
    const result = String(masked(spec, 'string', '4111-1111 1111 1111'));
    assert.match(result, /^\d{4}-\d{4} \d{4} \d{4}$/);
    assert.notEqual(result, '4111-1111 1111 1111');
    assert.equal(unmaskDigits('string', result, KEY), '4111-1111 1111 1111');
    assert.equal(masked(spec, 'string', '4111-1111 1111 1111'), result);
  });

  test('gives numbers of as many digits that their type holds, one to one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100_000, max: 2 ** 31 - 1 }), number => {
        const result = Number(masked(spec, 'int', number));
        assert.equal(String(result).length, String(number).length);
        assert.ok(result < 2 ** 31);
        assert.equal(unmaskDigits('int', String(result), KEY), String(number));
      }),
    );
    const longest = String(masked(spec, 'long', '9223372036854775807'));
    assert.equal(unmaskDigits('long', longest, KEY), '9223372036854775807');
    assert.match(String(masked(spec, 'long', '-123456789')), /^-[1-9]\d{8}$/);
  });

  test('hides values of fewer than six digits as a whole, and refuses them in keys', () => {
    assert.equal(masked(spec, 'string', 'Room 12345'), '*');
    assert.equal(masked(spec, 'int', 12_345), 0);
    assert.equal(masked(spec, 'string', Buffer.from([0xff, 0x31])), '*');
    assert.throws(() => masked(spec, 'int', 12_345, { key: true }), /at least six digits/);
  });
});
