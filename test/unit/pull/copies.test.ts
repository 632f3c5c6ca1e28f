/** Shards of independent pulls that are copied by processes which die, are paused, or are given up for dead: no row comes twice. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMemoryCoordination, createMemoryLog } from '../../../src/adapters/memory/index.ts';
import { AnswerBoard } from '../../../src/adapters/pull/answer-board.ts';
import { beginCopy, type CopyTools, copyShard, endCopyIfWhole } from '../../../src/adapters/pull/copies.ts';
import { PullCells } from '../../../src/adapters/pull/pull-cells.ts';
import { UNCUT } from '../../../src/adapters/pull/pull-shard.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import type { ShardTask } from '../../../src/change/pull-job.ts';
import { pageTable } from '../../../src/change/pull-page.ts';
import type { PullAnswer } from '../../../src/change/pull-signal.ts';
import { readUms } from '../../../src/consumer/index.ts';
import { NO_MASKS } from '../../../src/masking/mask-spec.ts';
import type { PullSource } from '../../../src/ports/pull-source.ts';
import { RowCopier } from '../../../src/stages/copy-rows.ts';
import { OWN_NAME } from '../../../src/ums/namespace.ts';
import { zoneOf } from '../../../src/ums/zone.ts';
import { disposable, pulledSource, pulledTable, pullJob, shardTask } from '../../support/pull-jobs.ts';
import { image, le } from '../rows/rows-fixture.ts';

const job = pullJob({ mode: 'independent', to: 'copies', shardRows: 3 });
const CUT = 'by id';
const shards = [
  { after: null, upTo: ['3'] },
  { after: ['3'], upTo: null },
].map((range, shard) => shardTask({ ...job, ...range, shard, cutBy: CUT }));
const [first, last] = [shards[0] ?? assert.fail(), shards[1] ?? assert.fail()];
/** The rows of a table without a key. */
const whole = shardTask({ ...job, cutBy: UNCUT, keyed: false });
const ROWS = 5;
const at = { epoch: 1, fileNumber: 1, position: 4, seconds: 0, micros: 0 };
const column = { name: 'id', type: ColumnType.LONG, meta: 0, nullable: false, unsigned: false } as const;
const unsaid = { collation: null, labels: null, geometryType: null, visible: true } as const;
const { signal } = new AbortController();

/** A source whose table has rows 1 to {@link ROWS}, a page each, and an appender that says at once where it stands. */
function sourceOf(cutBy: string, tell: (answer: PullAnswer) => Promise<void>): PullSource {
  const columns = [{ ...column, ...unsaid }];
  const table = pulledTable({
    cutBy,
    keyed: cutBy !== UNCUT,
    page: pageTable('shop', 't', { columns, primaryKey: cutBy === UNCUT ? [] : [0] }),
    read: async ({ after, upTo }) => {
      let id = Number(after?.[0] ?? 0);
      const end = Number(upTo?.[0] ?? ROWS);
      return {
        page: async () => {
          if (id === end) return null;
          const events = image(le(++id, 4));
          return { events, rows: 1, last: cutBy === UNCUT ? [] : [String(id)] };
        },
        ...disposable,
      };
    },
  });
  return pulledSource(table, async ({ pull, schema, table: name, ...more }) => {
    const { token } = more as { readonly token: string }; // copies ask for places alone
    const place = { at, version: 0, innerVersion: 0, batchId: 0 };
    await tell({ pull, schema, table: name, kind: 'placed', token, place });
  });
}

async function open(cutBy: string) {
  const log = createMemoryLog({ clock: systemClock });
  const shape = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
  await log.ensureTopics([{ name: 'web_pull', ...shape }]);
  const board = await AnswerBoard.open(log, 'web_pull', systemClock);
  const writer = await log.openWriter('appender');
  const cells = new PullCells(createMemoryCoordination({ clock: systemClock }).open(), 'web');
  let tokens = 0;
  const tools: CopyTools = {
    log,
    clock: systemClock,
    source: sourceOf(cutBy, async answer => {
      const value = Buffer.from(JSON.stringify(answer), 'utf8');
      await writer.append([
        { topic: 'web_pull', partition: 0, key: null, value, timestampMs: 0, headers: {} },
      ]);
    }),
    cells,
    board,
    copier: new RowCopier({
      ds: 'web',
      maxRows: 9,
      maxBytes: 1 << 20,
      zone: zoneOf('UTC'),
      logical: OWN_NAME,
    }),
    masks: async () => NO_MASKS,
    topicOf: name => ({ name, ...shape }),
    newToken: () => `c${++tokens}`,
    pageBytes: 1,
    pace: async () => true,
  };
  await cells.change(job, { status: 'pulling' });
  await beginCopy(job, tools, writer, signal);
  return {
    tools,
    cells,
    /** What the topic has: ids of rows, and what is said of batches. */
    story: () =>
      log.records({ topic: 'copies', partition: 0 }).flatMap(({ value }): unknown[] => {
        const { schema, payload } = readUms(value ?? Buffer.alloc(0));
        return schema.batch === undefined ? payload.map(({ tuple }) => tuple[4]) : [schema.batch.state];
      }),
    /** Copies a shard, and says that the pull has ended if it has. */
    copy: async (task: ShardTask, own = tools) => {
      if (!(await copyShard(task, own, signal))) return false;
      await endCopyIfWhole(job, task.shard, own, writer, signal);
      return true;
    },
    async [Symbol.asyncDispose]() {
      await board[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

/** Lets so many pages through, and then does something else. */
function after(pages: number, then: () => Promise<boolean>): CopyTools['pace'] {
  let count = 0;
  return async () => (count++ < pages ? true : await then());
}

test('a shard goes on behind the last page that its topic has, whether who copied it died or was paused', async () => {
  await using world = await open(CUT);
  const { tools, copy, story } = world;
  const dies = after(1, async () => assert.fail('killed'));
  await assert.rejects(copy(first, { ...tools, pace: dies }), /killed/);
  assert.equal(await copy(last, { ...tools, pace: after(1, async () => false) }), false);
  assert.deepEqual(story(), ['begin', 1, 4]);
  assert.equal(await copy(first), true);
  assert.equal(await copy(last), true);
  // A shard that is taken again was whole.
  assert.equal(await copy(first), true);
  assert.deepEqual(story(), ['begin', 1, 4, 2, 3, 5, 'end']);
  const { status, rows, shards: number } = (await world.cells.record('p')) ?? assert.fail();
  assert.deepEqual([status, rows, number], ['ending', 5, 2]);
});

test('one that was given up for dead writes no page more, and waits for the shard to be whole', async () => {
  await using world = await open(CUT);
  const { tools, copy, story } = world;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stuck = Promise.withResolvers<void>();
  const pace = after(1, () => {
    stuck.resolve();
    return promise;
  });
  const dead = copy(first, { ...tools, pace });
  await stuck.promise;
  assert.equal(await copy(first), true);
  resolve(true);
  assert.equal(await dead, true);
  assert.deepEqual(story(), ['begin', 1, 2, 3]);
});

test('rows that are in no order begin anew, behind an end of those before', async () => {
  await using world = await open(UNCUT);
  const { tools, copy, story } = world;
  const dies = after(2, async () => assert.fail('killed'));
  await assert.rejects(copy(whole, { ...tools, pace: dies }), /killed/);
  assert.equal(await copy(whole), true);
  assert.deepEqual(story(), ['begin', 1, 2, 'abort', 'begin', 1, 2, 3, 4, 5, 'end']);
});

test('of several that copy the last shards at once, one says that the pull has ended; when it died before, it says so later', async () => {
  await using world = await open(CUT);
  const { tools, copy, story, cells } = world;
  await Promise.all([copy(first), copy(last)]);
  assert.deepEqual(
    story().filter(each => each === 'end'),
    ['end'],
  );
  await cells.change(job, { status: 'pulling' });
  await cells.copies.copied('p', 0, 3, false);
  await cells.copies.copied('p', 1, 2, true);
  assert.equal(await cells.copies.ends('p', 1), true, 'it was to say so');
  await copy(first, tools);
  assert.equal(story().filter(each => each === 'end').length, 1, 'no other does');
  await copy(last, tools);
  assert.equal(story().filter(each => each === 'end').length, 2);
});
