import type { Line } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Coordination } from '../../ports/coordination.ts';
import type { Log } from '../../ports/log.ts';
import type { EventLog } from '../event-log.ts';
import { openLineAlarms } from '../open-alarms.ts';
import { watchAlarms } from './alarm-watch.ts';

/** What {@link openAlarmWatch} needs. */
export interface OpenWatchOptions {
  readonly line: Line;
  readonly log: Log;
  readonly coordination: Coordination;
  readonly clock: Clock;
  readonly member: string;
  readonly events: EventLog;
  /** Topologies that some process has to run. */
  readonly expected: readonly string[];
}

/** Watches a line for alarms, in turn with the other processes that run it, until it is disposed; null for a line without receivers. */
export async function openAlarmWatch(options: OpenWatchOptions): Promise<AsyncDisposable | null> {
  const { line, clock, events, member } = options;
  const delivery = await openLineAlarms(line, clock, events);
  if (delivery === null) return null;
  const closing = new AbortController();
  const watching = watchAlarms({ ...options, delivery, holder: member }, closing.signal);
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await watching;
      await delivery[Symbol.asyncDispose]();
    },
  };
}
