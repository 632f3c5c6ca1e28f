import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGtidSet } from '../../../src/binlog/gtid-set.ts';
import { encodeGtidSet } from '../../../src/binlog/gtid-set-bytes.ts';

const UUID = '8a878081-e54d-11f1-9ecd-02fc00000001';
const UUID_HEX = '8a878081e54d11f19ecd02fc00000001';
const u64 = (value: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.toString('hex');
};

const encodings: readonly { readonly title: string; readonly text: string; readonly hex: string }[] = [
  { title: 'the empty set', text: '', hex: u64(0) },
  { title: 'one interval', text: `${UUID}:1-4`, hex: u64(1) + UUID_HEX + u64(1) + u64(1) + u64(5) },
  { title: 'one transaction', text: `${UUID}:7`, hex: u64(1) + UUID_HEX + u64(1) + u64(7) + u64(8) },
  {
    title: 'two intervals in any order, with line ends as the server prints them',
    text: `${UUID.toUpperCase()}:9-10:1-4,\n${UUID}:20`,
    hex: u64(1) + UUID_HEX + u64(3) + u64(1) + u64(5) + u64(9) + u64(11) + u64(20) + u64(21),
  },
  {
    title: 'two servers',
    text: `ffffffff-e54d-11f1-9ecd-02fc00000001:1,${UUID}:2`,
    hex:
      u64(2) +
      UUID_HEX +
      u64(1) +
      u64(2) +
      u64(3) +
      'ffffffffe54d11f19ecd02fc00000001' +
      u64(1) +
      u64(1) +
      u64(2),
  },
  {
    // The PREVIOUS_GTIDS event of a MySQL 9.7 server with this set.
    title: 'a tag',
    text: `${UUID}:1-4:foo:1`,
    hex:
      '0102000000000001' +
      UUID_HEX +
      '00' +
      u64(1) +
      u64(1) +
      u64(5) +
      UUID_HEX +
      '06666f6f' +
      u64(1) +
      u64(1) +
      u64(2),
  },
];

for (const { title, text, hex } of encodings) {
  test(`encodes a MySQL GTID set: ${title}`, () => {
    assert.equal(encodeGtidSet(parseGtidSet('mysql', text)).toString('hex'), hex);
  });
}
