/** How much an alarm matters: `info` can wait, `warning` wants somebody to look today, `critical` at once. */
export type AlarmSeverity = 'info' | 'warning' | 'critical';

/** Facts of an alarm: names, counts, places. Never a row value. */
export type AlarmDetails = Readonly<Record<string, string | number | boolean | null>>;

/** Something that people should know, as data (ums-schema/alarm.schema.json). */
export interface Alarm {
  /** One fault, one id: it is the same when the fault is told again, and when it is over. */
  readonly id: string;
  /** Name of the data source. */
  readonly line: string;
  readonly severity: AlarmSeverity;
  /** `recovered`: the fault with this id is over. */
  readonly state: 'raised' | 'recovered';
  /** One line. */
  readonly title: string;
  /** Sentences: what happened, where, and what to do about it. */
  readonly text: string;
  /** When it happened: milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  readonly details: AlarmDetails;
}

/** A way to people or their tools. */
export interface AlarmSink {
  /** What the line file calls it; names it in log lines and counts. */
  readonly name: string;
  /**
   * Resolves when the other side has taken the alarm; gives up when the signal aborts. May be called again for the same alarm after a failure. Errors:
   * UMBUS_ALARM_UNREACHABLE when another attempt may succeed, UMBUS_ALARM_REFUSED when none will.
   */
  send(alarm: Alarm, signal: AbortSignal): Promise<void>;
}

/** Where whoever sees a fault tells it. */
export interface Alarms {
  /** Takes an alarm and returns at once; never throws. */
  raise(alarm: Alarm): void;
  /** As `raise`; resolves, and never rejects, when every sink has taken the alarm or it was given up there. */
  deliver(alarm: Alarm): Promise<void>;
}
