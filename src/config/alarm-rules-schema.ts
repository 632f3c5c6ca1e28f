import type { z } from 'zod';
import type { DayWindow } from '../telemetry/alarms/thresholds.ts';
import { Refusal, type SettingText, setting } from './setting.ts';
import { named, section } from './setting-groups.ts';
import { duration, durationOrNone, patterns, size, whole, word } from './settings.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A time of day such as `01:30-05:00`, in UTC. */
function dayWindow(about: SettingText): z.ZodType<DayWindow | null> {
  return setting<DayWindow | null>(
    { type: 'time of day', ...about },
    { value: null, text: 'none' },
    input => {
      const [, ...parts] =
        typeof input === 'string'
          ? (/^([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)$/.exec(input.trim()) ?? [])
          : [];
      const [fromHour, fromMinute, toHour, toMinute] = parts.map(Number);
      if (
        fromHour === undefined ||
        fromMinute === undefined ||
        toHour === undefined ||
        toMinute === undefined
      )
        return new Refusal('a time of day such as 01:30-05:00');
      return { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute };
    },
  );
}

const window = dayWindow({ doc: 'A time of day, in UTC, in which `lateInWindow` counts instead of `late`.' });
const lateInWindow = durationOrNone(
  { doc: 'As `late`, inside of `window`; `none`: never late.' },
  { value: null, text: 'none' },
);

const table = section(
  {
    doc: 'Tables or schemas with another delay. The first pattern that matches `schema.table`, or the schema, counts.',
  },
  {
    late: durationOrNone(
      { doc: 'From which delay on they are late; `none`: never.' },
      { value: MINUTE_MS, text: '1m' },
    ),
    window,
    lateInWindow,
  },
);

/** The keys of the `alarms` section that say what is an alarm. */
export const alarmRules = {
  every: duration(
    { doc: 'How often the line is looked at, by one process of those that run it.', min: '1s', max: '10m' },
    { value: 10_000, text: '10s' },
  ),
  late: durationOrNone(
    {
      doc: 'From which delay on a hop, a table, or the source itself is late; what does not answer for so long is an alarm too. `none`: never.',
    },
    { value: MINUTE_MS, text: '1m' },
  ),
  window,
  lateInWindow,
  tables: named(
    {
      name: '<pattern>',
      doc: 'Tables or schemas with a delay of their own.',
      expected: 'table patterns',
      expectedName: 'a table pattern of up to 200 characters',
      pattern: /^.{1,200}$/s,
      optional: true,
    },
    table,
  ),
  consumers: patterns(
    { doc: 'Consumer groups of others that must keep up with the result topics, by pattern.' },
    [],
  ),
  schemaChanges: word(
    {
      words: ['breaking', 'widening', 'compatible', 'none'],
      doc: 'From which verdict on a change of a table is an alarm (ums-schema/README.md, section 17). Rows that went or came unseen are one in any case but `none`.',
    },
    { value: 'breaking', text: 'breaking' },
  ),
  purge: duration(
    {
      doc: 'Alarm when the source will purge binlog that was not read in less than this.',
      min: '1m',
      max: '30d',
    },
    { value: 12 * HOUR_MS, text: '12h' },
  ),
  pullIdle: durationOrNone(
    {
      doc: 'Alarm when nothing comes of a full pull for so long, while it is not paused and nothing that it must leave to others holds it back; `none`: never.',
    },
    { value: 10 * MINUTE_MS, text: '10m' },
  ),
  logPercent: whole<never>(
    {
      doc: 'Alarm when the embedded log is so full, in percent of `log.embedded.maxBytes`.',
      min: 1,
      max: 100,
    },
    { value: 90, text: '90' },
  ),
  diskFree: size(
    { doc: 'Alarm when the disk of the embedded log has less room than this.', min: '1MB', max: '16TB' },
    { value: 1024 ** 3, text: '1GB' },
  ),
  clear: duration(
    {
      doc: 'A fault that was not seen for so long is over; what comes back before is the same one.',
      min: '1s',
      max: '1d',
    },
    { value: 30_000, text: '30s' },
  ),
  repeat: duration(
    { doc: 'A fault that lasts is told again after so long.', min: '1m', max: '30d' },
    { value: 6 * HOUR_MS, text: '6h' },
  ),
};
