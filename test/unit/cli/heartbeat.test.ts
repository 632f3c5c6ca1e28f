import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BeatDone } from '../../../src/change/beat-record.ts';
import { type StatMessage, type StatType, statMessage } from '../../../src/change/stat-message.ts';
import { BeatMemory } from '../../../src/cli/heartbeat/beat-board.ts';
import { boardText, sparkline } from '../../../src/cli/heartbeat/board-text.ts';

const START_MS = 1_767_631_860_000;
const EVERY_MS = 5_000;
/** By how much the source's clock is ahead in these tests: an hour. */
const SKEW = 3_600_000_000;

const insertedMs = (beat: number): number => START_MS + beat * EVERY_MS;

function round(beat: number): BeatDone {
  return {
    kind: 'beat',
    beat,
    roundMs: insertedMs(beat) - 1,
    micros: insertedMs(beat) * 1000 + SKEW,
    skewMicros: SKEW,
    skewErrorMicros: 200,
    insertMs: 2,
    rows: 1,
    binlog: null,
  };
}

/** A statistic of a beat that passed a hop so many milliseconds after its insert. */
function stat(type: StatType, beat: number, ms: number, table = 'orders', count = 3): StatMessage {
  const us = insertedMs(beat) * 1000 + SKEW;
  const at = (insertedMs(beat) + ms) * 1000;
  return statMessage(
    type,
    { ds: 'web', schema: 'shop', table },
    { timeMs: us / 1000, roundMs: insertedMs(beat) },
    { localMicros: at, offset: 1, counts: { rows: count, bytes: 0, errors: 0, warnings: 0 } },
    {
      beat,
      status: 'ok',
      skew: SKEW,
      us,
      captured: (insertedMs(beat) + 1) * 1000,
      dispatched: (insertedMs(beat) + 2) * 1000,
      appended: type === 'DISPATCH_TYPE' ? null : (insertedMs(beat) + 3) * 1000,
      read: type === 'HEART_BEAT' ? at : null,
    },
  );
}

function memoryOf(beats: number, lateAfterMs: number | null = null): BeatMemory {
  const memory = new BeatMemory(lateAfterMs);
  for (let beat = 1; beat <= beats; beat++) {
    memory.round(round(beat));
    memory.stat(stat('APPENDER_TYPE', beat, 3));
    memory.stat(stat('HEART_BEAT', beat, 4 + beat));
  }
  return memory;
}

describe('the board of heartbeats', () => {
  test('has the last latency, the median and the 99th percentile of each hop, with the skew taken out', () => {
    const board = memoryOf(100).board(insertedMs(100) + 250);
    const [table] = board.tables;
    assert.deepEqual(table?.hops.captured, { lastMs: 1, p50Ms: 1, p99Ms: 1 });
    assert.deepEqual(table?.hops.read, { lastMs: 104, p50Ms: 54, p99Ms: 103 });
    assert.equal(table?.ageMs, 250);
    assert.equal(table?.rows, 3);
    assert.deepEqual([table?.late, board.lateAfterMs], [false, 3 * EVERY_MS]);
  });

  test('shows a table late whose newest heartbeat is older than three intervals, or than asked for', () => {
    const at = insertedMs(20) + 3 * EVERY_MS;
    assert.equal(memoryOf(20).board(at).tables[0]?.late, false);
    assert.equal(memoryOf(20).board(at + 1).tables[0]?.late, true);
    assert.equal(memoryOf(20, 60_000).board(at + 1).tables[0]?.late, false);
  });

  test('shows a table as held, and not as late, whose heartbeats wait for a full pull', () => {
    const memory = memoryOf(20);
    const at = insertedMs(20) + 10 * EVERY_MS;
    memory.hold(new Map([['shop.orders', 'p-1']]));
    const [table] = memory.board(at).tables;
    assert.deepEqual([table?.late, table?.held], [false, 'p-1']);
    const text = boardText(memory.board(at), viewOf(at));
    assert.match(text, /tables +1, none late, 1 held by a full pull/);
    assert.match(text, /shop\.orders .* waits for the pull p-1/);
    memory.hold(new Map());
    assert.equal(memory.board(at).tables[0]?.late, true);
  });

  test('counts a table on several partitions when its last heartbeat has arrived', () => {
    const memory = new BeatMemory(null);
    memory.stat(stat('HEART_BEAT', 1, 30));
    memory.stat(stat('HEART_BEAT', 1, 12));
    const [table] = memory.board(insertedMs(1) + 100).tables;
    assert.equal(table?.hops.read?.lastMs, 30);
    assert.equal(table?.trendMs.length, 1);
  });

  test('a hop before the insert counts as 0 and is told', () => {
    const memory = new BeatMemory(null);
    memory.stat(stat('HEART_BEAT', 1, -80));
    const board = memory.board(insertedMs(1) + 100);
    assert.equal(board.tables[0]?.hops.read?.lastMs, 0);
    assert.equal(board.tables[0]?.clocksDiffer, true);
    const text = boardText(board, viewOf(insertedMs(1)));
    assert.match(text, /clocks of two machines differ/);
  });

  test('tells a trouble until a round works again', () => {
    const memory = memoryOf(2);
    memory.round({ kind: 'trouble', code: 'UMBUS_HEARTBEAT_READ_ONLY', message: 'No.', atMs: 0 });
    assert.match(boardText(memory.board(START_MS), viewOf(START_MS)), /UMBUS_HEARTBEAT_READ_ONLY: No\./);
    memory.round(round(3));
    assert.equal(memory.board(START_MS).trouble, null);
  });
});

function viewOf(nowMs: number, rows: number | null = null) {
  const paint = (_style: string, text: string): string => text;
  return { ds: 'web', nowMs, horizon: null, paint, rows };
}

describe('the board as text', () => {
  test('has a line for each hop and table', () => {
    const text = boardText(memoryOf(10).board(insertedMs(10) + 250), viewOf(insertedMs(10) + 250));
    assert.match(text, /^line {10}web/);
    assert.match(text, /source clock {2}3600000\.0 ms ahead, ±0\.2 ms; taken out/);
    assert.match(text, /extractor +1\.0 +1\.0 +1\.0/);
    assert.match(text, /shop\.orders +10 +250ms +14\.0 +9\.0 +14\.0 +\S{10} +3/);
  });

  test('says by how much our clock differs from the line when that is much, and nothing when it is little or not known', () => {
    const memory = memoryOf(10);
    const text = (): string => boardText(memory.board(START_MS), viewOf(START_MS));
    assert.equal(memory.clockAheadMs, null);
    assert.doesNotMatch(text(), /our clock/);
    memory.sourceAhead(SKEW - 60_000_000);
    assert.equal(memory.board(START_MS).clockAheadMs, 60_000);
    assert.match(text(), /\nour clock +1m ahead of the line's; taken out\n/);
    memory.sourceAhead(SKEW + 2_000_000);
    assert.match(text(), /\nour clock +2s behind the line's; taken out\n/);
    memory.sourceAhead(SKEW - 3_000);
    assert.doesNotMatch(text(), /our clock/);
  });

  test('has late tables first when there is no room for all', () => {
    const memory = memoryOf(10);
    for (const table of ['a', 'b', 'c', 'd']) memory.stat(stat('HEART_BEAT', 10, 5, table));
    memory.stat(stat('HEART_BEAT', 1, 5, 'zombie'));
    const text = boardText(memory.board(insertedMs(10) + 250), viewOf(insertedMs(10) + 250, 20));
    assert.match(text, /shop\.zombie/);
    assert.match(text, /and \d more/);
  });

  test('says when there are none', () => {
    assert.match(boardText(new BeatMemory(null).board(START_MS), viewOf(START_MS)), /no heartbeats yet/);
  });

  test('draws latencies as bars, small ones small', () => {
    assert.equal(sparkline([0, 5, 10]), '▁▅█');
    assert.equal(sparkline([100, 50, 0]), '█▅▁');
    assert.equal(sparkline([0.2, 0.2]), '▁▁');
  });
});
