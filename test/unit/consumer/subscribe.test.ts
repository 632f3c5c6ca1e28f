import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { createMemoryLog } from '../../../src/adapters/memory/memory-log.ts';
import { subscribe, type UmsRecord } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { Log } from '../../../src/ports/log.ts';
import { bytesOf, runModel } from './model-line.ts';

const topic = 'shop.store.result';
const group = 'reader';

async function openLog(partitions = 2): Promise<Log> {
  const log = createMemoryLog();
  await log.ensureTopics([
    { name: topic, partitions, cleanup: 'delete', retentionMs: null, retentionBytes: null },
  ]);
  return log;
}

/** Writes one message of one row; `mark` becomes the row's id. */
async function write(log: Log, partition: number, mark: number): Promise<void> {
  const { messages } = runModel([{ kind: 'insert', id: mark, text: null }], {
    keyed: true,
    beforeImage: false,
  });
  await using writer = await log.openWriter('line');
  await writer.append(
    messages.map(message => ({
      topic,
      partition,
      key: Buffer.from('key'),
      value: bytesOf(message),
      timestampMs: 5,
      headers: {},
    })),
  );
}

const markOf = ({ message }: UmsRecord) => message.payload[0]?.tuple[4];

async function take(records: AsyncIterable<UmsRecord>, count: number): Promise<UmsRecord[]> {
  const taken: UmsRecord[] = [];
  for await (const record of records) {
    taken.push(record);
    if (taken.length === count) break;
  }
  return taken;
}

test('reads every partition to the end and stops there', async () => {
  await using log = await openLog();
  await write(log, 0, 1);
  await write(log, 1, 2);
  await write(log, 0, 3);
  const taken = await take(subscribe({ log, topics: [topic], follow: false }), Infinity);
  assert.deepEqual(taken.map(record => [record.partition, record.offset, markOf(record)]).sort(), [
    [0, 0n, 1],
    [0, 1n, 3],
    [1, 0n, 2],
  ]);
  assert.deepEqual(
    { topic: taken[0]?.topic, key: taken[0]?.key, timestampMs: taken[0]?.timestampMs },
    { topic, key: 'key', timestampMs: 5 },
  );
});

test('ends at what was the end when it began', async () => {
  await using log = await openLog(1);
  await write(log, 0, 1);
  const marks: unknown[] = [];
  for await (const record of subscribe({ log, topics: [topic], follow: false })) {
    marks.push(markOf(record));
    await write(log, 0, 2);
  }
  assert.deepEqual(marks, [1]);
});

test('follows: a record in one partition arrives though the others are quiet', async () => {
  await using log = await openLog(3);
  const first = take(subscribe({ log, topics: [topic], from: 'latest' }), 1);
  await write(log, 2, 9);
  await write(log, 2, 9);
  assert.deepEqual((await first).map(markOf), [9]);
});

test('begins where the caller says', async () => {
  await using log = await openLog(1);
  for (const mark of [1, 2, 3]) await write(log, 0, mark);
  const read = async (from: (place: { topic: string; partition: number }) => bigint) =>
    (await take(subscribe({ log, topics: [topic], from, follow: false }), Infinity)).map(markOf);
  assert.deepEqual(await read(() => 1n), [2, 3]);
  assert.deepEqual(await read(({ partition }) => BigInt(partition + 2)), [3]);
});

test('ends without an error when the signal aborts', async () => {
  await using log = await openLog(1);
  const abort = new AbortController();
  const done = take(subscribe({ log, topics: [topic], signal: abort.signal }), Infinity);
  abort.abort();
  assert.deepEqual(await done, []);
});

test('a group goes on after the last batch whose loop body has run', async () => {
  await using log = await openLog(1);
  for (const mark of [1, 2]) await write(log, 0, mark);
  const first = await take(subscribe({ log, topics: [topic], group, maxBytes: 1 }), 2);
  assert.deepEqual(first.map(markOf), [1, 2]);
  await write(log, 0, 3);
  // The second record was taken, but the loop was left before it asked for more: it comes again.
  const again = await take(subscribe({ log, topics: [topic], group, maxBytes: 1 }), 2);
  assert.deepEqual(again.map(markOf), [2, 3]);
});

test('a group that has committed nothing begins where the caller says', async () => {
  await using log = await openLog(1);
  await write(log, 0, 1);
  const from = () => 1n;
  const taken = take(subscribe({ log, topics: [topic], group, from }), 1);
  await write(log, 0, 2);
  assert.deepEqual((await taken).map(markOf), [2]);
});

test('names the record that is not UMS', async () => {
  await using log = await openLog(1);
  await using writer = await log.openWriter('other');
  await writer.append([
    { topic, partition: 0, key: null, value: Buffer.from('{}'), timestampMs: 0, headers: {} },
  ]);
  await assert.rejects(
    take(subscribe({ log, topics: [topic], follow: false }), 1),
    error => isUmbusError(error, 'UMBUS_UMS_INVALID') && error.message.includes(`${topic}/0@0`),
  );
});

test('refuses a topic that is not there, and a group with an end', async () => {
  await using log = await openLog(1);
  await assert.rejects(take(subscribe({ log, topics: ['nothing'] }), 1), error =>
    isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC'),
  );
  await assert.rejects(take(subscribe({ log, topics: [topic], group, follow: false }), 1), error =>
    isUmbusError(error, 'UMBUS_USAGE'),
  );
});
