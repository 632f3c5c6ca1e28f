import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlarmDelivery, type DeliveryEvent } from '../../../src/adapters/alarms/index.ts';
import { UmbusError } from '../../../src/core/errors.ts';
import type { Alarm, AlarmSink } from '../../../src/ports/alarm.ts';
import { VirtualClock } from '../../../src/testing/index.ts';
import { fullAlarm } from '../../conformance/alarm-sink.ts';
import { until } from '../../support/until.ts';

const away = (): Promise<void> =>
  Promise.reject(new UmbusError('UMBUS_ALARM_UNREACHABLE', 'Nobody is there.'));

/** A sink that does what `answer` says, and keeps what it was given. */
function sinkOf(name: string, answer: (alarm: Alarm) => Promise<void>) {
  const calls: Alarm[] = [];
  const sink: AlarmSink = {
    name,
    send: async alarm => {
      calls.push(alarm);
      await answer(alarm);
    },
  };
  return { sink, calls };
}

function delivery(sinks: readonly AlarmSink[], more: { limit?: number; retryForMs?: number } = {}) {
  const clock = new VirtualClock(1_000_000);
  const events: DeliveryEvent[] = [];
  const alarms = new AlarmDelivery({
    sinks,
    clock,
    retryForMs: 900_000,
    random: () => 1,
    tell: event => events.push(event),
    ...more,
  });
  /** Moves time to the next attempt. */
  const again = async (): Promise<void> => {
    await until('a wait', () => clock.nextDueMs !== null);
    clock.moveTo(clock.nextDueMs ?? 0);
  };
  return { alarms, clock, events, again };
}

const named = (id: string, more: Partial<Alarm> = {}): Alarm => ({ ...fullAlarm, id, ...more });

describe('delivery of alarms', () => {
  it('hands an alarm to every sink, and says when all have it', async () => {
    const one = sinkOf('one', async () => {});
    const two = sinkOf('two', async () => {});
    const { alarms } = delivery([one.sink, two.sink]);
    await alarms.deliver(named('a'));
    assert.deepEqual([one.calls.length, two.calls.length], [1, 1]);
    assert.deepEqual(
      alarms.counts().map(({ sink, sent }) => [sink, sent]),
      [
        ['one', 1],
        ['two', 1],
      ],
    );
  });

  it('tries again, longer apart each time, until the sink takes it', async () => {
    let failures = 3;
    const { sink, calls } = sinkOf('hook', () => (failures-- > 0 ? away() : Promise.resolve()));
    const { alarms, events, again } = delivery([sink]);
    const delivered = alarms.deliver(named('a'));
    for (let i = 0; i < 3; i++) await again();
    await delivered;
    assert.equal(calls.length, 4);
    assert.deepEqual(
      events.map(event => (event.kind === 'again' ? event.delayMs : event.kind)),
      [1_000, 2_000, 4_000, 'sent'],
    );
  });

  it('gives up what nobody took for too long, and goes on with the next', async () => {
    const { sink } = sinkOf('hook', ({ id }) => (id === 'a' ? away() : Promise.resolve()));
    const { alarms, events, again } = delivery([sink], { retryForMs: 3_500 });
    const first = alarms.deliver(named('a'));
    const second = alarms.deliver(named('b'));
    await again();
    await again();
    await Promise.all([first, second]);
    assert.deepEqual(
      events.map(({ kind, alarm }) => `${kind} ${alarm.id}`),
      ['again a', 'again a', 'failed a', 'sent b'],
    );
  });

  it('does not try again what was refused, nor what fails in a way that nobody named', async () => {
    const refused = sinkOf('hook', () =>
      Promise.reject(new UmbusError('UMBUS_ALARM_REFUSED', 'It is no good.')),
    );
    const broken = sinkOf('mail', () => Promise.reject(new TypeError('x is not a function')));
    const { alarms, events } = delivery([refused.sink, broken.sink]);
    await alarms.deliver(named('a'));
    assert.deepEqual(
      events.map(event => (event.kind === 'failed' ? event.error.code : event.kind)),
      ['UMBUS_ALARM_REFUSED', 'UMBUS_INTERNAL'],
    );
  });

  it('holds up neither the caller nor another sink while one is away', async () => {
    const never = sinkOf('mail', () => new Promise(() => {}));
    const good = sinkOf('hook', async () => {});
    const { alarms } = delivery([never.sink, good.sink]);
    for (let i = 0; i < 20; i++) alarms.raise(named(`fault ${i}`));
    await until('all alarms at the other sink', () => good.calls.length === 20);
    assert.equal(never.calls.length, 1);
  });

  it('sends only the newest of those that wait for one fault', async () => {
    const gate = Promise.withResolvers<void>();
    const { sink, calls } = sinkOf('hook', ({ id }) => (id === 'first' ? gate.promise : Promise.resolve()));
    const { alarms } = delivery([sink]);
    const delivered = [
      alarms.deliver(named('first')),
      alarms.deliver(named('a')),
      alarms.deliver(named('b')),
      alarms.deliver(named('a', { state: 'recovered' })),
    ];
    gate.resolve();
    await Promise.all(delivered);
    assert.deepEqual(
      calls.map(({ id, state }) => `${id} ${state}`),
      ['first raised', 'b raised', 'a recovered'],
    );
  });

  it('drops the oldest, counted, when too many wait', async () => {
    const gate = Promise.withResolvers<void>();
    const { sink, calls } = sinkOf('hook', () => gate.promise);
    const { alarms, events } = delivery([sink], { limit: 2 });
    const delivered = ['a', 'b', 'c', 'd'].map(id => alarms.deliver(named(id)));
    gate.resolve();
    await Promise.all(delivered);
    assert.deepEqual(
      calls.map(({ id }) => id),
      ['a', 'c', 'd'],
    );
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'dropped').map(({ alarm }) => alarm.id),
      ['b'],
    );
    assert.equal(alarms.counts()[0]?.dropped, 1);
  });

  it('sends what waits before it closes, and gives up what takes too long', async () => {
    const good = sinkOf('hook', async () => {});
    const never = sinkOf('mail', () => away());
    const { alarms, clock, events } = delivery([good.sink, never.sink]);
    alarms.raise(named('a'));
    alarms.raise(named('b'));
    const closing = alarms[Symbol.asyncDispose]();
    await until('a wait', () => clock.nextDueMs !== null);
    clock.moveTo(clock.now() + 5_000);
    await closing;
    assert.equal(good.calls.length, 2);
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'failed').map(({ alarm }) => alarm.id),
      ['a', 'b'],
    );
    assert.deepEqual(
      alarms.counts().map(({ waiting }) => waiting),
      [0, 0],
    );
  });
});
