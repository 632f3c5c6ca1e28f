import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { writeInteger, writePadded, writeSigned64, writeUnsigned64 } from '../../../src/ums/digits.ts';

const w = Buffer.alloc(40);
const text = (end: number): string => w.toString('latin1', 3, end);

test('integers are written as their digits at every number of digits, up to 2^53 - 1', () => {
  for (let digits = 1; digits <= 15; digits++) {
    for (const n of [10 ** (digits - 1), 10 ** digits - 1, 10 ** digits - 7]) {
      assert.equal(text(writeInteger(n, w, 3)), String(n));
      assert.equal(text(writeInteger(-n, w, 3)), String(-n));
    }
  }
  for (const n of [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    assert.equal(text(writeInteger(n, w, 3)), String(n));
  }
  assert.equal(text(writeInteger(-(2 ** 31), w, 3)), '-2147483648');
});

test('padded numbers have exactly their width', () => {
  for (let width = 1; width <= 9; width++) {
    for (const n of [0, 1, 9, 10 ** width - 1, Math.floor(10 ** width / 7)]) {
      assert.equal(text(writePadded(n, width, w, 3)), String(n).padStart(width, '0'));
    }
  }
});

test('64-bit integers are written from their halves', () => {
  const limits = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n];
  const signed = [...limits, ...limits.map(n => -n), -(2n ** 63n), -(2n ** 32n) - 1n];
  for (const n of signed) {
    const bits = BigInt.asUintN(64, n);
    const high = Number(BigInt.asIntN(32, bits >> 32n));
    assert.equal(text(writeSigned64(high, Number(bits & 0xffff_ffffn), w, 3)), String(n));
  }
  for (const n of [...limits, 2n ** 63n, 2n ** 64n - 1n, 10n ** 19n, 18_000_000_000_000_000_000n]) {
    assert.equal(text(writeUnsigned64(Number(n >> 32n), Number(n & 0xffff_ffffn), w, 3)), String(n));
  }
});
