import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRawRun } from '../../../src/change/raw-run.ts';
import { drainedTo } from '../../../src/cli/drained.ts';
import type { Log } from '../../../src/ports/log.ts';
import { filledLog, outgoing, rawRun, shopLine } from './line-log.ts';

/** A log that names its topics from the last to the first, as Kafka may, and does something before it is asked about one of them. */
function backwards(log: Log, before: (topic: string) => Promise<void>): Log {
  return new Proxy(log, {
    get(target, name: keyof Log) {
      if (name === 'topics') return async () => (await target.topics()).toReversed();
      if (name === 'offset') {
        return async (...asked: Parameters<Log['offset']>) => {
          await before(asked[0].topic);
          return await target.offset(...asked);
        };
      }
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

test('a change that passes from one topic to the next while both are looked at is not overlooked', async () => {
  const log = await filledLog([
    outgoing('shop', 0, 'a', encodeRawRun(rawRun(100, 1))),
    outgoing('shop', 0, 'b', encodeRawRun(rawRun(200, 1))),
  ]);
  await using dispatcher = await log.join({
    group: 'umbus.shop.dispatcher',
    topics: ['shop'],
    member: 'm',
    listener: { assigned() {}, revoking() {}, lost() {} },
  });
  await dispatcher.poll({ maxBytes: 1_000_000, maxWaitMs: 0 }, new AbortController().signal);
  const pass = async (offset: bigint): Promise<void> => {
    const outputs = [outgoing('shop.shop', 0, 'b', encodeRawRun(rawRun(200, 1)))];
    const offsets = [{ topic: 'shop', partition: 0, offset, metadata: '' }];
    await dispatcher.commit({ outputs: offset === 2n ? outputs : [], offsets });
  };
  await pass(1n);
  const end = { file: 'binlog.000003', position: rawRun(200, 1).next };
  let passed = false;
  const watched = backwards(log, async topic => {
    if (topic !== 'shop' || passed) return;
    passed = true;
    await pass(2n);
  });
  assert.equal(await drainedTo(watched, shopLine(), end), false);
  assert.equal(passed, true);
});
