import { formatDuration } from '../../config/quantity.ts';
import type { Alarm } from '../../ports/alarm.ts';
import type { Silence } from '../../telemetry/alarms/silence.ts';
import { plainText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';
import type { AlarmState } from './alarm-cells.ts';

/** What is wrong now, and who is told. Times are ISO 8601 in UTC. */
export interface AlarmsNow {
  readonly ds: string;
  /** Who watches the line; null when nobody does. */
  readonly watchedBy: string | null;
  readonly faults: readonly FaultNow[];
  /** Alarms that a receiver has not taken yet. */
  readonly onTheirWay: number;
  readonly silences: readonly {
    readonly pattern: string;
    readonly until: string;
    readonly reason: string;
    readonly by: string;
  }[];
}

/** A fault that lasts. */
export interface FaultNow {
  readonly id: string;
  readonly where: string;
  readonly severity: string;
  readonly title: string;
  readonly text: string;
  readonly since: string;
  /** When people were told last; null before: it has not lasted, or is silenced. */
  readonly told: string | null;
}

/** The picture of what the leader remembers. */
export function alarmsNow(
  ds: string,
  watchedBy: string | null,
  { engine, outbox }: AlarmState,
  silences: readonly Silence[],
): AlarmsNow {
  const faults = Object.values(engine.faults);
  return {
    ds,
    watchedBy,
    onTheirWay: outbox.length,
    faults: faults
      .toSorted((a, b) => (a.fault.id < b.fault.id ? -1 : 1))
      .map(({ fault, sinceMs, toldMs }) => ({
        id: fault.id,
        where: fault.where,
        severity: fault.severity,
        title: fault.title,
        text: fault.text,
        since: isoOf(sinceMs),
        told: toldMs === null ? null : isoOf(toldMs),
      })),
    silences: silences.map(({ pattern, untilMs, reason, by }) => ({
      pattern,
      until: isoOf(untilMs),
      reason,
      by,
    })),
  };
}

/** For people. `nowMs`: milliseconds since 1970-01-01 UTC. */
export function alarmsText({ watchedBy, faults, silences, onTheirWay }: AlarmsNow, nowMs: number): string {
  const parts = [watchedBy === null ? 'Nobody watches the line now.' : `Watched by ${plainText(watchedBy)}.`];
  if (faults.length === 0) parts.push('Nothing is wrong.');
  else {
    const rows = faults.map(({ where, title, since, told }) => [
      where,
      formatDuration(Math.max(1_000, Math.round((nowMs - Date.parse(since)) / 1000) * 1000)),
      told === null ? 'not yet' : told,
      plainText(title),
    ]);
    parts.push(tableText([{ title: 'where' }, { title: 'for' }, { title: 'told' }, { title: 'what' }], rows));
  }
  if (onTheirWay > 0) parts.push(`${onTheirWay} alarms are on their way to a receiver.`);
  if (silences.length > 0) {
    const rows = silences.map(({ pattern, until, by, reason }) =>
      [pattern, until, by, reason].map(plainText),
    );
    parts.push(
      tableText([{ title: 'silenced' }, { title: 'until' }, { title: 'by' }, { title: 'reason' }], rows),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** What was told, oldest first, for people. */
export function historyText(alarms: readonly Alarm[]): string {
  if (alarms.length === 0) return 'Nothing was told yet.\n';
  const rows = alarms.map(({ atMs, state, severity, title }) => [
    isoOf(atMs),
    state,
    severity,
    plainText(title),
  ]);
  return `${tableText([{ title: 'at' }, { title: '' }, { title: 'severity' }, { title: 'what' }], rows)}\n`;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
