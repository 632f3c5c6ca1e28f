import type { AlarmDelivery, DeliveryEvent } from '../adapters/alarms/index.ts';
import type { Line } from '../config/line.ts';
import { unreachable } from '../core/assert.ts';
import type { AlarmSink } from '../ports/alarm.ts';
import type { Clock } from '../ports/clock.ts';
import { type EventLog, errorFields } from './event-log.ts';

/** The receivers of a line's alarms; [] when its file names none. Loads what sends only when there is one. */
export async function lineAlarmSinks({ alarms }: Line): Promise<readonly AlarmSink[]> {
  const { webhooks, commands } = alarms;
  if (webhooks.length === 0 && commands.length === 0 && alarms.mail === null) return [];
  const { createWebhook, createMail, createCommand } = await import('../adapters/alarms/index.ts');
  const mail = alarms.mail === null ? [] : [createMail({ name: 'mail', ...alarms.mail })];
  return [...webhooks.map(createWebhook), ...mail, ...commands.map(createCommand)];
}

/** The delivery of a line's alarms, which tells of each in the log lines; null for a line whose file names no receiver. */
export async function openLineAlarms(
  line: Line,
  clock: Clock,
  events: EventLog,
): Promise<AlarmDelivery | null> {
  const sinks = await lineAlarmSinks(line);
  if (sinks.length === 0) return null;
  const { AlarmDelivery } = await import('../adapters/alarms/index.ts');
  const { retryForMs } = line.alarms;
  return new AlarmDelivery({ sinks, clock, retryForMs, tell: event => tellDelivery(event, events) });
}

/** What became of an alarm, as a log line. */
export function tellDelivery(event: DeliveryEvent, events: EventLog): void {
  const { sink, alarm } = event;
  const what = { sink, alarm: alarm.id, state: alarm.state };
  switch (event.kind) {
    case 'sent':
      events('info', 'Alarm is sent.', what);
      break;
    case 'again':
      events('warn', 'Alarm cannot be handed over yet; it is tried again.', {
        ...what,
        ...errorFields(event.error),
        delayMs: Math.round(event.delayMs),
      });
      break;
    case 'failed':
      events('error', 'Alarm is given up.', { ...what, ...errorFields(event.error) });
      break;
    case 'dropped':
      events('error', 'Too many alarms wait; the oldest is given up.', what);
      break;
    default:
      unreachable(event);
  }
}
