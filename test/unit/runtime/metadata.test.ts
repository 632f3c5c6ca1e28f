import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { Lanes } from '../../../src/runtime/lanes.ts';
import {
  decodeMetadata,
  encodeMetadata,
  MAX_METADATA_CHARACTERS,
  noMetadata,
} from '../../../src/runtime/metadata.ts';
import { TaskState } from '../../../src/runtime/task-state.ts';
import { utf8 } from '../../../src/topology/serdes.ts';
import { topic } from '../../../src/topology/topic.ts';

const t = topic('t', utf8, utf8);

test('metadata is read back as it was written', () => {
  const metadata = {
    watermarks: new Map([
      ['abcdefgh', Buffer.from('00112233', 'hex')],
      ['ABCDEFGH', Buffer.alloc(28, 7)],
    ]),
    streamTimeMs: 1_700_000_000_123,
    controls: new Map([['shop_ctrl/0', 2n ** 60n]]),
    paused: ['a.b', 'c'],
    origin: { lane: 'umbus.shop.x:t/0~abcdefgh', seq: Buffer.from('ff', 'hex'), ordinal: 3 },
  };
  assert.deepEqual(decodeMetadata(encodeMetadata(metadata), 'here'), metadata);
  assert.deepEqual(decodeMetadata('', 'here'), noMetadata);
  assert.deepEqual(decodeMetadata(encodeMetadata(noMetadata), 'here'), noMetadata);
});

test('metadata of another program is refused with the place', () => {
  for (const text of ['x', '{}', '{"v":2}', '{"v":1,"c":{"a":"b"}}']) {
    assert.throws(
      () => decodeMetadata(text, 'group g at t/0'),
      { code: 'UMBUS_TOPOLOGY_STORE', message: /group g at t\/0/ },
      text,
    );
  }
});

test('a lane is told apart by its header and names its outputs after it', () => {
  const lanes = new Lanes('g', 't', 3, new Map());
  const plain = lanes.of(undefined);
  assert.equal(plain.out.toString(), 'g:t/3');
  const one = lanes.of(Buffer.from('up:s/0'));
  const two = lanes.of(Buffer.from('up:s/1'));
  assert.match(one.out.toString(), /^g:t\/3~[\w-]{8}$/);
  assert.notEqual(one.out.toString(), two.out.toString());
  assert.equal(lanes.of(Buffer.from('up:s/0')), one);
  assert.equal(lanes.of(undefined), plain);
});

test('watermarks survive a restart by lane', () => {
  const before = new Lanes('g', 't', 0, new Map());
  before.of(Buffer.from('one')).watermark = Buffer.from([1]);
  before.of(Buffer.from('two')).watermark = Buffer.from([2]);
  const after = new Lanes('g', 't', 0, new Map(before.watermarks()));
  assert.deepEqual(after.of(Buffer.from('two')).watermark, Buffer.from([2]));
  assert.deepEqual(after.watermarks(), before.watermarks(), 'also the lane that was not seen again');
});

test('when there are more lanes than metadata holds, the least recently used is forgotten and told', () => {
  const lanes = new Lanes('g', 't', 0, new Map());
  const laneName = (index: number) => Buffer.from(`producer ${index}`);
  for (let index = 0; index < 200; index += 1) lanes.of(laneName(index)).watermark = Buffer.alloc(28, index);
  lanes.of(laneName(0));
  const state = new TaskState(
    new Map([['t', { topic: t, lanes, position: 5n, timestampMs: null, end: 5n }]]),
    new Map(),
    new Map(),
    noMetadata,
  );
  let forgotten = 0;
  const [offset] = state.offsets(0, null, null, () => {
    forgotten += 1;
  });
  assert.ok(offset !== undefined && offset.metadata.length <= MAX_METADATA_CHARACTERS);
  const kept = decodeMetadata(offset.metadata, 'here').watermarks;
  assert.ok(forgotten > 0 && kept.size === 200 - forgotten && kept.size >= 60, `${kept.size} kept`);
  assert.ok(kept.has(lanes.of(laneName(0)).id), 'lane 0 was used last');
  assert.ok(!kept.has(lanes.of(laneName(1)).id), 'lane 1 was used least recently');
});
