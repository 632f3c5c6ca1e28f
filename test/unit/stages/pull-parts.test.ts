import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ControlMessage, pullJobOf, pullRequest } from '../../../src/change/pull-job.ts';
import { parseSignal, signalPacket } from '../../../src/change/pull-signal.ts';
import { doneCount, isDone, placeText, withDone } from '../../../src/stages/pull-state.ts';

const job = {
  pull: '20260105-165016123',
  schema: 'shop',
  table: 'orders',
  condition: 'id > 7',
  splitBy: ['made', 'id'],
  columns: ['note'],
  mode: 'blocking' as const,
  to: null,
  shardRows: 5000,
  askedMs: 1_767_631_816_123,
};

test('a job comes back from its control message', () => {
  assert.deepEqual(pullJobOf(pullRequest(job)), job);
});

test('a request of a console of DBUS is a pull that is called by its number', () => {
  const message: ControlMessage = {
    id: 1_607_504_000_000,
    type: 'FULL_DATA_INDEPENDENT_PULL_REQ',
    timestamp: '2020-12-09 08:53:20.000',
    from: 'full-pull-request-from-project',
    payload: {
      DBUS_DATASOURCE_ID: '3',
      SCHEMA_NAME: 'shop',
      TABLE_NAME: 't_order',
      SEQNO: '1607504000000',
      SPLIT_COL: 'id',
      SPLIT_SHARD_SIZE: '200000',
      INPUT_CONDITIONS: '',
    },
  };
  assert.deepEqual(pullJobOf(message), {
    pull: 'p1607504000000',
    schema: 'shop',
    table: 't_order',
    condition: null,
    splitBy: ['id'],
    columns: [],
    mode: 'watermark',
    to: null,
    shardRows: 200_000,
    askedMs: 1_607_504_000_000,
  });
  for (const [id, askedMs] of [
    ['1607504000000', 1_607_504_000_000],
    ['today', 0],
    [undefined, 0],
    [1e20, 0],
  ] as const) {
    // What is not ours may be anything.
    assert.equal(pullJobOf({ ...message, id } as ControlMessage)?.askedMs, askedMs);
  }
  assert.equal(pullJobOf({ ...message, type: 'APPENDER_RELOAD_CONFIG' }), null);
  assert.throws(() => pullJobOf({ ...message, payload: {} }), /names no table/);
});

test('watermarks are read as they were written, and others are nothing', () => {
  const low = { kind: 'low', pull: 'p', schema: 's', table: 't', shard: 3, token: 'w' } as const;
  assert.deepEqual(parseSignal('low', 'w', signalPacket(low)), low);
  const last = { ...low, last: true } as const;
  assert.deepEqual(parseSignal('low', 'w', signalPacket(last)), last);
  for (const [kind, token, packet] of [
    ['low', '', signalPacket(low)],
    ['low', 'w', '{"pull":"p"}'],
    ['low', 'w', 'no JSON'],
    ['low', 'w', '{"pull":"p","schema":"s","table":"t","shard":-1}'],
    ['other', 'w', signalPacket(low)],
  ] as const) {
    assert.equal(parseSignal(kind, token, packet), null);
  }
});

test('shards that are whole are kept as ranges', () => {
  let done: readonly (readonly [number, number])[] = [];
  for (const shard of [4, 2, 0, 1, 9, 2]) done = withDone(done, shard);
  assert.deepEqual(done, [
    [0, 2],
    [4, 4],
    [9, 9],
  ]);
  assert.equal(doneCount({ done }), 5);
  assert.deepEqual(
    [0, 3, 4].map(shard => isDone({ done }, shard)),
    [true, false, true],
  );
});

test('places compare as text as they do as numbers', () => {
  const place = (epoch: number, fileNumber: number, position: number) =>
    placeText({ epoch, fileNumber, position });
  const ordered = [place(1, 2, 4), place(1, 2, 10), place(1, 10, 4), place(2, 1, 4), place(10, 1, 2 ** 40)];
  assert.deepEqual([...ordered].sort(), ordered);
});
