import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import type { LogTraits } from './log.ts';
import {
  append,
  everything,
  forever,
  join,
  type OpenFixture,
  readAll,
  record,
  topic,
  values,
} from './log-fixture.ts';

const at = { topic: 'a', partition: 0 };
const gone = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE');

/** What outlives the log, and what it lets go. */
export function describeStorage(open: OpenFixture, traits: LogTraits): void {
  if (traits.reopens) describeReopening(open, traits);
  if (traits.maintains) describeMaintenance(open);
}

function describeReopening(open: OpenFixture, traits: LogTraits): void {
  describe('reopening', () => {
    test('keeps topics, records, offsets and groups', async () => {
      await using fixture = await open();
      assert.ok(fixture.reopen);
      await fixture.log.ensureTopics([
        topic('a', 2, { retentionMs: 1e13, retentionBytes: 1e12 }),
        topic('b'),
      ]);
      await append(
        fixture.log,
        record('a', '1', { key: 'k', headers: { h: Buffer.from('v') } }),
        record('a', null),
      );
      {
        await using member = await join(fixture.log, 'g', ['a'], 'm');
        await member.settle(2);
        const offsets = [{ ...at, offset: 1n, metadata: 'é' }];
        await member.membership.commit({ outputs: [record('b', 'out')], offsets });
      }
      const before = await fixture.log.topics();
      const again = await fixture.reopen();
      assert.deepEqual(await again.topics(), before);
      assert.deepEqual(values(await readAll(again, at)), ['1', null]);
      assert.equal(Buffer.from((await readAll(again, at))[0]?.headers['h'] ?? []).toString(), 'v');
      assert.deepEqual(await again.committed('g', [at]), [{ ...at, offset: 1n, metadata: 'é' }]);
      assert.deepEqual(await again.groups(), ['g']);
      await append(again, record('a', '3'));
      assert.deepEqual(values(await again.tail(at, 1)), ['3']);
      assert.equal(await again.offset(at, 'latest'), traits.markers === true ? 5n : 3n);
      await again.ensureTopics([topic('c')]);
      await append(again, record('c', 'new topic'));
      assert.deepEqual(values(await readAll(again, at)), ['1', null, '3']);
    });
  });
}

function describeMaintenance(open: OpenFixture): void {
  describe('retention and compaction', () => {
    test('drops old records, and says that their offsets are gone', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('a', 1, { retentionMs: 3_600_000 })]);
      for (const value of ['1', '2', '3']) await append(log, record('a', value, { timestampMs: 1_000 }));
      await append(log, record('a', '4', { timestampMs: Date.now() }));
      await using member = await join(log, 'g', ['a'], 'm');
      await fixture.maintain?.();
      assert.equal(await log.offset(at, 'earliest'), 3n);
      await assert.rejects(log.read({ ...at, offset: 2n }, everything, forever), gone);
      await assert.rejects(member.poll(), gone, 'a group without a committed offset starts at 0');
      assert.deepEqual(values(await readAll(log, at, 3n)), ['4']);
    });

    test('drops what is more than the wanted size, from the front', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('a', 1, { retentionBytes: 10_000 })]);
      for (let index = 0; index < 20; index++) await append(log, record('a', String(index).padEnd(1_000)));
      await fixture.maintain?.();
      const [extent] = (await log.topics())[0]?.extents ?? [];
      assert.ok(extent?.bytes != null && extent.bytes >= 10_000 && extent.bytes < 12_500, `${extent?.bytes}`);
      assert.ok(extent.earliest >= 8n && extent.earliest <= 11n, `${extent.earliest}`);
      assert.equal(extent.latest, 20n);
    });

    test('keeps the newest record, however old', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('a', 1, { retentionMs: 1, retentionBytes: 1 })]);
      await append(log, record('a', 'x', { timestampMs: 1 }));
      await append(log, record('a', 'y', { timestampMs: 1 }));
      await fixture.maintain?.();
      assert.deepEqual(values(await log.tail(at, 5)), ['y']);
      assert.equal(await log.offset(at, 'earliest'), 1n);
    });

    test('compacts to the newest record of each key, in place, with gaps in the offsets', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('a', 1, { cleanup: 'compact' })]);
      const now = Date.now();
      for (let round = 0; round < 5; round++) {
        for (const key of ['x', 'y', 'z'])
          await append(log, record('a', `${key}${round}`, { key, timestampMs: now }));
      }
      await append(
        log,
        record('a', null, { key: 'x', timestampMs: now }),
        record('a', 'no key', { timestampMs: now }),
      );
      await append(
        log,
        record('a', null, { key: 'z', timestampMs: 1 }),
        record('a', 'last', { key: 'w', timestampMs: now }),
      );
      await append(log, record('a', 'newest', { key: 'v', timestampMs: now }));
      await fixture.maintain?.();
      const records = await readAll(log, at);
      assert.deepEqual(
        records.map(({ offset, value }) => [offset, value === null ? null : Buffer.from(value).toString()]),
        [
          [13n, 'y4'],
          [15n, null],
          [16n, 'no key'],
          [18n, 'last'],
          [19n, 'newest'],
        ],
      );
      assert.equal(await log.offset(at, 'earliest'), 0n);
      const inGap = await log.read({ ...at, offset: 14n }, { maxBytes: 1, maxWaitMs: 0 }, forever);
      assert.deepEqual([inGap.records[0]?.offset, inGap.nextOffset], [15n, 16n]);
      await append(log, record('a', 'more', { key: 'y', timestampMs: now }));
      assert.equal(await log.offset(at, 'latest'), 21n);
      await using member = await join(log, 'g', ['a'], 'm');
      const seen: (string | null)[] = [];
      while (seen.length < 6)
        for (const batch of await member.poll(2_000, 1)) seen.push(...values(batch.records));
      assert.deepEqual(seen, ['y4', null, 'no key', 'last', 'newest', 'more']);
    });

    test('compacts again and again while records come', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('a', 1, { cleanup: 'compact' })]);
      const newest = new Map<string, string>();
      for (let round = 0; round < 12; round++) {
        const batch = Array.from({ length: 40 }, (_, index) => {
          const key = `k${(index * 7 + round * 3) % 25}`;
          const value = `${key}@${round}.${index} ${'.'.repeat(500)}`;
          newest.set(key, value);
          return record('a', value, { key, timestampMs: Date.now() });
        });
        await append(log, ...batch);
        await append(log, record('a', 'end', { key: 'end', timestampMs: Date.now() }));
        newest.set('end', 'end');
        await fixture.maintain?.();
      }
      const rebuilt = new Map<string, string>();
      const records = await readAll(log, at);
      for (const { key, value } of records)
        rebuilt.set(String(Buffer.from(key ?? [])), String(Buffer.from(value ?? [])));
      assert.deepEqual(rebuilt, newest);
      assert.ok(records.length < 150, `${records.length} of 492 are left`);
      const offsets = records.map(({ offset }) => offset);
      assert.deepEqual(
        offsets,
        [...offsets].sort((one, other) => Number(one - other)),
      );
    });
  });
}
