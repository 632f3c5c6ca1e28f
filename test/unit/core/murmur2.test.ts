import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2 } from '../../../src/core/murmur2.ts';

test('murmur2 gives the hashes that Kafka clients give', () => {
  const known: Record<string, number> = {
    '21': -973_932_308,
    foobar: -790_332_482,
    'a-little-bit-long-string': -985_981_536,
    'a-little-bit-longer-string': -1_486_304_829,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58_897_971,
    abc: 479_470_107,
  };
  for (const [key, hash] of Object.entries(known)) assert.equal(murmur2(Buffer.from(key)), hash, key);
});

test('murmur2 reads only the view it is given', () => {
  const bytes = Buffer.from('xxfoobaryy');
  assert.equal(murmur2(bytes.subarray(2, 8)), murmur2(Buffer.from('foobar')));
});
