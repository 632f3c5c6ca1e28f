import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMemoryCoordination, createMemoryLog } from '../../../src/adapters/memory/index.ts';
import { PullCells } from '../../../src/adapters/pull/pull-cells.ts';
import { PullWorker, type PullWorkerOptions } from '../../../src/adapters/pull/pull-worker.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import type { PullAnswer, PullSignal } from '../../../src/change/pull-signal.ts';
import { UmbusError } from '../../../src/core/errors.ts';
import { RowCopier } from '../../../src/stages/copy-rows.ts';
import { zoneOf } from '../../../src/ums/zone.ts';
import { pulledSource, pulledTable, pullJob, shardTask } from '../../support/pull-jobs.ts';
import { until } from '../../support/until.ts';

const job = pullJob();
const shardOf = (shard: number) => shardTask({ shard });
const { signal } = new AbortController();

/** A worker whose source has a table of so many rows, each a page; `written` has the watermarks that it took, and `refuses` says which fail. */
async function open(rows = 0) {
  const log = createMemoryLog({ clock: systemClock });
  const shape = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
  const answers = { name: 'web_pull', ...shape };
  await log.ensureTopics([answers, { ...shape, name: 'web.shop' }]);
  const cells = new PullCells(createMemoryCoordination({ clock: systemClock }).open(), 'web');
  const written: PullSignal[] = [];
  let refusal: UmbusError | null = null;
  const table = pulledTable({
    read: async () => {
      let left = rows;
      return {
        page: async () => (left-- > 0 ? { events: Buffer.alloc(1), rows: 1, last: [String(left)] } : null),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  });
  const options: PullWorkerOptions = {
    log,
    clock: systemClock,
    source: pulledSource(table, async signal => {
      if (refusal !== null) throw refusal;
      written.push(signal);
    }),
    cells,
    answers,
    target: () => ({ topic: 'web.shop', partition: 0 }),
    encode: () => Buffer.alloc(0),
    member: 'm',
    stopping: new AbortController().signal,
    concurrency: 2,
    turnMs: 100,
    load: {
      read: async () => ({ threadsRunning: null, replicationLagMs: null }),
      [Symbol.asyncDispose]: async () => {},
    },
    backOff: { threadsRunning: null, replicationLagMs: null, lineLagMs: null },
    copies: {
      copier: new RowCopier({
        ds: 'web',
        maxRows: 500,
        maxBytes: 1_048_576,
        zone: zoneOf('UTC'),
        logical: (_, name) => name,
      }),
      masks: () => Promise.reject(new Error('No row is copied.')),
      topicOf: name => ({ name, ...shape }),
    },
  };
  const worker = new PullWorker(options);
  const writer = await log.openWriter('appender');
  return {
    worker,
    cells,
    written,
    kinds: () => written.map(({ kind, pull }) => `${kind} ${pull}`),
    refuse: (error: UmbusError | null) => {
      refusal = error;
    },
    answer: async (answer: PullAnswer) => {
      const value = Buffer.from(JSON.stringify(answer), 'utf8');
      await writer.append([
        { topic: answers.name, partition: 0, key: null, value, timestampMs: 0, headers: {} },
      ]);
    },
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

test('the appender hears once that a pull was cancelled, and its other shards go without a watermark', async () => {
  await using world = await open();
  const { worker, cells, kinds } = world;
  await cells.change(job, { status: 'pulling' });
  await cells.setControl('p', { state: 'cancel' });
  for (let shard = 0; shard < 20; shard += 1) {
    assert.deepEqual(await worker.pull(shardOf(shard), signal), { shards: [], split: null });
  }
  assert.deepEqual(kinds(), ['cancel p']);
  assert.equal((await cells.record('p'))?.failure?.code, 'UMBUS_PULL_CANCELLED');
});

test('a cancelled pull is over only when the appender can hear of it, however long the source is away', async () => {
  await using world = await open();
  const { worker, cells, kinds, refuse } = world;
  await cells.change(job, { status: 'pulling' });
  await cells.setControl('p', { state: 'cancel' });
  refuse(new UmbusError('UMBUS_SOURCE_UNREACHABLE', 'Away.'));
  const pulling = worker.pull(shardOf(0), signal);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal((await cells.record('p'))?.status, 'pulling');
  refuse(null);
  await pulling;
  assert.deepEqual(kinds(), ['cancel p']);
  assert.equal((await cells.record('p'))?.status, 'abort');
});

test('a shard is given back at once when its partition is to move, also one that waits for its turn', async () => {
  await using world = await open();
  const { worker, kinds } = world;
  const leaving = new AbortController();
  const steps = [0, 1, 2, 3].map(shard => worker.pull(shardOf(shard), signal, leaving.signal));
  await until('two windows', () => kinds().length === 2);
  leaving.abort();
  const given = (await Promise.all(steps)).flatMap(({ shards }) => shards.map(({ shard }) => shard));
  assert.deepEqual(given, [0, 1, 2, 3]);
  assert.deepEqual(kinds(), ['low p', 'low p'], 'no other is begun');
});

test('a pull whose end the source did not take is ended by the next one of the table', async () => {
  await using world = await open();
  const { worker, cells, kinds, answer } = world;
  await cells.change({ ...job, pull: 'before' }, { status: 'abort' });
  const splitting = worker.split({ ...job, kind: 'split', after: null, cutBy: null, shard: 0 }, signal);
  await until('the begin', () => kinds().length === 1);
  const failure = { code: 'UMBUS_PULL_RUNNING', message: 'It is being pulled already.' } as const;
  await answer({ pull: 'p', schema: 'shop', table: 't', kind: 'aborted', failure });
  await until('another begin', () => kinds().length === 3);
  await answer({ pull: 'p', schema: 'shop', table: 't', kind: 'begun', batchId: 2 });
  assert.equal((await splitting).shards.length, 1);
  assert.deepEqual(kinds(), ['begin p', 'cancel before', 'begin p']);
  const { status, batchId } = (await cells.record('p')) ?? assert.fail();
  assert.deepEqual([status, batchId], ['pulling', 2]);
});

test('two processes of one name, such as those of a container that began again, call no two windows alike', async () => {
  const tokens: string[] = [];
  for (let life = 0; life < 2; life++) {
    await using world = await open();
    const { worker, cells, written } = world;
    await cells.change(job, { status: 'pulling' });
    const ending = new AbortController();
    const pulling = worker.pull(shardOf(0), ending.signal);
    await until('a window', () => written.length === 1);
    ending.abort(new Error('ended'));
    await assert.rejects(pulling, /ended/);
    for (const signal of written) if ('token' in signal) tokens.push(signal.token);
  }
  assert.equal(tokens.length, 2);
  assert.notEqual(tokens[0], tokens[1]);
});

test('a shard of a pull that is held to a rate has its turn, and then lets others pass', async () => {
  await using world = await open(1_000);
  const { worker, cells, kinds, written, answer } = world;
  await cells.setControl('p', { rowsPerSecond: 50 });
  const pulling = worker.pull(shardOf(0), signal);
  const place = { pull: 'p', schema: 'shop', table: 't', shard: 0 };
  for (const kind of ['low', 'high'] as const) {
    await until(kind, () => kinds().at(-1) === `${kind} p`);
    const mark = written.at(-1);
    const token = mark !== undefined && 'token' in mark ? mark.token : '';
    await answer(kind === 'low' ? { ...place, kind, token, next: null } : { ...place, kind, token });
  }
  const { shards } = await pulling;
  assert.deepEqual(
    shards.map(({ shard }) => shard),
    [0],
  );
  assert.deepEqual(kinds(), ['low p', 'high p'], 'its window is left, and no other is opened');
});
