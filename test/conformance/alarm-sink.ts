import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import type { Alarm, AlarmSink } from '../../src/ports/alarm.ts';

/** What a receiver does with an alarm: takes it, asks to come again, refuses it, or says nothing. */
export type Behaviour = 'take' | 'later' | 'refuse' | 'silent';

/** A sink, and the receiver behind it as the suite drives it. */
export interface AlarmFixture extends AsyncDisposable {
  /** Waits at most 300 ms for an answer. */
  readonly sink: AlarmSink;
  /** The text of all that was taken, in order. */
  readonly taken: readonly string[];
  behave(how: Behaviour): void;
  /** Stops listening; connections are refused from then on. */
  close(): Promise<void>;
}

/** An alarm with all that an alarm can have. */
export const fullAlarm: Alarm = {
  id: 'schema:shop.orders',
  line: 'shop',
  severity: 'critical',
  state: 'raised',
  title: 'Table shop.orders was changed: größer',
  text: 'Column total is a text now.\nTell whoever reads it.',
  atMs: Date.UTC(2026, 10, 28, 17, 30, 1, 250),
  details: { table: 'shop.orders', version: 3, sure: true, statement: null },
};

const DEADLINE_MS = 20_000;

async function refusal(sending: Promise<void>): Promise<string> {
  const error = await sending.then(
    () => assert.fail('The alarm was taken.'),
    (cause: unknown) => cause,
  );
  assert.ok(isUmbusError(error), String(error));
  return error.code;
}

/** What every {@link AlarmSink} does, whoever is behind it. */
export function alarmSinkSuite(name: string, open: () => Promise<AlarmFixture>): void {
  const signal = (): AbortSignal => AbortSignal.timeout(DEADLINE_MS);
  describe(`alarm sink: ${name}`, () => {
    it('hands over an alarm whole, and once', async () => {
      await using fixture = await open();
      await fixture.sink.send(fullAlarm, signal());
      assert.equal(fixture.taken.length, 1);
      const [text = ''] = fixture.taken;
      for (const part of [
        'schema:shop.orders',
        'critical',
        'größer',
        'Tell whoever',
        '2026-11-28T17:30:01.250Z',
      ]) {
        assert.ok(text.includes(part), `${part} is missing in ${text}`);
      }
    });

    it('says that a fault is over', async () => {
      await using fixture = await open();
      await fixture.sink.send({ ...fullAlarm, state: 'recovered' }, signal());
      assert.match(fixture.taken.join(), /recovered|Over/);
    });

    it('may be called again when it was asked to come later', async () => {
      await using fixture = await open();
      fixture.behave('later');
      assert.equal(await refusal(fixture.sink.send(fullAlarm, signal())), 'UMBUS_ALARM_UNREACHABLE');
      fixture.behave('take');
      await fixture.sink.send(fullAlarm, signal());
      assert.equal(fixture.taken.length, 1);
    });

    it('says that a refusal is final', async () => {
      await using fixture = await open();
      fixture.behave('refuse');
      assert.equal(await refusal(fixture.sink.send(fullAlarm, signal())), 'UMBUS_ALARM_REFUSED');
    });

    it('does not wait for ever for a receiver that is silent', async () => {
      await using fixture = await open();
      fixture.behave('silent');
      assert.equal(await refusal(fixture.sink.send(fullAlarm, signal())), 'UMBUS_ALARM_UNREACHABLE');
    });

    it('gives up when the signal aborts', async () => {
      await using fixture = await open();
      fixture.behave('silent');
      const stop = new AbortController();
      const sending = refusal(fixture.sink.send(fullAlarm, stop.signal));
      stop.abort();
      assert.equal(await sending, 'UMBUS_ALARM_UNREACHABLE');
    });

    it('says that nobody listens', async () => {
      await using fixture = await open();
      await fixture.close();
      assert.equal(await refusal(fixture.sink.send(fullAlarm, signal())), 'UMBUS_ALARM_UNREACHABLE');
    });
  });
}
