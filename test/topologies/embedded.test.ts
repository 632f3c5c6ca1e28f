import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type EmbeddedLog, openEmbeddedLog, startTopology, systemClock, utf8 } from '../../src/index.ts';
import { restoreStore } from '../../src/runtime/restore.ts';
import { until } from '../support/until.ts';
import { lander, NumberServer, runs } from './numbered-source.ts';
import { countStore, counts, wordCount } from './word-count.ts';

async function directory(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-topology-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const open = (dir: string): Promise<EmbeddedLog> =>
  openEmbeddedLog({ dir, mode: 'owner', maxBytes: 64 * 1024 * 1024, clock: systemClock });

async function send(log: EmbeddedLog, text: readonly string[]): Promise<void> {
  await using writer = await log.openWriter('test');
  await writer.append(
    text.map((line, index) => ({
      topic: 'lines',
      partition: index % 3,
      key: utf8.encode(line),
      value: utf8.encode(line),
      timestampMs: 0,
      headers: {},
    })),
  );
}

async function countsIn(log: EmbeddedLog): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let partition = 0; partition < 3; partition += 1) {
    const topic = 'umbus.x.word-count-counts-changelog';
    const places = [{ topic: 'words', partition }];
    const [offset] = await log.committed('umbus.x.word-count.words-read', places);
    const committed = new Map([['words', offset?.offset ?? 0n]]);
    const store = await restoreStore(
      log,
      countStore,
      { topic, partition },
      committed,
      new AbortController().signal,
    );
    for (const [key, value] of store.entries()) found[key] = value;
  }
  return found;
}

test('counts on the embedded log, stops, and goes on from the directory', async t => {
  const dir = await directory(t);
  const start = (log: EmbeddedLog) =>
    startTopology(wordCount, {}, { log, clock: systemClock, instance: 'x' });
  {
    await using log = await open(dir);
    const running = start(log);
    await until('it runs', () => running.snapshot().tasks.length === 6);
    await send(log, ['a b', 'b c', 'c d']);
    await until(
      'all is counted',
      async () => (await countsIn(log))['d'] === 1 && (await countsIn(log))['c'] === 2,
    );
    await running.stop();
    await running.done;
  }
  await using log = await open(dir);
  const running = start(log);
  await until('it runs', () => running.snapshot().tasks.length === 6);
  await send(log, ['a', 'd', 'd']);
  const expected = { a: 2, b: 2, c: 2, d: 3 };
  await until(
    'all is counted',
    async () =>
      JSON.stringify(Object.entries(await countsIn(log)).toSorted()) ===
      JSON.stringify(Object.entries(expected)),
  );
  await running.stop();
  let written = 0;
  for (let partition = 0; partition < counts.partitions; partition += 1) {
    written += Number(await log.offset({ topic: 'counts', partition }, 'latest'));
  }
  assert.equal(written, 9, 'one output a word');
});

test('lands an external source on the embedded log and goes on after its tail', async t => {
  const dir = await directory(t);
  const server = new NumberServer();
  for (const round of [1, 2]) {
    await using log = await open(dir);
    const running = startTopology(lander, { server, size: 7 }, { log, clock: systemClock, instance: 'x' });
    server.grow(50);
    await until(`round ${round} is landed`, () => {
      const seq = running.snapshot().externals[0]?.seq ?? '';
      return Number.parseInt(seq.slice(-8), 16) === 50 * round;
    });
    await running.stop();
    await running.done;
  }
  await using log = await open(dir);
  const signal = new AbortController().signal;
  const place = { topic: 'runs', partition: 0, offset: 0n };
  const batch = await log.read(place, { maxBytes: 1_000_000, maxWaitMs: 0 }, signal);
  const values = batch.records.flatMap(({ value }) => runs.value.decode(value ?? new Uint8Array()).values);
  assert.deepEqual(
    values,
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  assert.deepEqual(server.opened, [1, 51]);
});

test('a record on an idle line comes out at once', async t => {
  const dir = await directory(t);
  await using log = await open(dir);
  const running = startTopology(wordCount, {}, { log, clock: systemClock, instance: 'x' });
  await until('it runs', () => running.snapshot().tasks.length === 6);
  const waits: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const before = running.snapshot().counts.commits;
    const startedMs = systemClock.now();
    await send(log, [`word${round}`]);
    await until('both hops are committed', () => running.snapshot().counts.commits >= before + 2);
    waits.push(systemClock.now() - startedMs);
  }
  await running.stop();
  const median = waits.toSorted((a, b) => a - b)[5] ?? Number.POSITIVE_INFINITY;
  assert.ok(median < 200, `the median of two hops is ${median} ms`);
  assert.equal(running.snapshot().counts.restarts, 0);
});
