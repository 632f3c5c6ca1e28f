import type { AlarmDetails, AlarmSeverity } from '../../ports/alarm.ts';

/** Where a fault is: a hop of the line, or what the line stands on. */
export type Where =
  | 'source'
  | 'replica'
  | 'heartbeat'
  | 'extractor'
  | 'dispatcher'
  | 'appender'
  | 'log'
  | 'consumer'
  | 'table'
  | 'pull'
  | 'topology'
  | 'alarms';

/** Something that is wrong now. */
export interface Fault {
  /** The same for as long as it is the same fault: a hop, or a table and what is the matter with it. */
  readonly id: string;
  readonly where: Where;
  readonly severity: AlarmSeverity;
  /** One line. */
  readonly title: string;
  /** Sentences: what, where, how it was checked, what to do. */
  readonly text: string;
  readonly details: AlarmDetails;
  /** It has to last so long before anybody is told: milliseconds. */
  readonly holdMs: number;
  /** Schema or `schema.table` that it is about; '' for the line. Silences match it. */
  readonly subject: string;
  /** People are told of it once, however long it lasts. */
  readonly once?: true;
}
