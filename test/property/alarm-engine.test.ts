import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Alarm } from '../../src/ports/alarm.ts';
import { type EngineState, noFaults, step, TOGETHER } from '../../src/telemetry/alarms/engine.ts';
import type { Fault } from '../../src/telemetry/alarms/fault.ts';

const ROUND_MS = 10_000;
const IDS = ['source', 'appender', 'late:a', 'late:b', 'late:c', 'late:d', 'late:e', 'late:f'];

function faultOf(id: string): Fault {
  return {
    id,
    where: id.startsWith('late') ? 'dispatcher' : 'source',
    severity: 'warning',
    title: `Fault ${id}`,
    text: 'Look.',
    details: {},
    holdMs: id === 'appender' ? 2 * ROUND_MS : ROUND_MS,
    subject: '',
  };
}

/** For each round the ids of the faults that are there. */
const rounds = fc.array(fc.subarray(IDS), { minLength: 1, maxLength: 60 });
const settingsOf = (clearMs: number, repeatMs: number, silencedFrom = Number.POSITIVE_INFINITY) => ({
  line: 'shop',
  clearMs,
  repeatMs,
  silenced: (_: Fault, nowMs: number) => nowMs >= silencedFrom,
});

interface Run {
  readonly alarms: readonly Alarm[];
  readonly states: readonly EngineState[];
}

function run(
  present: readonly (readonly string[])[],
  settings: ReturnType<typeof settingsOf>,
  store = false,
): Run {
  let state = noFaults;
  const alarms: Alarm[] = [];
  const states: EngineState[] = [];
  present.forEach((ids, index) => {
    const result = step(state, ids.map(faultOf), (index + 1) * ROUND_MS, settings);
    state = store ? (JSON.parse(JSON.stringify(result.state)) as EngineState) : result.state;
    states.push(state);
    alarms.push(...result.alarms);
  });
  return { alarms, states };
}

const settings = fc.record({
  clearMs: fc.integer({ min: 1, max: 5 }).map(n => n * ROUND_MS),
  repeatMs: fc.integer({ min: 5, max: 30 }).map(n => n * ROUND_MS),
});

describe('the engine of alarms', () => {
  it('tells each fault once, again only after the repeat, and its end once', () => {
    fc.assert(
      fc.property(rounds, settings, (present, { clearMs, repeatMs }) => {
        const told = new Map<string, number>();
        for (const { id, state, atMs } of run(present, settingsOf(clearMs, repeatMs)).alarms) {
          const before = told.get(id);
          if (state === 'recovered') {
            assert.ok(before !== undefined, `${id} is over and was never told`);
            told.delete(id);
          } else {
            assert.ok(before === undefined || atMs - before >= repeatMs, `${id} is told twice`);
            told.set(id, atMs);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('goes on from what was stored as if nothing had happened', () => {
    fc.assert(
      fc.property(rounds, settings, (present, { clearMs, repeatMs }) => {
        const kept = run(present, settingsOf(clearMs, repeatMs));
        const stored = run(present, settingsOf(clearMs, repeatMs), true);
        assert.deepEqual(stored.alarms, kept.alarms);
      }),
    );
  });

  it('tells nothing of what does not last, or is silenced', () => {
    fc.assert(
      fc.property(rounds, settings, (present, { clearMs, repeatMs }) => {
        const once = present.map((ids, index) => (index % 2 === 0 ? ids : []));
        assert.deepEqual(run(once, settingsOf(clearMs, repeatMs)).alarms, []);
        assert.deepEqual(run(present, settingsOf(clearMs, repeatMs, 0)).alarms, []);
      }),
    );
  });

  it('tells everything that lasts, and forgets everything in the end', () => {
    fc.assert(
      fc.property(fc.subarray(IDS, { minLength: 1 }), settings, (ids, { clearMs, repeatMs }) => {
        const lasting = Array.from({ length: 4 }, () => ids);
        const quiet = Array.from({ length: 6 }, () => []);
        const { alarms, states } = run([...lasting, ...quiet], settingsOf(clearMs, repeatMs));
        const titles = alarms
          .filter(({ state }) => state === 'raised')
          .map(({ title, text }) => title + text);
        for (const id of ids)
          assert.ok(
            titles.some(title => title.includes(`Fault ${id}`)),
            id,
          );
        const open = alarms.map(({ state }) => (state === 'raised' ? 1 : -1)).reduce((a, b) => a + b, 0);
        assert.equal(open, 0);
        assert.deepEqual(states.at(-1), noFaults);
      }),
    );
  });

  it('puts many of one kind into one alarm, which is over with the last of them', () => {
    const many = IDS.filter(id => id.startsWith('late'));
    assert.ok(many.length >= TOGETHER);
    const present = [many, many, many.slice(0, 1), many.slice(0, 1), [], [], []];
    const { alarms } = run(present, settingsOf(ROUND_MS, 100 * ROUND_MS));
    assert.deepEqual(
      alarms.map(({ id, state, atMs }) => [id, state, atMs / ROUND_MS]),
      [
        ['shop:several:late:a:10000', 'raised', 2],
        ['shop:several:late:a:10000', 'recovered', 5],
      ],
    );
    assert.match(alarms[0]?.title ?? '', /^6 faults at once, the first: Fault late:a$/);
  });

  it('keeps a fault that comes and goes as one', () => {
    const flapping = Array.from({ length: 20 }, (_, index) => (index % 4 === 2 ? [] : ['source']));
    const { alarms } = run(flapping, settingsOf(3 * ROUND_MS, 100 * ROUND_MS));
    assert.deepEqual(
      alarms.map(({ state }) => state),
      ['raised'],
    );
  });
});
