import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryCoordination } from '../../../src/adapters/memory/index.ts';
import { PullCells, type PullRecord } from '../../../src/adapters/pull/pull-cells.ts';
import type { PullJob } from '../../../src/change/pull-job.ts';
import { watchedPulls } from '../../../src/cli/pull/watched-pulls.ts';
import { noFaults, step } from '../../../src/telemetry/alarms/engine.ts';
import type {
  HeldSeen,
  LogSeen,
  Observation,
  TableBeats,
  WatchedPull,
} from '../../../src/telemetry/alarms/observation.ts';
import type { RuleSettings } from '../../../src/telemetry/alarms/rule-settings.ts';
import { judge, noMemory } from '../../../src/telemetry/alarms/rules.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { logSeen, OBSERVED_MS, sourceUp } from '../../support/observed-line.ts';
import { pullJob } from '../../support/pull-jobs.ts';

const NOW = OBSERVED_MS;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const settings: RuleSettings = {
  ds: 'shop',
  everyMs: 10_000,
  lateMs: () => MINUTE,
  purgeMs: 3_600_000,
  pullIdleMs: 10 * MINUTE,
  logPercent: 90,
  diskFreeBytes: 1_000,
};

function seen(
  pulls: Observation['pulls'],
  log: Partial<LogSeen> = {},
  some: Partial<Observation> = {},
): Observation {
  return {
    nowMs: NOW,
    source: sourceUp,
    log: logSeen(NOW, log),
    logProblem: null,
    running: new Set(['splitter', 'puller']),
    expected: [],
    pulls,
    refused: {},
    ...some,
  };
}

const faultsOf = (observation: Observation) => judge(observation, noMemory, new Set(), settings).faults;

const openPull = (some: Partial<Extract<WatchedPull, { kind: 'open' }>> = {}): WatchedPull => ({
  kind: 'open',
  pull: 'p1',
  table: 'store.orders',
  status: 'pulling',
  progressMs: NOW - 20 * MINUTE,
  meant: false,
  ...some,
});

describe('alarms of full pulls', () => {
  it('tell a pull that failed, with its name, table and code, and what to do', () => {
    const failed: WatchedPull = {
      kind: 'failed',
      pull: 'p1',
      table: 'store.orders',
      code: 'UMBUS_PULL_HELD',
      message: 'Too much waits.',
      endedMs: NOW - 5_000,
    };
    const [fault, ...rest] = faultsOf(seen([failed]));
    assert.deepEqual(rest, []);
    assert.deepEqual([fault?.id, fault?.where, fault?.subject], ['pull:p1', 'pull', 'store.orders']);
    assert.equal(fault?.title, 'The full pull of store.orders failed: UMBUS_PULL_HELD');
    assert.match(
      fault?.text ?? '',
      /^Too much waits\. What the pull p1 published stays right.*pull\.heldBytes/,
    );
    assert.deepEqual(fault?.details, { pull: 'p1', table: 'store.orders', code: 'UMBUS_PULL_HELD' });
  });

  it('tell of it once, however long it lasts, and once that it is over', () => {
    const failed = { kind: 'failed', pull: 'p1', table: 'store.orders', code: 'X', message: 'No.' } as const;
    const told: string[] = [];
    let state = noFaults;
    for (let nowMs = NOW; nowMs <= NOW + 3 * DAY; nowMs += 10 * MINUTE) {
      const pulls = nowMs < NOW + 2 * DAY ? [{ ...failed, endedMs: NOW }] : [];
      const result = step(state, faultsOf(seen(pulls, {}, { nowMs })), nowMs, {
        line: 'shop',
        clearMs: 30_000,
        repeatMs: 6 * 60 * MINUTE,
        silenced: () => false,
      });
      state = result.state;
      for (const alarm of result.alarms) told.push(`${alarm.state} ${alarm.id}`);
    }
    assert.deepEqual(told, ['raised shop:pull:p1', 'recovered shop:pull:p1']);
  });

  it('tell a pull that stands still, and who has to be started', () => {
    const [fault] = faultsOf(seen([openPull()]));
    assert.deepEqual([fault?.id, fault?.where], ['pull:still:p1', 'pull']);
    assert.match(fault?.text ?? '', /came for 20 min.*log lines of the processes that run the puller/);
    const nobody = faultsOf(seen([openPull()], {}, { running: new Set(['splitter']) }));
    assert.match(nobody[0]?.text ?? '', /No live process runs puller: start `umbus run` with it\./);
    const waiting = faultsOf(seen([openPull({ status: 'init' })], {}, { running: new Set() }));
    assert.match(
      waiting[0]?.text ?? '',
      /No live process runs splitter or puller: start `umbus run` with them\./,
    );
  });

  it('do not tell one that goes on, that is meant to stand, or whose cause is told', () => {
    assert.deepEqual(faultsOf(seen([openPull({ progressMs: NOW - 9 * MINUTE })])), []);
    assert.deepEqual(faultsOf(seen([openPull({ meant: true })])), []);
    assert.deepEqual(faultsOf(seen(null)), []);
    const away = { reachable: false, code: 'UMBUS_SOURCE_UNREACHABLE', message: 'Refused.' } as const;
    const landed = { file: 'binlog.000002', position: 500, capturedMs: NOW - 20 * MINUTE };
    const ids = faultsOf(seen([openPull()], { landed }, { source: away })).map(({ id }) => id);
    assert.deepEqual(ids, ['source']);
  });

  it('say of a late table that its pull holds it, and of one that is not held where its heartbeats stop', () => {
    const beats = (table: string): TableBeats => ({
      table,
      dispatchedMs: NOW,
      appendedMs: NOW - 20 * MINUTE,
      readMs: NOW - 20 * MINUTE,
      parked: false,
    });
    const heartbeat = {
      roundMs: NOW,
      gapMs: 5_000,
      trouble: null,
      tables: [beats('store.held'), beats('store.late')],
    };
    const hold: HeldSeen = {
      table: 'store.held',
      pull: 'p1',
      sinceMs: NOW - 20 * MINUTE,
      bytes: 3 * 1024 ** 2,
      mostBytes: 256 * 1024 ** 2,
    };
    const faults = faultsOf(seen([], { heartbeat, held: [hold] }));
    assert.deepEqual(
      faults.map(({ id, where, severity }) => [id, where, severity]),
      [
        ['held:store.held', 'pull', 'info'],
        ['late:appender:store', 'appender', 'warning'],
      ],
    );
    assert.match(
      faults[0]?.text ?? '',
      /wait for 20 min in the appender until the pull p1.*3 MB of at most 256 MB/,
    );
    assert.deepEqual(faults[1]?.details['table'], 'store.late');
    // Also a line without heartbeats hears that a pull is about to end.
    const [full] = faultsOf(seen([], { held: [{ ...hold, bytes: 0.9 * hold.mostBytes }] }));
    assert.deepEqual([full?.id, full?.severity], ['held:store.held', 'warning']);
    assert.match(full?.title ?? '', /has 90 % of what may wait/);
  });
});

const job = pullJob({ schema: 'store', table: 'orders', askedMs: NOW - 60 * MINUTE });

/** What is seen of these pulls, oldest first. */
async function watched(
  records: readonly (Partial<Omit<PullRecord, 'job'>> & { readonly job: Partial<PullJob> })[],
  more: (cells: PullCells) => Promise<void> = async () => {},
): Promise<readonly WatchedPull[]> {
  const clock = new VirtualClock(NOW);
  await using coordination = createMemoryCoordination({ clock }).open();
  const cells = new PullCells(coordination, 'shop');
  for (const [index, { job: some, ...record }] of records.entries())
    await cells.change({ ...job, ...some, askedMs: job.askedMs + index }, record);
  await more(cells);
  return await watchedPulls(cells, NOW);
}

const failure = (code: string) =>
  ({ failure: { code, message: 'No.' }, status: 'abort', endedMs: NOW }) as const;

describe('what alarms see of full pulls', () => {
  it('is the newest of each table that failed, but for those that somebody ended or that were refused', async () => {
    const names = async (records: Parameters<typeof watched>[0]) =>
      (await watched(records)).map(({ kind, pull }) => `${kind} ${pull}`);
    const failed = { job: { pull: 'failed' }, ...failure('UMBUS_PULL_CHANGED') };
    assert.deepEqual(await names([failed]), ['failed failed']);
    assert.deepEqual(await names([failed, { job: { pull: 'again' }, status: 'ending', endedMs: NOW }]), []);
    assert.deepEqual(await names([failed, { job: { pull: 'again' } }]), ['open again']);
    assert.deepEqual(await names([failed, { job: { pull: 'x' }, ...failure('UMBUS_PULL_RUNNING') }]), [
      'failed failed',
    ]);
    assert.deepEqual(await names([{ job: {}, ...failure('UMBUS_PULL_CANCELLED') }]), []);
    // Another table, and a copy elsewhere, are another matter.
    const others = [{ job: { pull: 'b', table: 'b' } }, { job: { pull: 'c', to: 'elsewhere' } }];
    assert.deepEqual(await names([failed, ...others]), ['open b', 'open c', 'failed failed']);
    assert.deepEqual(await names([{ ...failed, endedMs: NOW - 8 * DAY }]), []);
  });

  it('is whether one that is open is meant to stand still', async () => {
    const meant = async (more: (cells: PullCells) => Promise<void>, some: Partial<PullJob> = {}) =>
      (await watched([{ job: some }], more)).map(pull => pull.kind === 'open' && pull.meant);
    const busy =
      (waits: string | null, atMs = NOW) =>
      async (cells: PullCells) => {
        cells.noteBurden('p', { threadsRunning: 1, replicationLagMs: null, lineLagMs: 0, waits, atMs });
      };
    assert.deepEqual(await meant(async () => {}), [false]);
    assert.deepEqual(await meant(cells => cells.setControl('p', { state: 'pause' })), [true]);
    assert.deepEqual(await meant(busy('200 threads run')), [true]);
    assert.deepEqual(await meant(busy('200 threads run', NOW - MINUTE)), [false]);
    assert.deepEqual(await meant(busy(null)), [false]);
    const slow = async (cells: PullCells) => {
      await cells.setControl('p', { rowsPerSecond: 5 });
      await busy(null)(cells);
    };
    assert.deepEqual(await meant(slow), [true]);
    assert.deepEqual(await meant(busy(null), { mode: 'independent', to: 'elsewhere' }), [true]);
  });
});
