import { parseDuration } from './quantity.ts';
import { Refusal, setting } from './setting.ts';
import { optionalSection } from './setting-groups.ts';
import { duration, flag, whole, word } from './settings.ts';

const MIN_MS = 100;
const MAX_MS = 3_600_000;
/** Five fields, or six with seconds first, as node-cron takes them; whether they have a meaning is told when the line runs or is checked. */
const CRON = /^\s*([\w*,/?#-]+\s+){4,5}[\w*,/?#-]+\s*$/;

/** When a line beats: every so many milliseconds, counted from 1970, or at the times of a cron expression in UTC. */
export type BeatEvery =
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'cron'; readonly expression: string };

function everyOf(input: unknown): BeatEvery | Refusal {
  const ms = typeof input === 'string' ? parseDuration(input) : null;
  if (ms !== null && ms >= MIN_MS && ms <= MAX_MS) return { kind: 'interval', ms };
  if (typeof input === 'string' && CRON.test(input)) return { kind: 'cron', expression: input.trim() };
  const unitless = typeof input === 'number' ? `write ${input}s for seconds` : null;
  return new Refusal(
    "a duration from 100ms to 1h, such as 5s, or a cron expression such as '*/10 * * * * *'",
    unitless,
  );
}

/** The `heartbeat` section. */
export const heartbeatSchema = optionalSection(
  {
    doc: 'Rows that the line inserts into the source on a schedule and that travel with the data: they show that the line lives and how late each table is. Left out, the line inserts none.',
  },
  {
    every: setting<BeatEvery>(
      {
        type: 'duration or cron expression',
        doc: "How often: `5s`, or when: `'*/10 * * * * *'` (node-cron, seconds first, UTC).",
      },
      { value: { kind: 'interval', ms: 5_000 }, text: '5s' },
      everyOf,
    ),
    rows: word(
      {
        words: ['line', 'schema'],
        doc: '`line`: one row a round, for all tables. `schema`: one for each schema, as consumers of DBUS may expect. Never one for each table.',
      },
      { value: 'line', text: 'line' },
    ),
    keep: whole<never>(
      {
        doc: 'So many rows of the line stay in the source; older ones are deleted.',
        min: 1,
        max: 10_000_000,
      },
      { value: 10_000, text: '10000' },
    ),
    timeout: duration(
      {
        doc: 'A statement of a round that takes longer is given up, and its session is cut.',
        min: '100ms',
        max: '5m',
      },
      { value: 5_000, text: '5s' },
    ),
    statistics: flag(
      {
        doc: 'Writes what each hop has counted and when the heartbeat passed it to `dbus_statistic`, and reads the result topics back to see the heartbeats arrive.',
      },
      true,
    ),
  },
);
