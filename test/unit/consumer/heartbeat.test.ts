import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { heartbeatOf, readUms } from '../../../src/consumer/index.ts';
import { BEAT_HEADER, type BeatStamps, beatBytes } from '../../../src/ums/beat-stamps.ts';
import { dataHeader, heartbeatKey, heartbeatMessage } from '../../../src/ums/message.ts';

const NAMESPACE = 'mysql.web.shop.orders.3.0.0';
const US = 1_767_631_860_123_456;
const stamps: BeatStamps = {
  beat: 12,
  us: US,
  skew: 2_000_000,
  captured: US - 1_999_000,
  dispatched: null,
  appended: US - 1_995_000,
  rows: 5,
  bytes: 900,
  errors: 0,
  warnings: 1,
};

function record(headers: Record<string, Uint8Array>) {
  const key = heartbeatKey(
    NAMESPACE,
    { timeMs: 1_767_631_860_123, roundMs: 1_767_631_860_000 },
    'abort',
    'web',
  );
  const message = readUms(heartbeatMessage(NAMESPACE, '1030000000000004', '2026-01-05 16:51:00.123456'));
  return { key: key.toString(), message, headers };
}

test('a heartbeat tells its table, its times, its status and the hops', () => {
  const { latencyMs, ...beat } = heartbeatOf(record({ [BEAT_HEADER]: beatBytes(stamps) })) ?? assert.fail();
  assert.deepEqual(beat, {
    table: 'shop.orders',
    version: 3,
    insertedMs: 1_767_631_860_123,
    roundMs: 1_767_631_860_000,
    status: 'abort',
    stamps,
  });
  // Our clock is two seconds behind the source's, and seven milliseconds have passed.
  assert.equal(latencyMs(US / 1000 - 2_000 + 7), 7);
});

test('a heartbeat without stamps, or whose skew is not known, tells no latency', () => {
  const plain = heartbeatOf(record({})) ?? assert.fail();
  assert.deepEqual([plain.stamps, plain.latencyMs(0)], [null, null]);
  const blind = heartbeatOf(record({ [BEAT_HEADER]: beatBytes({ ...stamps, skew: null }) }));
  assert.equal(blind?.latencyMs(0), null);
  assert.equal(heartbeatOf(record({ [BEAT_HEADER]: new TextEncoder().encode('{"us":"x"}') }))?.stamps, null);
});

test('any other message is none', () => {
  const head = dataHeader(NAMESPACE, [], []).toString();
  const message = readUms(
    Buffer.from(`${head}{"tuple":["1","2026-01-05 16:51:00.000","i","100000000000000000011"]}]}`),
  );
  assert.equal(heartbeatOf({ key: 'x', message, headers: {} }), null);
});
