import type { HeartbeatPorts } from '../../../topologies/index.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Line } from '../../config/line.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { type EventLog, errorFields } from '../event-log.ts';

/** A session that beats and is silent for so many intervals, and at least so long, is taken for dead. */
const SILENT_ROUNDS = 2;
const SILENT_MIN_MS = 3_000;

/** What the heartbeat topology of a line needs; null for a line that does not beat. Errors: UMBUS_CONFIG_INVALID for a cron expression without a meaning. */
export async function heartbeatPorts(
  line: Line,
  coordination: Coordination | null,
  events: EventLog,
): Promise<HeartbeatPorts | null> {
  const { heartbeat, source, signals, ds } = line;
  if (heartbeat === null) return null;
  const [{ createMysqlBeats }, { beatSchedule }] = await Promise.all([
    import('../../adapters/mysql/index.ts'),
    import('../../adapters/beat-schedule.ts'),
  ]);
  const schedule = beatSchedule(heartbeat.every);
  const now = (): number => systemClock.now();
  const first = schedule(now()) ?? now();
  const intervalMs = (schedule(first) ?? first) - first;
  let toldUnlocked = false;
  return {
    beats: createMysqlBeats(source, {
      ds,
      schema: signals.schema,
      timeoutMs: heartbeat.timeoutMs,
      silentMs: Math.max(SILENT_MIN_MS, SILENT_ROUNDS * intervalMs),
      now,
      unlocked: notice => {
        // Each new session finds the same.
        if (!toldUnlocked)
          events('warn', 'Only the lease says which process beats.', { ds, ...errorFields(notice) });
        toldUnlocked = true;
      },
    }),
    clock: systemClock,
    schedule,
    ...(coordination !== null && {
      progress: (path: string, value: Uint8Array) => coordination.progress(path, value),
    }),
    tell: trouble => {
      if (trouble === null) events('info', 'The source takes heartbeats again.', { ds });
      else {
        const fields = { ds, ...errorFields(trouble) };
        events('warn', 'The source takes no heartbeats; every round tries again.', fields);
      }
    },
  };
}
