import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import { append, forever, join, type OpenFixture, readAll, record, topic, values } from './log-fixture.ts';

const at = { topic: 'a', partition: 0 };
const fenced = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_FENCED');

/** Topics, writers and what a commit makes durable. */
export function describeWriting(open: OpenFixture): void {
  describe('writing', () => {
    test('makes topics once, follows newer retention and refuses another number of partitions', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('b', 3), topic('a', 1)]);
      await log.ensureTopics([topic('a', 1, { retentionMs: 5_000 })]);
      const described = await log.topics();
      assert.deepEqual(
        described.map(({ name, partitions, retentionMs }) => [name, partitions, retentionMs]),
        [
          ['a', 1, 5_000],
          ['b', 3, null],
        ],
      );
      assert.equal(described[1]?.extents.length, 3);
      await assert.rejects(log.ensureTopics([topic('b', 2)]), error =>
        isUmbusError(error, 'UMBUS_LOG_TOPIC_MISMATCH'),
      );
      await assert.rejects(log.ensureTopics([topic('c', 0)]), error =>
        isUmbusError(error, 'UMBUS_LOG_TOPIC_MISMATCH'),
      );
    });

    test('copies bytes before it gives its promise', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await using writer = await fixture.log.openWriter('w');
      const value = Buffer.from('before');
      const header = Buffer.from('before');
      const appended = writer.append([{ ...record('a', null), value, headers: { h: header } }]);
      value.fill('x');
      header.fill('x');
      await appended;
      const [read] = await readAll(fixture.log, at);
      assert.equal(Buffer.from(read?.value ?? []).toString(), 'before');
      assert.equal(Buffer.from(read?.headers['h'] ?? []).toString(), 'before');
    });

    test('applies appends in call order without waiting for each other', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await using writer = await fixture.log.openWriter('w');
      await Promise.all(
        Array.from({ length: 200 }, (_, index) => writer.append([record('a', String(index))])),
      );
      assert.deepEqual(
        values(await readAll(fixture.log, at)),
        Array.from({ length: 200 }, (_, index) => String(index)),
      );
    });

    test('writes to many partitions and topics in one append', async () => {
      await using fixture = await open();
      const names = Array.from({ length: 120 }, (_, index) => `topic-${index}`);
      await fixture.log.ensureTopics(names.map(name => topic(name, 4)));
      await append(
        fixture.log,
        ...names.flatMap(name =>
          [0, 1, 2, 3].map(partition => record(name, `${name}/${partition}`, { partition })),
        ),
      );
      for (const name of names) {
        for (const partition of [0, 1, 2, 3]) {
          const [only] = await readAll(fixture.log, { topic: name, partition });
          assert.equal(Buffer.from(only?.value ?? []).toString(), `${name}/${partition}`);
        }
      }
      assert.equal((await fixture.log.topics()).length, 120);
    });

    test('takes a record of 20 MB among small ones', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      const large = Buffer.alloc(20 * 1_048_576);
      for (let index = 0; index < large.length; index += 4)
        large.writeUInt32LE((index * 2_654_435_761) >>> 0, index);
      await append(
        fixture.log,
        record('a', 'before'),
        { ...record('a', null), value: large },
        record('a', 'after'),
      );
      const { records } = await fixture.log.read(
        { ...at, offset: 1n },
        { maxBytes: 10, maxWaitMs: 0 },
        forever,
      );
      assert.equal(records.length, 1);
      assert.ok(large.equals(records[0]?.value ?? Buffer.alloc(0)));
      assert.deepEqual(values(await readAll(fixture.log, at, 2n)), ['after']);
    });

    test('writes nothing of an append with an unknown topic or partition', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      const unknown = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC');
      await assert.rejects(append(fixture.log, record('a', 'x'), record('b', 'x')), unknown);
      await assert.rejects(
        append(fixture.log, record('a', 'x'), record('a', 'x', { partition: 1 })),
        unknown,
      );
      assert.deepEqual(await readAll(fixture.log, at), []);
    });

    test('fences an older writer of the same id, and leaves others alone', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await using older = await fixture.log.openWriter('w');
      await using other = await fixture.log.openWriter('v');
      const early = older.append([record('a', 'early')]).then(
        () => ['early'],
        () => [],
      );
      await using newer = await fixture.log.openWriter('w');
      const tail = values(await fixture.log.tail(at, 1));
      await assert.rejects(older.append([record('a', 'late')]), fenced);
      await newer.append([record('a', 'new')]);
      await other.append([record('a', 'other')]);
      const accepted = await early;
      assert.deepEqual(
        tail,
        accepted,
        'what the older one had in flight is settled when the newer one is open',
      );
      assert.deepEqual(values(await readAll(fixture.log, at)), [...accepted, 'new', 'other']);
    });

    test('refuses all appends of a writer after one has failed, also those already called', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('a')]);
      await using writer = await fixture.log.openWriter('w');
      const outcomes = await Promise.allSettled([
        writer.append([record('a', 'one')]),
        writer.append([record('nowhere', 'two')]),
        writer.append([record('a', 'three')]),
      ]);
      assert.equal(outcomes[1]?.status, 'rejected');
      assert.equal(outcomes[2]?.status, 'rejected');
      await assert.rejects(writer.append([record('a', 'four')]));
      const written = values(await readAll(fixture.log, at));
      assert.ok(!written.includes('three') && !written.includes('four'), written.join());
    });

    test('makes outputs and offsets durable together', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('in'), topic('out')]);
      await append(log, record('in', '1'), record('in', '2'));
      assert.deepEqual(await log.committed('g', [{ topic: 'in', partition: 0 }]), [null]);
      {
        await using member = await join(log, 'g', ['in'], 'm');
        await member.settle(1);
        const metadata = `{"mark":"${'é☂'.repeat(1_000)}"}`;
        await member.membership.commit({
          outputs: [record('out', 'A'), record('out', 'B')],
          offsets: [{ topic: 'in', partition: 0, offset: 1n, metadata }],
        });
        assert.deepEqual(await log.committed('g', [{ topic: 'in', partition: 0 }]), [
          { topic: 'in', partition: 0, offset: 1n, metadata },
        ]);
        await assert.rejects(
          member.membership.commit({
            outputs: [record('out', 'C'), record('nowhere', 'D')],
            offsets: [{ topic: 'in', partition: 0, offset: 2n, metadata: '' }],
          }),
        );
        await assert.rejects(
          member.membership.commit({ outputs: [record('out', 'E')], offsets: [] }),
          'after a failed commit, later ones fail too',
        );
      }
      assert.equal((await log.committed('g', [{ topic: 'in', partition: 0 }]))[0]?.offset, 1n);
      assert.deepEqual(values(await readAll(log, { topic: 'out', partition: 0 })), ['A', 'B']);
      assert.deepEqual(await log.groups(), ['g']);
      await using again = await join(log, 'g', ['in'], 'm2');
      const batches = await again.poll();
      assert.deepEqual(
        batches.flatMap(batch => values(batch.records)),
        ['2'],
      );
    });

    test('refuses offset metadata of more than 4,000 characters', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in')]);
      await using member = await join(fixture.log, 'g', ['in'], 'm');
      await member.settle(1);
      await assert.rejects(
        member.membership.commit({
          outputs: [],
          offsets: [{ topic: 'in', partition: 0, offset: 0n, metadata: 'x'.repeat(4_001) }],
        }),
        error => isUmbusError(error, 'UMBUS_LOG_RECORD_SIZE'),
      );
    });
  });
}
