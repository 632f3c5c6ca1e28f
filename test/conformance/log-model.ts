import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogTraits } from './log.ts';
import { forever, join, type OpenFixture, record, type TestMember, topic, values } from './log-fixture.ts';

type Step =
  | { readonly kind: 'append'; readonly partition: number; readonly sizes: readonly number[] }
  | { readonly kind: 'commit'; readonly sizes: readonly number[]; readonly bad: boolean }
  | { readonly kind: 'read'; readonly partition: number; readonly from: number; readonly maxBytes: number }
  | { readonly kind: 'tail'; readonly partition: number; readonly count: number }
  | { readonly kind: 'rejoin' }
  | { readonly kind: 'reopen' };

const PARTITIONS = 3;
const sizes = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 6 });
const partition = fc.nat({ max: PARTITIONS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), partition, sizes }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), sizes, bad: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      partition,
      from: fc.nat({ max: 40 }),
      maxBytes: fc.nat({ max: 9_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tail' as const), partition, count: fc.nat({ max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'rejoin' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/** Random calls against a log and against arrays give the same. A failure prints the seed and the shortest calls that show it. */
export function describeModel(open: OpenFixture, traits: LogTraits): void {
  test('behaves as arrays do under random calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
        await using fixture = await open();
        await using run = await start(fixture.log, fixture.reopen, traits.markers === true ? 1 : 0);
        for (const each of steps) {
          if (each.kind === 'reopen' && !traits.reopens) continue;
          await run.take(each);
        }
        await run.compare();
      }),
      { numRuns: traits.remote === true ? 6 : 40, endOnFailure: traits.remote === true },
    );
  });
}

interface ModelPartition {
  readonly records: { readonly offset: number; readonly value: string }[];
  /** The next offset. */
  end: number;
}

function emptyPartition(): ModelPartition {
  return { records: [], end: 0 };
}

async function start(
  first: import('../../src/ports/log.ts').Log,
  reopen: (() => Promise<typeof first>) | undefined,
  gap: number,
) {
  let log = first;
  await log.ensureTopics([topic('in', PARTITIONS), topic('out')]);
  const model = { in: Array.from({ length: PARTITIONS }, emptyPartition), out: [] as string[] };
  let committed: bigint | null = null;
  let count = 0;
  let member: TestMember = await join(log, 'g', ['in'], 'm');
  const make = (size: number) => `${count++}:${'x'.repeat(size)}`;
  const rejoin = async () => {
    await member[Symbol.asyncDispose]();
    member = await join(log, 'g', ['in'], 'm');
  };
  const steps = {
    async append({ partition: to, sizes: each }: Step & { kind: 'append' }) {
      const sent = each.map(make);
      await using writer = await log.openWriter('w');
      await writer.append(sent.map(value => record('in', value, { partition: to })));
      const into = model.in[to];
      if (into === undefined || sent.length === 0) return;
      for (const value of sent) into.records.push({ offset: into.end++, value });
      into.end += gap;
    },
    async commit({ sizes: each, bad }: Step & { kind: 'commit' }) {
      await member.settle(PARTITIONS);
      const sent = each.map(make);
      const outputs = sent.map(value => record('out', value));
      // Beyond the end there is nothing to read: a log may take such an offset for lost records.
      const end = BigInt(model.in[0]?.end ?? 0);
      const next = (committed ?? 0n) + 1n;
      const offset = next < end ? next : end;
      const offsets = [{ topic: 'in', partition: 0, offset, metadata: `at ${offset}` }];
      const commit = { outputs: bad ? [...outputs, record('none', 'x')] : outputs, offsets };
      if (bad) {
        await assert.rejects(member.membership.commit(commit));
        await rejoin();
      } else {
        await member.membership.commit(commit);
        model.out.push(...sent);
        committed = offset;
      }
    },
    async read({ partition: from, from: offset, maxBytes }: Step & { kind: 'read' }) {
      const { records, end } = model.in[from] ?? emptyPartition();
      const start = Math.min(offset, end);
      const batch = await log.read(
        { topic: 'in', partition: from, offset: BigInt(start) },
        { maxBytes, maxWaitMs: 0 },
        forever,
      );
      const expected = records.filter(each => each.offset >= start);
      const read = expected.slice(0, batch.records.length);
      assert.deepEqual(
        batch.records.map(each => [each.offset, values([each])[0]]),
        read.map(each => [BigInt(each.offset), each.value]),
      );
      const after = (read.at(-1)?.offset ?? start - 1) + 1;
      const limit = expected[read.length]?.offset ?? end;
      assert.ok(batch.nextOffset >= after && batch.nextOffset <= limit, `${batch.nextOffset}`);
      assert.equal(batch.endOffset, BigInt(end));
      assert.ok(batch.nextOffset > start || start === end, 'it goes on');
    },
    async tail({ partition: of, count: wanted }: Step & { kind: 'tail' }) {
      const kept = (model.in[of]?.records ?? []).map(each => each.value);
      const expected = wanted === 0 ? [] : kept.slice(-wanted);
      assert.deepEqual(values(await log.tail({ topic: 'in', partition: of }, wanted)), expected);
    },
    rejoin,
    async reopen() {
      await member[Symbol.asyncDispose]();
      if (reopen !== undefined) log = await reopen();
      member = await join(log, 'g', ['in'], 'm');
    },
  };
  return {
    async take(each: Step): Promise<void> {
      switch (each.kind) {
        case 'append':
          return steps.append(each);
        case 'commit':
          return steps.commit(each);
        case 'read':
          return steps.read(each);
        case 'tail':
          return steps.tail(each);
        case 'rejoin':
          return steps.rejoin();
        case 'reopen':
          return steps.reopen();
      }
    },
    async compare(): Promise<void> {
      for (let at = 0; at < PARTITIONS; at++) {
        const stored = await log.tail({ topic: 'in', partition: at }, 10_000);
        assert.deepEqual(
          values(stored),
          model.in[at]?.records.map(each => each.value),
        );
      }
      assert.deepEqual(values(await log.tail({ topic: 'out', partition: 0 }, 10_000)), model.out);
      const [offset] = await log.committed('g', [{ topic: 'in', partition: 0 }]);
      assert.equal(offset?.offset ?? null, committed);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await member[Symbol.asyncDispose]();
    },
  };
}
