import type { Alarm } from '../../ports/alarm.ts';

/** An alarm as other programs read it: ums-schema/alarm.schema.json. */
export interface AlarmDocument {
  readonly protocol: { readonly type: 'umbus_alarm'; readonly version: '1.0' };
  readonly id: string;
  readonly line: string;
  readonly severity: Alarm['severity'];
  readonly state: Alarm['state'];
  readonly title: string;
  readonly text: string;
  /** ISO 8601, UTC, with milliseconds. */
  readonly at: string;
  readonly details: Alarm['details'];
}

/** The document of an alarm. */
export function alarmDocument({ atMs, details, ...alarm }: Alarm): AlarmDocument {
  const { id, line, severity, state, title, text } = alarm;
  return {
    protocol: { type: 'umbus_alarm', version: '1.0' },
    ...{ id, line, severity, state, title, text },
    at: new Date(atMs).toISOString(),
    details,
  };
}
