import { hostname } from 'node:os';
import type { Line } from '../../config/line.ts';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { Alarm, AlarmSink } from '../../ports/alarm.ts';
import type { Clock } from '../../ports/clock.ts';
import { lineAlarmSinks } from '../open-alarms.ts';
import { plainText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';

/** What a receiver said to the test. */
export interface Tried {
  readonly sink: string;
  readonly ok: boolean;
  readonly code: string | null;
  readonly message: string | null;
}

/** Sends an alarm, and right after it that it is over, to every receiver of a line; nothing is tried twice. Errors: UMBUS_USAGE for a line without one. */
export async function testReceivers(
  line: Line,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Tried[]> {
  const sinks = await lineAlarmSinks(line);
  if (sinks.length === 0) {
    throw new UmbusError(
      'UMBUS_USAGE',
      'The line has no receiver of alarms: name one under `alarms.webhooks`, `alarms.mail` or `alarms.commands`.',
    );
  }
  return await Promise.all(sinks.map(sink => triedOn(sink, line, clock, signal)));
}

async function triedOn(sink: AlarmSink, line: Line, clock: Clock, signal: AbortSignal): Promise<Tried> {
  const atMs = clock.now();
  const alarm: Alarm = {
    id: `test:${line.ds}:${Math.floor(atMs)}`,
    line: line.ds,
    severity: 'info',
    state: 'raised',
    title: 'Test of the alarms',
    text: 'Somebody tests whether alarms of this line arrive. Nothing is wrong.',
    atMs,
    details: { host: hostname() },
  };
  try {
    await sink.send(alarm, signal);
    await sink.send({ ...alarm, state: 'recovered' }, signal);
    return { sink: sink.name, ok: true, code: null, message: null };
  } catch (error) {
    const code = isUmbusError(error) ? error.code : 'UMBUS_INTERNAL';
    return { sink: sink.name, ok: false, code, message: messageOf(error) };
  }
}

/** For people. */
export function triedText(tried: readonly Tried[]): string {
  const rows = tried.map(({ sink, ok, code, message }) => [
    sink,
    ok ? 'taken' : 'not taken',
    ok ? '' : plainText(`${code}: ${message}`),
  ]);
  return `${tableText([{ title: 'receiver' }, { title: '' }, { title: 'why' }], rows)}\n`;
}
