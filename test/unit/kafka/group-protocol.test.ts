import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { ByteWriter } from '../../../src/adapters/kafka/bytes.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/adapters/kafka/group-protocol.ts';

describe('what members of a group tell each other', () => {
  test('comes back as it was told', () => {
    const subscription = { topics: ['a', 'é'], owned: [0, 3], generation: 7 };
    assert.deepEqual(decodeSubscription(encodeSubscription(subscription)), subscription);
    assert.deepEqual(decodeAssignment(encodeAssignment(['a', 'b'], [2, 5])), [2, 5]);
    assert.deepEqual(decodeAssignment(encodeAssignment(['a'], [])), []);
    assert.deepEqual(decodeAssignment(Buffer.alloc(0)), []);
  });

  test('has the bytes of ConsumerProtocolSubscription version 2', () => {
    const bytes = encodeSubscription({ topics: ['t'], owned: [1], generation: 2 });
    const fields = ['0002', '00000001', '000174', 'ffffffff', '00000001', '000174', '00000001', '00000001'];
    assert.equal(bytes.toString('hex'), [...fields, '00000002'].join(''));
  });

  test('is read from older versions, and past the user data of others', () => {
    const oldest = new ByteWriter().int16(0).int32(1).done();
    assert.throws(() => decodeSubscription(oldest), { code: 'UMBUS_KAFKA_UNREACHABLE' });
    const first = new ByteWriter().int16(0).int32(1).text('t').bytes(Buffer.from('mine')).done();
    assert.deepEqual(decodeSubscription(first), { topics: ['t'], owned: [], generation: -1 });
    const second = new ByteWriter()
      .int16(1)
      .int32(1)
      .text('t')
      .int32(-1)
      .int32(1)
      .text('t')
      .int32(1)
      .int32(4)
      .done();
    assert.deepEqual(decodeSubscription(second), { topics: ['t'], owned: [4], generation: -1 });
  });
});
