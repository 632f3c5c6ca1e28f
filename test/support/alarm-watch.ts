import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { openAlarmWatch } from '../../src/cli/alarms/open-watch.ts';
import type { AlarmSettings } from '../../src/config/line.ts';
import { noAlarms } from '../../src/config/resolve-alarms.ts';
import type { Coordination } from '../../src/ports/coordination.ts';
import type { AlarmReceiver } from './alarm-receiver.ts';
import type { RunningLine } from './running-line.ts';

/** Watches a line of a test for alarms, a second at a time, until it is disposed; `some` is as in the line file, `coordination` that of the line where it has one. */
export async function watchLine(
  { line, log }: RunningLine,
  receiver: AlarmReceiver,
  some: Partial<AlarmSettings> = {},
  coordination: Coordination = createMemoryCoordination({ clock: systemClock }).open(),
): Promise<AsyncDisposable> {
  const hook = { name: 'hook', url: receiver.url, headers: {}, secret: null, timeoutMs: 5_000 };
  const alarms: AlarmSettings = {
    ...noAlarms,
    webhooks: [hook],
    everyMs: 1_000,
    late: { lateMs: 6_000, window: null },
    clearMs: 3_000,
    ...some,
  };
  const watch = await openAlarmWatch({
    line: { ...line, alarms },
    log,
    coordination,
    clock: systemClock,
    member: 'test',
    events: () => {},
    expected: [],
  });
  if (watch === null) throw new Error('A line with a receiver is watched.');
  return watch;
}
