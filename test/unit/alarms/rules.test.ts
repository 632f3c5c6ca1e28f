import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matcher } from '../../../src/config/table-pattern.ts';
import type { Fault } from '../../../src/telemetry/alarms/fault.ts';
import { advance, behindMs, type Frontier, noFrontier } from '../../../src/telemetry/alarms/frontier.ts';
import type {
  GroupLag,
  LogSeen,
  Observation,
  SourceSeen,
} from '../../../src/telemetry/alarms/observation.ts';
import type { RuleSettings } from '../../../src/telemetry/alarms/rule-settings.ts';
import { judge, noMemory, type RuleMemory } from '../../../src/telemetry/alarms/rules.ts';
import { isSilenced } from '../../../src/telemetry/alarms/silence.ts';
import { inWindow, lateNow } from '../../../src/telemetry/alarms/thresholds.ts';
import { logSeen, OBSERVED_MS, sourceUp } from '../../support/observed-line.ts';

const NOW = OBSERVED_MS;
const LATE = 60_000;
const EXPECTED = ['mysql-extractor', 'dispatcher', 'appender'];

const settings: RuleSettings = {
  ds: 'shop',
  everyMs: 10_000,
  lateMs: subject => (subject === 'quiet' ? null : LATE),
  purgeMs: 3_600_000,
  pullIdleMs: 600_000,
  logPercent: 90,
  diskFreeBytes: 1_000,
};

const down: SourceSeen = { reachable: false, code: 'UMBUS_SOURCE_UNREACHABLE', message: 'Refused.' };

const logOf = (parts: Partial<LogSeen> = {}): LogSeen => logSeen(NOW - 600_000, parts);

function seen(parts: Partial<Observation> = {}): Observation {
  return {
    nowMs: NOW,
    source: sourceUp,
    log: logOf(),
    logProblem: null,
    running: new Set(EXPECTED),
    expected: EXPECTED,
    pulls: [],
    refused: {},
    ...parts,
  };
}

function faultsOf(observation: Observation, memory: RuleMemory = noMemory, active: readonly string[] = []) {
  return judge(observation, memory, new Set(active), settings).faults;
}

const ids = (faults: readonly Fault[]): readonly string[] => faults.map(({ id }) => id);

function lag(topology: string | null, topic: string, ageMs: number): GroupLag {
  const group = topology === null ? 'reports' : `umbus.shop.${topology}`;
  return { group, topology, topic, partition: 0, records: 4, oldestMs: NOW - ageMs };
}

describe('the rules of alarms', () => {
  it('find nothing where nothing is wrong, also on a source that is idle for an hour', () => {
    assert.deepEqual(faultsOf(seen()), []);
    assert.deepEqual(faultsOf(seen({ log: logOf({ landed: null }) })), []);
  });

  it('tell a source that does not answer, once it has lasted, and not the tables behind it', () => {
    const heartbeat = {
      roundMs: NOW - 90_000,
      gapMs: 5_000,
      trouble: { code: 'UMBUS_SOURCE_UNREACHABLE', message: 'Refused.', atMs: NOW - 90_000 },
      tables: [
        {
          table: 'store.a',
          dispatchedMs: NOW - 90_000,
          appendedMs: NOW - 90_000,
          readMs: NOW - 90_000,
          parked: false,
        },
      ],
    };
    const [fault, ...rest] = faultsOf(seen({ source: down, log: logOf({ heartbeat }) }));
    assert.deepEqual([fault?.id, fault?.where, fault?.holdMs, rest], ['source', 'source', LATE, []]);
  });

  it('do not tell a source that refuses questions while the extractor still gets changes', () => {
    const landed = { file: 'binlog.000002', position: 500, capturedMs: NOW - 5_000 };
    assert.deepEqual(faultsOf(seen({ source: down, log: logOf({ landed }) })), []);
  });

  it('tell a replica that is late as such', () => {
    for (const secondsBehind of [90, null]) {
      const [fault] = faultsOf(seen({ source: { ...sourceUp, replica: { secondsBehind } } }));
      assert.deepEqual([fault?.id, fault?.where], ['replica', 'replica']);
    }
    assert.deepEqual(faultsOf(seen({ source: { ...sourceUp, replica: { secondsBehind: 3 } } })), []);
  });

  it('tell the extractor when the source was further for too long', () => {
    let memory = noMemory;
    const at = (nowMs: number, position: number, landedTo: number): readonly string[] => {
      const landed = { file: 'binlog.000002', position: landedTo, capturedMs: nowMs };
      const round = judge(
        seen({ nowMs, source: { ...sourceUp, position }, log: logOf({ landed }) }),
        memory,
        new Set(),
        settings,
      );
      memory = round.memory;
      return ids(round.faults);
    };
    assert.deepEqual(at(NOW, 500, 500), []);
    assert.deepEqual(at(NOW + 30_000, 900, 500), []);
    assert.deepEqual(at(NOW + 89_000, 900, 500), []);
    assert.deepEqual(at(NOW + 91_000, 950, 500), ['extractor']);
    assert.deepEqual(at(NOW + 92_000, 950, 900), [], 'it has passed where the source was a minute ago');
    assert.deepEqual(at(NOW + 93_000, 950, 950), []);
  });

  it('tell the hop whose oldest unread record is too old, by what the log says', () => {
    const lags = [
      lag('dispatcher', 'shop', 5_000),
      lag('appender', 'shop.store', 61_000),
      lag('appender', 'shop.quiet', 900_000),
    ];
    const [fault, ...rest] = faultsOf(seen({ log: logOf({ lags }) }));
    assert.deepEqual([fault?.id, fault?.where, rest], ['appender', 'appender', []]);
    assert.match(fault?.title ?? '', /^The appender is 61 s late$/);
    assert.deepEqual(
      ids(faultsOf(seen({ log: logOf({ lags: [lag('mine', 'shop.store.result', 70_000)] }) }))),
      ['topology:mine'],
    );
    assert.deepEqual(faultsOf(seen({ log: logOf({ lags: [lag('puller', 'shop_data_shards', 9e6)] }) })), []);
    const [consumer] = faultsOf(seen({ log: logOf({ lags: [lag(null, 'shop.store.result', 70_000)] }) }));
    assert.deepEqual([consumer?.id, consumer?.where], ['consumer:reports', 'consumer']);
  });

  it('tell a topology that nobody runs under the name of its hop, once', () => {
    const lags = [lag('appender', 'shop.store', 61_000)];
    const running = new Set(['mysql-extractor', 'dispatcher']);
    const [fault, ...rest] = faultsOf(seen({ running, log: logOf({ lags }) }));
    assert.deepEqual([fault?.id, fault?.title, rest], ['appender', 'No process runs the appender', []]);
    assert.equal(fault?.holdMs, settings.everyMs, 'the lag has lasted already');
    assert.deepEqual(faultsOf(seen({ running: null })), [], 'not known is not absent');
  });

  it('tell tables whose heartbeats stop, at the hop where they stop, when no hop as a whole explains it', () => {
    const fresh = NOW - 2_000;
    const old = NOW - 70_000;
    const tables = [
      { table: 'store.a', dispatchedMs: fresh, appendedMs: old, readMs: old, parked: false },
      { table: 'store.b', dispatchedMs: fresh, appendedMs: fresh, readMs: fresh, parked: false },
      { table: 'store.c', dispatchedMs: fresh, appendedMs: fresh, readMs: old, parked: false },
      { table: 'store.d', dispatchedMs: old, appendedMs: old, readMs: old, parked: true },
      { table: 'quiet.e', dispatchedMs: old, appendedMs: old, readMs: old, parked: false },
    ];
    const heartbeat = { roundMs: fresh, gapMs: 5_000, trouble: null, tables };
    const quiet: RuleSettings = {
      ...settings,
      lateMs: subject => (subject.startsWith('quiet') ? null : LATE),
    };
    const { faults } = judge(seen({ log: logOf({ heartbeat }) }), noMemory, new Set(), quiet);
    assert.deepEqual(
      faults.map(({ id, where, subject }) => [id, where, subject]),
      [
        ['late:appender:store', 'appender', 'store.a'],
        ['late:consumer:store', 'consumer', 'store.c'],
      ],
    );
    const explained = judge(seen({ log: logOf({ heartbeat }) }), noMemory, new Set(['appender']), quiet);
    assert.deepEqual(explained.faults, [], 'the appender was late a moment ago');
  });

  it('take nothing for late between two rounds, however far they are apart', () => {
    const of = (ageMs: number, gapMs: number | null): readonly string[] => {
      const at = NOW - ageMs;
      const stuck = { table: 'store.a', dispatchedMs: at, appendedMs: at, readMs: at, parked: false };
      const quiet = { roundMs: at, gapMs, trouble: null, tables: [stuck] };
      const others = { ...quiet, roundMs: NOW - 1_000 };
      return [quiet, others].flatMap(heartbeat => ids(faultsOf(seen({ log: logOf({ heartbeat }) }))));
    };
    const hour = 3_600_000;
    assert.deepEqual(of(hour + LATE - 1, hour), []);
    assert.deepEqual(of(hour + LATE, hour), ['heartbeat', 'late:dispatcher:store']);
    assert.deepEqual(of(9 * hour, null), [], 'one round does not tell when the next is due');
  });

  it('tell that heartbeats cannot be sent, with the reason', () => {
    const trouble = { code: 'UMBUS_HEARTBEAT_READ_ONLY', message: 'Read-only.', atMs: NOW - 1_000 };
    const heartbeat = { roundMs: NOW - 9_000, gapMs: 5_000, trouble, tables: [] };
    const [fault] = faultsOf(seen({ log: logOf({ heartbeat }) }));
    assert.deepEqual([fault?.id, fault?.where], ['heartbeat', 'heartbeat']);
    assert.match(fault?.text ?? '', /Read-only\./);
  });

  it('tell parked tables, full logs, purges, receivers and a log that is away', () => {
    const parked = { code: 'UMBUS_BINLOG_TYPE', events: 3, since: '2026-01-01 00:00:00.000' };
    assert.deepEqual(ids(faultsOf(seen({ log: logOf({ tables: [{ table: 'store.a', parked }] }) }))), [
      'parked:store.a',
    ]);
    const space = { usedBytes: 95, maxBytes: 100, diskFreeBytes: 10_000 };
    assert.deepEqual(ids(faultsOf(seen({ log: logOf({ space }) }))), ['log:full']);
    assert.deepEqual(
      ids(faultsOf(seen({ log: logOf({ space: { ...space, usedBytes: 1, diskFreeBytes: 10 } }) }))),
      ['log:full'],
    );
    const purge = { leftMs: 60_000, lost: false };
    assert.deepEqual(faultsOf(seen({ log: logOf({ purge }) })), [], 'one that keeps up reads it before');
    const behind = {
      frontier: {
        untilMs: NOW - 70_000,
        ahead: [{ atMs: NOW - 60_000, file: sourceUp.file, position: 900 }],
      },
    };
    const late = faultsOf(seen({ source: { ...sourceUp, position: 900 }, log: logOf({ purge }) }), behind);
    assert.deepEqual(ids(late), ['extractor', 'source:purge']);
    assert.deepEqual(ids(faultsOf(seen({ source: { ...sourceUp, positionGone: true } }))), ['source:gone']);
    assert.deepEqual(ids(faultsOf(seen({ refused: { chat: 2, mail: 0 } }))), ['alarms:chat']);
    assert.deepEqual(ids(faultsOf(seen({ log: null, logProblem: 'Away.' }))), ['log']);
  });
});

describe('the frontier of the extractor', () => {
  const at = (position: number) => ({ file: 'binlog.000002', position });

  it('starts anew when the source is another one', () => {
    const one = advance(noFrontier, { file: 'binlog.000099', position: 4 }, at(1), 1_000);
    const other = advance(one, at(50), at(50), 2_000);
    assert.deepEqual(other, { untilMs: 2_000, ahead: [] });
  });

  it('counts no time in which the source did not answer', () => {
    const ahead = advance(noFrontier, at(500), at(400), 1_000);
    assert.equal(behindMs(ahead, 5_000), 4_000);
    const away = advance(ahead, null, at(400), 60_000);
    assert.equal(behindMs(away, 61_000), 1_000);
    assert.equal(behindMs(advance(away, at(600), at(500), 62_000), 63_000), 1_000);
  });

  it('keeps a bounded number of places', () => {
    let frontier: Frontier = noFrontier;
    for (let round = 0; round < 5_000; round += 1) frontier = advance(frontier, at(round), at(-1), round);
    assert.ok(frontier.ahead.length <= 257);
    assert.equal(frontier.untilMs, 0);
    assert.deepEqual(advance(frontier, at(5_000), at(5_000), 5_000), { untilMs: 5_000, ahead: [] });
  });
});

describe('thresholds and silences', () => {
  const atHour = (hour: number): number => Date.UTC(2026, 0, 5, hour);

  it('know the time of day, also over midnight', () => {
    const night = { fromMinute: 22 * 60, toMinute: 5 * 60 };
    assert.deepEqual(
      [21, 22, 0, 4, 5].map(hour => inWindow(night, atHour(hour))),
      [false, true, true, true, false],
    );
    const rule = { lateMs: 1, window: { window: night, lateMs: null } };
    assert.deepEqual([lateNow(rule, atHour(12)), lateNow(rule, atHour(23))], [1, null]);
  });

  it('match a table, its schema by a pattern, a hop, or everything, until they end', () => {
    const [fault] = faultsOf(
      seen({ log: logOf({ tables: [{ table: 'store.a', parked: { code: 'X', events: 1, since: '' } }] }) }),
    );
    assert.ok(fault !== undefined);
    const silenced = (pattern: string, nowMs = NOW): boolean =>
      isSilenced(fault, [{ pattern, untilMs: NOW + 1, reason: '', by: '' }], nowMs, matcher);
    assert.deepEqual(
      ['store.a', 'store.*', 'store', 'table', '*'].map(pattern => silenced(pattern)),
      [true, true, true, true, true],
    );
    assert.deepEqual(
      [silenced('store.b'), silenced('appender'), silenced('store.a', NOW + 1)],
      [false, false, false],
    );
  });
});
