import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { crc32 } from '../../../src/binlog/crc32.ts';

test('crc32 equals that of zlib at every length and alignment, short and long', () => {
  const bytes = Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 131 + (i >> 3)) & 255));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let length = 0; length < 600; length++) {
    const start = length % 13;
    assert.equal(
      crc32(bytes, view, start, start + length),
      zlibCrc32(bytes.subarray(start, start + length)),
      `${length} bytes at ${start}`,
    );
  }
});
