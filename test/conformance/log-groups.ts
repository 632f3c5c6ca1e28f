import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import { until } from '../support/until.ts';
import type { LogTraits } from './log.ts';
import { append, forever, join, type OpenFixture, readAll, record, topic, values } from './log-fixture.ts';

const fenced = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_FENCED');
const offsetOf = (partition: number, offset: bigint, name = 'in') => ({
  topic: name,
  partition,
  offset,
  metadata: '',
});

/** Consumer groups. */
export function describeGroups(open: OpenFixture, traits: LogTraits): void {
  describe('groups', () => {
    test('gives one member everything, from offset 0, at most one batch a partition', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in', 3), topic('also', 3)]);
      for (const partition of [0, 1, 2]) {
        await append(
          fixture.log,
          record('in', `in${partition}`, { partition }),
          record('also', `also${partition}`, { partition }),
        );
      }
      await using member = await join(fixture.log, 'g', ['in', 'also'], 'm');
      const seen: (string | null)[] = [];
      while (seen.length < 6) {
        const batches = await member.poll();
        const places = batches.map(batch => `${batch.topic}/${batch.partition}`);
        assert.equal(new Set(places).size, places.length);
        for (const batch of batches) seen.push(...values(batch.records));
      }
      assert.deepEqual(seen.sort(), ['also0', 'also1', 'also2', 'in0', 'in1', 'in2']);
      assert.equal(member.events.length, 1);
    });

    test('keeps the order of a partition over small polls and starves none', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in', 2)]);
      const sent = Array.from({ length: 20 }, (_, index) => `${index} ${'.'.repeat(100)}`);
      for (const partition of [0, 1]) {
        await append(fixture.log, ...sent.map(value => record('in', value, { partition })));
      }
      await using member = await join(fixture.log, 'g', ['in'], 'm');
      const seen = new Map<number, (string | null)[]>([
        [0, []],
        [1, []],
      ]);
      for (let polls = 0; [...seen.values()].some(each => each.length < sent.length); polls++) {
        assert.ok(polls < 200, 'a partition starves');
        for (const batch of await member.poll(1_000, 150))
          seen.get(batch.partition)?.push(...values(batch.records));
      }
      assert.deepEqual(seen.get(0), sent);
      assert.deepEqual(seen.get(1), sent);
    });

    test('wakes a waiting poll by an append, an abort and its deadline', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in')]);
      await using member = await join(fixture.log, 'g', ['in'], 'm');
      await member.settle(1);
      const polling = member.poll(60_000);
      await append(fixture.log, record('in', 'x'));
      assert.deepEqual(
        (await polling).flatMap(batch => values(batch.records)),
        ['x'],
      );
      assert.deepEqual(await member.poll(10), []);
      const abort = new AbortController();
      const aborted = member.membership.poll({ maxBytes: 100, maxWaitMs: 60_000 }, abort.signal);
      abort.abort();
      assert.deepEqual(await aborted, []);
    });

    test('pauses, resumes and seeks', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in', 2)]);
      for (const partition of [0, 1]) {
        await append(
          fixture.log,
          record('in', `a${partition}`, { partition }),
          record('in', `b${partition}`, { partition }),
        );
      }
      await using member = await join(fixture.log, 'g', ['in'], 'm');
      /** Polls until so many records are there, and once more: nothing else comes. */
      const drain = async (count: number) => {
        const seen: (string | null)[] = [];
        for (let idle = false; seen.length < count || !idle; ) {
          const batches = await member.poll(seen.length < count ? 2_000 : 20);
          assert.ok(batches.length > 0 || seen.length >= count, 'nothing comes');
          idle = batches.length === 0;
          for (const batch of batches) seen.push(...values(batch.records));
        }
        return seen.sort();
      };
      await member.settle(2);
      assert.deepEqual(await drain(4), ['a0', 'a1', 'b0', 'b1']);
      member.membership.pause([{ topic: 'in', partition: 0 }]);
      member.membership.seek({ topic: 'in', partition: 0 }, 1n);
      member.membership.seek({ topic: 'in', partition: 1 }, 0n);
      assert.deepEqual(await drain(2), ['a1', 'b1']);
      member.membership.resume([{ topic: 'in', partition: 0 }]);
      assert.deepEqual(await drain(1), ['b0']);
      assert.throws(() => member.membership.seek({ topic: 'in', partition: 2 }, 0n), fenced);
    });

    test('shares partition numbers equally, the same ones of every topic', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in', 5), topic('also', 5)]);
      await using one = await join(fixture.log, 'g', ['in', 'also'], 'one');
      await one.settle(5);
      await using two = await join(fixture.log, 'g', ['in', 'also'], 'two');
      await Promise.all([one.settle(3), two.settle(2)]);
      assert.deepEqual([...one.owned, ...two.owned].sort(), [0, 1, 2, 3, 4]);
      for (const event of [...one.events, ...two.events]) {
        const names = event.split(' ').slice(1);
        const numbers = (name: string) =>
          names.filter(each => each.startsWith(`${name}/`)).map(each => each.split('/')[1]);
        assert.deepEqual(numbers('in'), numbers('also'));
      }
      await two[Symbol.asyncDispose]();
      await one.settle(5);
    });

    test('hands over at once when a member leaves, after what it still had in flight', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('in'), topic('out')]);
      await append(log, record('in', '1'), record('in', '2'));
      const one = await join(log, 'g', ['in'], 'one');
      assert.equal((await one.poll()).length, 1);
      await using two = await join(log, 'g', ['in'], 'two');
      const committing = one.membership.commit({ outputs: [record('out', 'A')], offsets: [offsetOf(0, 1n)] });
      await one[Symbol.asyncDispose]();
      const batches = await two.poll();
      assert.deepEqual(
        batches.flatMap(batch => values(batch.records)),
        ['2'],
      );
      await committing;
      await assert.rejects(one.poll(), error => isUmbusError(error, 'UMBUS_LOG_CLOSED'));
      await assert.rejects(one.membership.commit({ outputs: [], offsets: [] }));
    });

    test('hands partitions over only after revoking has ended and its commit is durable', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('in', 2)]);
      for (const partition of [0, 1])
        await append(log, record('in', '1', { partition }), record('in', '2', { partition }));
      const order: string[] = [];
      await using one = await join(log, 'g', ['in'], 'one', async partitions => {
        order.push('revoking begins');
        await new Promise(resolve => setImmediate(resolve));
        const offsets = partitions.map(({ partition }) => offsetOf(partition, 1n));
        await one.membership.commit({ outputs: [], offsets });
        order.push('revoking ends');
      });
      await one.settle(2);
      await using two = await join(log, 'g', ['in'], 'two');
      const first = (async () => {
        for (;;) {
          const batches = await two.poll(50);
          if (batches.length > 0) {
            order.push('two reads');
            return batches;
          }
        }
      })();
      await one.settle(1);
      const batches = await first;
      assert.deepEqual(order, ['revoking begins', 'revoking ends', 'two reads']);
      assert.deepEqual(
        batches.flatMap(batch => values(batch.records)),
        ['2'],
        'the next owner starts where the last one committed',
      );
      assert.equal(two.events[0]?.startsWith('assigned'), true);
    });

    test('tells a member that does not poll, since it works, that partitions are to move', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('in', 2)]);
      await using one = await join(log, 'g', ['in'], 'one');
      await one.settle(2);
      assert.equal(one.moving(), 0);
      await using two = await join(log, 'g', ['in'], 'two');
      await until('one was told', () => one.moving() > 0, 5_000);
      await Promise.all([one.settle(1), two.settle(1)]);
      assert.equal(one.events.filter(event => event.startsWith('lost')).length, 0);
      assert.equal(two.moving(), 0);
    });

    test('refuses commits for partitions that have moved or were never owned', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('in', 2), topic('out')]);
      await using one = await join(log, 'g', ['in'], 'one');
      await one.settle(2);
      await using two = await join(log, 'g', ['in'], 'two');
      await Promise.all([one.settle(1), two.settle(1)]);
      const [moved] = [...two.owned];
      assert.ok(moved !== undefined);
      const stale = { outputs: [record('out', 'stale')], offsets: [offsetOf(moved, 1n)] };
      await assert.rejects(one.membership.commit(stale), fenced);
      await assert.rejects(one.membership.commit({ outputs: [record('out', 'later')], offsets: [] }));
      assert.deepEqual(await readAll(log, { topic: 'out', partition: 0 }), []);
      await two.membership.commit({ outputs: [record('out', 'good')], offsets: [offsetOf(moved, 1n)] });
      assert.deepEqual(values(await readAll(log, { topic: 'out', partition: 0 })), ['good']);
    });

    test('applies pipelined commits in call order while polling goes on', async () => {
      await using fixture = await open();
      const { log } = fixture;
      await log.ensureTopics([topic('in'), topic('out')]);
      const count = 100;
      await append(log, ...Array.from({ length: count }, (_, index) => record('in', String(index))));
      await using member = await join(log, 'g', ['in'], 'm');
      const inFlight: Promise<void>[] = [];
      let seen = 0n;
      while (seen < BigInt(count)) {
        for (const batch of await member.poll(1_000, 4)) {
          seen = batch.nextOffset;
          const outputs = values(batch.records).map(value => record('out', value));
          inFlight.push(member.membership.commit({ outputs, offsets: [offsetOf(0, seen)] }));
        }
      }
      await Promise.all(inFlight);
      assert.deepEqual(
        values(await readAll(log, { topic: 'out', partition: 0 })),
        Array.from({ length: count }, (_, index) => String(index)),
      );
      assert.equal((await log.committed('g', [{ topic: 'in', partition: 0 }]))[0]?.offset, seen);
    });

    test('keeps groups apart', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in')]);
      await append(fixture.log, record('in', 'x'));
      await using one = await join(fixture.log, 'g1', ['in'], 'm');
      await using two = await join(fixture.log, 'g2', ['in'], 'm');
      for (const member of [one, two]) {
        assert.deepEqual(
          (await member.poll()).flatMap(batch => values(batch.records)),
          ['x'],
        );
      }
    });

    test('refuses topics with different numbers of partitions, and unknown ones', async () => {
      await using fixture = await open();
      await fixture.log.ensureTopics([topic('in', 2), topic('odd', 3)]);
      await assert.rejects(join(fixture.log, 'g', ['in', 'odd'], 'm'), error =>
        isUmbusError(error, 'UMBUS_LOG_TOPIC_MISMATCH'),
      );
      await assert.rejects(join(fixture.log, 'g', ['in', 'none'], 'm'), error =>
        isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC'),
      );
    });

    test('survives members that come and go: every record is processed once, in order', async () => {
      await using fixture = await open();
      const { log } = fixture;
      const partitions = 6;
      const perPartition = 60;
      await log.ensureTopics([topic('in', partitions), topic('out', partitions)]);
      for (let partition = 0; partition < partitions; partition++) {
        await append(
          log,
          ...Array.from({ length: perPartition }, (_, at) => record('in', String(at), { partition })),
        );
      }
      const done = async () => {
        const places = Array.from({ length: partitions }, (_, partition) => ({ topic: 'in', partition }));
        const committed = await log.committed('g', places);
        return committed.every(each => each !== null && each.offset >= BigInt(perPartition));
      };
      const work = async (name: string, polls: number) => {
        await using member = await join(log, 'g', ['in'], name);
        for (let turn = 0; turn < polls && !(await done()); turn++) {
          for (const batch of await member.membership.poll({ maxBytes: 3, maxWaitMs: 5 }, forever)) {
            const { partition } = batch;
            const outputs = values(batch.records).map(value => record('out', value, { partition }));
            await member.membership.commit({ outputs, offsets: [offsetOf(partition, batch.nextOffset)] });
          }
        }
      };
      for (let round = 0; !(await done()); round++) {
        assert.ok(round < 50, 'no end');
        await Promise.all([work(`a${round}`, 9), work(`b${round}`, 17), work(`c${round}`, 5)]);
      }
      for (let partition = 0; partition < partitions; partition++) {
        assert.deepEqual(
          values(await readAll(log, { topic: 'out', partition })),
          Array.from({ length: perPartition }, (_, index) => String(index)),
        );
      }
    });

    test('ends a waiting poll when the log is closed', async () => {
      const fixture = await open();
      await fixture.log.ensureTopics([topic('in')]);
      const member = await join(fixture.log, 'g', ['in'], 'm');
      await member.settle(1);
      const outcome = assert.rejects(member.poll(60_000), error => isUmbusError(error, 'UMBUS_LOG_CLOSED'));
      await fixture[Symbol.asyncDispose]();
      await outcome;
    });

    if (traits.expels) expulsion(open);
  });
}

function expulsion(open: OpenFixture): void {
  test('expels a member that does not give back in time, and fences it', async () => {
    await using fixture = await open();
    const { log } = fixture;
    await log.ensureTopics([topic('in', 2)]);
    const one = await join(log, 'g', ['in'], 'one');
    await one.settle(2);
    await using two = await join(log, 'g', ['in'], 'two');
    await two.settle(2);
    await assert.rejects(one.membership.commit({ outputs: [], offsets: [offsetOf(0, 1n)] }), fenced);
    await one.poll(1);
    await until('one was told', () => one.events.includes('lost in/0 in/1'), 1_000);
    await one[Symbol.asyncDispose]();
  });
}
