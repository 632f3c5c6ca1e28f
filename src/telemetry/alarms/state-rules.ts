import type { Fault } from './fault.ts';
import type { Observation } from './observation.ts';
import type { RuleSettings } from './rule-settings.ts';
import { spanText } from './texts.ts';

/** The log does not answer, or has no room. */
export function logFaults(seen: Observation, settings: RuleSettings): readonly Fault[] {
  const { log, logProblem } = seen;
  if (log === null) {
    return [
      {
        id: 'log',
        where: 'log',
        severity: 'critical',
        title: 'The log does not answer',
        text: `${logProblem ?? 'It gives no reason.'} The line waits for it and goes on where it stopped.`,
        details: {},
        holdMs: settings.lateMs('', seen.nowMs) ?? settings.everyMs,
        subject: '',
      },
    ];
  }
  const { usedBytes, maxBytes, diskFreeBytes } = log.space;
  const percent = usedBytes === null || maxBytes === null ? null : Math.floor((100 * usedBytes) / maxBytes);
  const full = percent !== null && percent >= settings.logPercent;
  const narrow = diskFreeBytes !== null && diskFreeBytes < settings.diskFreeBytes;
  if (!full && !narrow) return [];
  return [
    {
      id: 'log:full',
      where: 'log',
      severity: 'critical',
      title: full ? `The log is ${percent} % full` : 'The disk of the log is nearly full',
      text: 'A full log makes the line wait; nothing is lost, as long as the source keeps its binlog. Free space, raise `log.embedded.maxBytes`, or shorten `topics.retention`.',
      details: { usedBytes, maxBytes, diskFreeBytes },
      holdMs: settings.everyMs,
      subject: '',
    },
  ];
}

/** Tables whose rows are kept back. */
export function parkedFaults({ log }: Observation): readonly Fault[] {
  return (log?.tables ?? []).flatMap(({ table, parked }) =>
    parked === null
      ? []
      : [
          {
            id: `parked:${table}`,
            where: 'table' as const,
            severity: 'critical' as const,
            title: `Table ${table} is parked`,
            text: `Its rows cannot be published since ${parked.since} (${parked.code}); they wait in the dead-letter topic, and the other tables go on. \`umbus parked list\` shows them, and \`umbus parked replay\` publishes them once the cause is mended.`,
            details: { table, code: parked.code, events: parked.events },
            holdMs: 0,
            subject: table,
          },
        ],
  );
}

/** The source is about to purge what was not read. `behind`: whether the extractor has not read all for some time; one that keeps up reads everything before it is purged. */
export function purgeFaults(
  { log }: Observation,
  behind: boolean,
  { purgeMs, everyMs }: RuleSettings,
): readonly Fault[] {
  const purge = log?.purge ?? null;
  if (!behind || purge === null || purge.lost || purge.leftMs === null || purge.leftMs >= purgeMs) return [];
  return [
    {
      id: 'source:purge',
      where: 'source',
      severity: 'critical',
      title: `The source purges binlog that is not read yet in ${spanText(purge.leftMs)}`,
      text: 'From what the server keeps, how it grows and where the extractor stands. Let the extractor catch up, or let the server keep its binlog for longer; what is purged unread is lost for the line.',
      details: { minutesLeft: Math.round(purge.leftMs / 60_000) },
      holdMs: everyMs,
      subject: '',
    },
  ];
}

/** Receivers that do not take alarms: told through the others. */
export function sinkFaults({ refused }: Observation): readonly Fault[] {
  return Object.entries(refused)
    .filter(([, count]) => count > 0)
    .map(([sink, count]) => ({
      id: `alarms:${sink}`,
      where: 'alarms',
      severity: 'warning',
      title: `The receiver ${sink} does not take alarms`,
      text: `${count} alarms were given up there. Test it with \`umbus alarms test\`.`,
      details: { sink, count },
      holdMs: 0,
      subject: '',
    }));
}
