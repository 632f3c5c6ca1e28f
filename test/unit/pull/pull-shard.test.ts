import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMemoryLog, type MemoryFaults } from '../../../src/adapters/memory/index.ts';
import { AnswerBoard } from '../../../src/adapters/pull/answer-board.ts';
import { pullShard, type ShardOutcome, type ShardTools } from '../../../src/adapters/pull/pull-shard.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { pageHead } from '../../../src/change/pull-page.ts';
import type { PullAnswer, PullSignal } from '../../../src/change/pull-signal.ts';
import { decodeRawRun, encodeRawRun } from '../../../src/change/raw-run.ts';
import { UmbusError } from '../../../src/core/errors.ts';
import type { PullRows, PullSource } from '../../../src/ports/pull-source.ts';
import { disposable, pulledSource, pulledTable, shardTask } from '../../support/pull-jobs.ts';
import { until } from '../../support/until.ts';

const AHEAD = 8;
const place = { pull: 'p', schema: 'shop', table: 't' };
const pages = { topic: 'web.shop', partition: 0 };
const task = shardTask();

/** A table of so many pages of one row, whose image is the number of the page. */
function sourceOf(count: number, signals: PullSignal[]): PullSource {
  const read = async (): Promise<PullRows> => {
    let number = 0;
    return {
      page: async () => {
        if (number === count) return null;
        const events = Buffer.of(number++);
        return { events, rows: 1, last: [String(number)] };
      },
      ...disposable,
    };
  };
  return pulledSource(pulledTable({ read }), async signal => {
    signals.push(signal);
  });
}

/** A shard that is read; `answer` plays the appender. */
async function reading(
  count: number,
  faults: MemoryFaults,
  run: (world: {
    readonly done: Promise<ShardOutcome>;
    readonly written: () => number[];
    readonly heads: () => ReturnType<typeof pageHead>[];
    readonly answer: (kind: 'page' | 'whole') => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const log = createMemoryLog({ faults, clock: systemClock });
  const shape = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
  await log.ensureTopics([
    { name: pages.topic, ...shape },
    { name: 'web_pull', ...shape },
  ]);
  const board = await AnswerBoard.open(log, 'web_pull', systemClock);
  await using writer = await log.openWriter('w');
  await using appender = await log.openWriter('appender');
  const signals: PullSignal[] = [];
  const tell = async (answer: PullAnswer): Promise<void> => {
    const value = Buffer.from(JSON.stringify(answer), 'utf8');
    await appender.append([
      { topic: 'web_pull', partition: 0, key: null, value, timestampMs: 0, headers: {} },
    ]);
  };
  const tools: ShardTools = {
    source: sourceOf(count, signals),
    board,
    clock: systemClock,
    target: pages,
    writer,
    encode: encodeRawRun,
    newToken: () => 'w1',
    pageBytes: 1,
    ahead: () => 8,
    pace: async () => true,
    passing: answer => answer,
  };
  const done = pullShard(task, tools, new AbortController().signal);
  done.catch(() => {});
  await until('the low watermark', () => signals.length === 1);
  await tell({ ...place, kind: 'low', token: 'w1', shard: 0, next: null });
  await until('the high watermark', () => signals.length === 2);
  await tell({ ...place, kind: 'high', token: 'w1', shard: 0 });
  const records = () => log.records(pages);
  await run({
    done,
    written: () => records().map(({ value }) => decodeRawRun(value ?? Buffer.alloc(0)).events[0] ?? -1),
    heads: () => records().map(({ headers }) => pageHead(headers)),
    answer: kind =>
      tell({ ...place, kind: 'page', token: 'w1', shard: 0, rows: 1, done: 0, whole: kind === 'whole' }),
  });
  await board[Symbol.asyncDispose]();
}

test('a shard is written ahead of the answers to its pages, by so many and in order, and ends with a page without rows', () =>
  reading(AHEAD + 3, {}, async ({ done, written, heads, answer }) => {
    for (let answered = 0; answered <= 3; answered++) {
      await until('pages ahead', () => written().length >= AHEAD + 1 + answered);
      await new Promise(resolve => setImmediate(resolve));
      assert.deepEqual(
        written(),
        Array.from({ length: AHEAD + 1 + answered }, (_, i) => (i === AHEAD + 3 ? -1 : i)),
      );
      await answer('page');
    }
    assert.deepEqual(
      heads().map(({ page, rows, next }) => [page, rows, next]),
      Array.from({ length: AHEAD + 4 }, (_, i) => (i === AHEAD + 3 ? [i, 0, null] : [i, 1, `["${i + 1}"]`])),
    );
    for (let i = 0; i < AHEAD - 1; i++) await answer('page');
    await answer('whole');
    assert.deepEqual(await done, { kind: 'whole' });
  }));

test('a page that cannot be written ends the reading of its shard with that error, not the wait for an answer', () => {
  let commits = 0;
  const faults: MemoryFaults = {
    onCommit: (stage, { origin }) => {
      const own = origin.kind === 'writer' && origin.id === 'w' && stage === 'before';
      if (own && ++commits === 3) throw new UmbusError('UMBUS_LOG_FULL', 'The log is full.');
    },
  };
  return reading(AHEAD + 3, faults, async ({ done, written }) => {
    await assert.rejects(done, /UMBUS_LOG_FULL|The log is full/);
    assert.deepEqual(written(), [0, 1]);
  });
});
