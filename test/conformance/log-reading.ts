import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import type { LogTraits } from './log.ts';
import {
  append,
  everything,
  forever,
  type OpenFixture,
  readAll,
  record,
  topic,
  values,
} from './log-fixture.ts';

const at = { topic: 'a', partition: 0 };

/** Reading without a group. */
export function describeReading(open: OpenFixture, traits: LogTraits): void {
  /** Offsets without a record after each append. */
  const gap = traits.markers === true ? 1 : 0;
  describe('reading', () => {
    test('gives records in the order they were appended, with consecutive offsets', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      for (let turn = 0; turn < 5; turn++) {
        await append(fixture.log, ...[0, 1, 2].map(each => record('a', `${turn}.${each}`)));
      }
      const records = await readAll(fixture.log, at);
      assert.deepEqual(
        values(records),
        [0, 1, 2, 3, 4].flatMap(turn => [0, 1, 2].map(each => `${turn}.${each}`)),
      );
      assert.deepEqual(
        records.map(({ offset }) => offset),
        records.map((_, index) => BigInt(index + gap * Math.floor(index / 3))),
      );
    });

    test('keeps null, empty and binary keys, values and headers apart', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      const bytes = Buffer.from([0, 255, 128, 10, 13, 0]);
      const headers = { empty: Buffer.alloc(0), binary: bytes, 'naïve ☂': Buffer.from('x') };
      const sent = [
        { ...at, key: null, value: null, timestampMs: 0, headers: {} },
        { ...at, key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs: 1, headers },
        {
          ...at,
          key: bytes,
          value: null,
          timestampMs: 1_700_000_000_123,
          headers: { empty: Buffer.alloc(0) },
        },
        { ...at, key: null, value: bytes, timestampMs: 2, headers: {} },
      ];
      await append(fixture.log, ...sent);
      const read = await readAll(fixture.log, at);
      const plain = (bytesOrNull: Uint8Array | null) => (bytesOrNull === null ? null : [...bytesOrNull]);
      assert.deepEqual(
        read.map(each => ({
          key: plain(each.key),
          value: plain(each.value),
          timestampMs: each.timestampMs,
          headers: Object.entries(each.headers).map(([name, value]) => [name, [...value]]),
        })),
        sent.map(each => ({
          key: plain(each.key),
          value: plain(each.value),
          timestampMs: each.timestampMs,
          headers: Object.entries(each.headers).map(([name, value]) => [name, [...value]]),
        })),
      );
    });

    test('gives about maxBytes, one record at least, and says where to go on', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await append(
        fixture.log,
        ...Array.from({ length: 10 }, (_, index) => record('a', String(index).repeat(1_000))),
      );
      const few = await fixture.log.read({ ...at, offset: 2n }, { maxBytes: 3_500, maxWaitMs: 0 }, forever);
      assert.ok(few.records.length >= 2 && few.records.length <= 5, `${few.records.length} records`);
      assert.equal(few.records[0]?.offset, 2n);
      assert.equal(few.nextOffset, 2n + BigInt(few.records.length));
      assert.equal(few.endOffset, 10n + BigInt(gap));
      const one = await fixture.log.read({ ...at, offset: 9n }, { maxBytes: 1, maxWaitMs: 0 }, forever);
      assert.deepEqual(values(one.records), ['9'.repeat(1_000)]);
    });

    test('waits for the first record and gives it as soon as it is there', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      const reading = fixture.log.read(
        { ...at, offset: 0n },
        { maxBytes: 1_000, maxWaitMs: 60_000 },
        forever,
      );
      await append(fixture.log, record('a', 'first'));
      assert.deepEqual(values((await reading).records), ['first']);
    });

    test('gives an empty batch after maxWaitMs, and at once when aborted', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await append(fixture.log, record('a', 'x'));
      const end = 1n + BigInt(gap);
      const waited = await fixture.log.read(
        { ...at, offset: end },
        { maxBytes: 1_000, maxWaitMs: 10 },
        forever,
      );
      assert.deepEqual([waited.records.length, waited.nextOffset, waited.endOffset], [0, end, end]);
      const abort = new AbortController();
      const reading = fixture.log.read(
        { ...at, offset: end },
        { maxBytes: 1_000, maxWaitMs: 60_000 },
        abort.signal,
      );
      abort.abort();
      assert.equal((await reading).records.length, 0);
    });

    test('finds the tail and offsets by time', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      assert.deepEqual(await fixture.log.tail(at, 3), []);
      assert.equal(await fixture.log.offset(at, { timestampMs: 0 }), 0n);
      for (const time of [100, 300, 200, 500]) {
        await append(fixture.log, record('a', String(time), { timestampMs: time }));
      }
      assert.deepEqual(values(await fixture.log.tail(at, 2)), ['200', '500']);
      assert.deepEqual(values(await fixture.log.tail(at, 9)), ['100', '300', '200', '500']);
      assert.equal(await fixture.log.offset(at, 'earliest'), 0n);
      const nth = (appends: number) => BigInt(appends * (1 + gap));
      assert.equal(await fixture.log.offset(at, 'latest'), nth(4));
      for (const [time, appends] of [
        [0, 0],
        [100, 0],
        [101, 1],
        [301, 3],
        [501, 4],
      ] as const) {
        assert.equal(await fixture.log.offset(at, { timestampMs: time }), nth(appends), `at ${time}`);
      }
    });

    test('keeps what was read unchanged while more is written and read', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await append(fixture.log, record('a', 'held '.repeat(5_000), { key: 'k' }));
      const { records } = await fixture.log.read({ ...at, offset: 0n }, everything, forever);
      for (let turn = 0; turn < 20; turn++) await append(fixture.log, record('a', 'other'.repeat(20_000)));
      await readAll(fixture.log, at);
      assert.equal(values(records)[0], 'held '.repeat(5_000));
    });

    test('names what does not exist', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      const unknown = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC');
      await assert.rejects(
        fixture.log.read({ topic: 'b', partition: 0, offset: 0n }, everything, forever),
        unknown,
      );
      await assert.rejects(
        fixture.log.read({ topic: 'a', partition: 1, offset: 0n }, everything, forever),
        unknown,
      );
      await assert.rejects(fixture.log.offset({ topic: 'b', partition: 0 }, 'latest'), unknown);
      await assert.rejects(fixture.log.tail({ topic: 'a', partition: 7 }, 1), unknown);
    });

    test('ends a wait when the log is closed', async () => {
      const fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      const reading = fixture.log.read(
        { ...at, offset: 0n },
        { maxBytes: 1_000, maxWaitMs: 60_000 },
        forever,
      );
      const outcome = assert.rejects(reading, error => isUmbusError(error, 'UMBUS_LOG_CLOSED'));
      await fixture[Symbol.asyncDispose]();
      await outcome;
      await assert.rejects(fixture.log.topics(), error => isUmbusError(error, 'UMBUS_LOG_CLOSED'));
    });
  });
}
