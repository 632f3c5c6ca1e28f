import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../../src/adapters/memory/index.ts';
import { FREE, PullCells, type PullRecord } from '../../../src/adapters/pull/pull-cells.ts';
import type { PullJob } from '../../../src/change/pull-job.ts';
import { absentWorkers } from '../../../src/cli/pull/absent-workers.ts';
import { followPulls } from '../../../src/cli/pull/follow-pulls.ts';
import { PullRates, progressText, pullsText } from '../../../src/cli/pull/pull-text.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const START = 1_767_631_816_000;
const ESCAPE = '\u001b';

function jobOf(pull: string): PullJob {
  const shape = {
    condition: null,
    splitBy: [],
    columns: [],
    mode: 'watermark',
    to: null,
    shardRows: 100_000,
  } as const;
  return { pull, schema: 'shop', table: pull, ...shape, askedMs: START };
}

const record = (changed: Partial<PullRecord> = {}): PullRecord => ({
  job: jobOf('orders'),
  status: 'pulling',
  batchId: 1,
  rowsEstimate: 4_000_000,
  shards: 40,
  startedMs: START,
  endedMs: null,
  rows: null,
  failure: null,
  ...changed,
});

test('the list of pulls says what people want of each, and how those ended that are over', () => {
  const lineOf = (some: Partial<PullRecord>, control: Partial<typeof FREE> = {}): string => {
    const shown = { record: record(some), counts: null, burden: null, control: { ...FREE, ...control } };
    return pullsText([shown], START).split('\n')[1] ?? '';
  };
  assert.match(lineOf({}), /^orders +shop\.orders +pulling +1 +0\/40 +0 +2026-01-05T16:50:16$/);
  assert.match(lineOf({}, { state: 'pause' }), / paused /);
  assert.match(lineOf({}, { state: 'cancel' }), / cancelling /);
  assert.match(lineOf({ status: 'init' }), / waiting /);
  assert.match(
    lineOf({}, { rowsPerSecond: 20_000, concurrency: 2 }),
    / at most 20,000 rows\/s, 2 shards at a time of each process$/,
  );
  assert.match(lineOf({ status: 'ending', rows: 5 }, { state: 'pause' }), / whole +1 +40\/40 +5 /);
  const failure = { code: 'UMBUS_PULL_CHANGED', message: 'No.' };
  assert.match(lineOf({ status: 'abort', failure }), / aborted .* UMBUS_PULL_CHANGED$/);
  const waiting = { record: record({ status: 'init', startedMs: null }), counts: null, burden: null };
  assert.equal(progressText(waiting, 0, START), 'shop.orders  waits for the line');
  const paused = { ...waiting, control: { ...FREE, state: 'pause' } as const };
  assert.equal(progressText(paused, 0, START), 'shop.orders  paused');
});

test('a pull that nobody is there to do says so, unless it is paused', async () => {
  const clause = (...ids: readonly string[]) =>
    absentWorkers({ members: async () => ids.map(id => ({ id, info: {} })) }, 'shop');
  assert.equal(await clause('shop/a/puller', 'shop/b/splitter'), null);
  const lacks = await clause('shop/b/splitter', 'other/a/puller');
  assert.equal(lacks, 'no live process runs the puller');
  assert.equal(await clause(), 'no live process runs the splitter or the puller');
  const shown = { record: record(), counts: null, burden: null, lacks };
  assert.match(progressText(shown, 0, START), / waits: no live process runs the puller$/);
  assert.doesNotMatch(progressText({ ...shown, control: { ...FREE, state: 'pause' } }, 0, START), /waits/);
  const asked = { ...shown, record: record({ status: 'init', startedMs: null }) };
  assert.equal(
    progressText(asked, 0, START),
    'shop.orders  waits for the line: no live process runs the puller',
  );
});

test('the line of a pull says how far it is, how fast of late, what the source has to do, and why it waits', () => {
  const rates = new PullRates();
  const at = (seconds: number, rows: number) => ({
    record: record(),
    counts: { rows, done: 10, atMs: START + seconds * 1000 },
    burden: {
      threadsRunning: 7,
      replicationLagMs: 3000,
      lineLagMs: 200,
      waits: null,
      atMs: START + seconds * 1000,
    },
  });
  assert.equal(rates.of(at(10, 100_000)), 10_000);
  // It has become faster, and what was before does not count for long.
  for (let second = 11; second <= 30; second++) rates.of(at(second, 100_000 + (second - 10) * 50_000));
  const pull = at(31, 1_150_000);
  assert.equal(rates.of(pull), 50_000);
  const line =
    'shop.orders  pulling  10 of 40 shards  1,150,000 rows  50,000 rows/s  about 57 s left  source: 7 threads, 3 s behind';
  assert.equal(progressText(pull, 50_000, START + 32_000), line);
  const waiting = { ...pull, burden: { ...pull.burden, lineLagMs: 70_000, waits: 'the line is 70 s late' } };
  assert.equal(
    progressText(waiting, 50_000, START + 32_000),
    `${line}  line: 70 s late  waits: the line is 70 s late`,
  );
  // What nobody has said for long may not be so any more.
  assert.doesNotMatch(progressText(waiting, 50_000, START + 60_000), /waits|source/);
});

/** What a command writes while a pull goes on and ends. */
async function followed(columns: number | null): Promise<{ text: string; whole: boolean }> {
  const clock = new VirtualClock(START);
  const cells = new PullCells(createMemoryCoordination({ clock }).open(), 'shop');
  const jobs = [jobOf('orders'), jobOf('items')];
  for (const job of jobs) await cells.change(job, record({ job }));
  let text = '';
  const written = async (more: string): Promise<void> => {
    text += more;
  };
  const terminal: Terminal = {
    environment: {},
    columns,
    rows: columns === null ? null : 24,
    write: written,
    report: written,
    tell: () => {},
    ask: async () => null,
    paint: (_, painted) => painted,
    protect: () => {},
    stopping: new AbortController().signal,
  };
  const following = followPulls({ cells, absent: async () => null }, jobs, clock, terminal);
  let over = false;
  void following.finally(() => {
    over = true;
  });
  for (let looks = 0; !over; looks++) {
    assert.ok(looks < 200, 'it ends');
    for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
    if (looks === 10) {
      const pull = record({ job: jobOf('orders') });
      cells.note(pull, { rows: 1_000_000, done: 10, atMs: clock.now() });
    }
    if (looks === 20) {
      const end = { endedMs: clock.now(), rows: 4_000_000, status: 'ending' } as const;
      await cells.change(jobOf('orders'), end);
      await cells.change(jobOf('items'), {
        ...end,
        status: 'abort',
        failure: { code: 'UMBUS_X', message: 'No.' },
      });
    }
    clock.moveTo(clock.now() + 500);
  }
  return { text, whole: await following };
}

test('on a terminal the lines of pulls are drawn again in place, and no line wraps', async () => {
  const { text, whole } = await followed(60);
  assert.equal(whole, false);
  assert.ok(text.includes(`${ESCAPE}[2A${ESCAPE}[J`), 'it draws over both lines');
  assert.match(text, /━━━━━╌+ 25 % +shop\.orders {2}pulling/);
  const open = text.split('\n').filter(line => line.includes('╌'));
  assert.ok(open.length > 10);
  assert.ok(open.every(line => line.slice(line.lastIndexOf('[J') + 2).length < 60));
  const last = text.slice(text.lastIndexOf(`${ESCAPE}[J`) + 3);
  assert.equal(
    last,
    'shop.orders  whole  40 of 40 shards  4,000,000 rows  400,000 rows/s\nshop.items  aborted: UMBUS_X: No.\n',
  );
});

test('where there is no terminal, new lines tell what has changed, without control characters', async () => {
  const { text } = await followed(null);
  assert.ok(!text.includes(ESCAPE));
  const lines = text.trimEnd().split('\n');
  assert.ok(lines.length >= 5 && lines.length <= 8, text);
  assert.match(text, /shop\.orders {2}pulling {2}10 of 40 shards {2}1,000,000 rows/);
  assert.deepEqual(
    lines.slice(-2).map(line => line.split('  ')[1]),
    ['whole', 'aborted: UMBUS_X: No.'],
  );
});
