import type { Line } from '../../config/line.ts';
import { matcher } from '../../config/table-pattern.ts';
import type { RuleSettings } from '../../telemetry/alarms/rule-settings.ts';
import { lateNow } from '../../telemetry/alarms/thresholds.ts';

/** The rules of a line: the first pattern that matches a table, or its schema, counts; else what is set for the line. */
export function ruleSettings({ ds, alarms }: Line): RuleSettings {
  const { everyMs, late, tables, purgeMs, pullIdleMs, logPercent, diskFreeBytes } = alarms;
  const patterns = tables.map(({ pattern, rule }) => ({ matches: matcher([pattern]), rule }));
  return {
    ds,
    everyMs,
    purgeMs,
    pullIdleMs,
    logPercent,
    diskFreeBytes,
    lateMs: (subject, nowMs) => {
      const schema = subject.split('.', 1)[0] ?? '';
      const found =
        subject === '' ? undefined : patterns.find(({ matches }) => matches(subject) || matches(schema));
      return lateNow(found?.rule ?? late, nowMs);
    },
  };
}
