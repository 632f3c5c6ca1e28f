import type { Fault } from './fault.ts';
import type { HeartbeatSeen, Observation, TableBeats } from './observation.ts';
import type { RuleSettings } from './rule-settings.ts';
import { namesText, spanText } from './texts.ts';

/**
 * Tables whose heartbeats do not arrive, while they are sent, and nothing that was found elsewhere explains it: those of one schema that stop at one hop are one fault. And rounds that cannot
 * be sent.
 */
export function heartbeatFaults(
  seen: Observation,
  found: { readonly explained: boolean; readonly unreachable: boolean },
  settings: RuleSettings,
): readonly Fault[] {
  const { log, nowMs } = seen;
  const heartbeat = log?.heartbeat ?? null;
  const lateMs = settings.lateMs('', nowMs);
  if (heartbeat === null || lateMs === null || found.unreachable) return [];
  const { trouble, roundMs } = heartbeat;
  const quiet = roundMs !== null && nowMs - roundMs >= lateMs;
  if (trouble !== null || quiet) return [roundFault(heartbeat, nowMs, lateMs)];
  return found.explained ? [] : lateFaults(heartbeat, nowMs, settings);
}

function roundFault({ trouble, roundMs }: HeartbeatSeen, nowMs: number, lateMs: number): Fault {
  const since =
    roundMs === null ? 'There has been none yet' : `The last one was ${spanText(nowMs - roundMs)} ago`;
  const why = trouble === null ? 'No process says why.' : trouble.message;
  return {
    id: 'heartbeat',
    where: 'heartbeat',
    severity: 'warning',
    title: 'Heartbeats cannot be sent',
    text: `${since}, and the source answers when it is asked. ${why} Data travel all the same, but nobody sees how late they are.`,
    details: {
      code: trouble?.code ?? null,
      roundSecondsAgo: roundMs === null ? null : Math.round((nowMs - roundMs) / 1000),
    },
    holdMs: lateMs,
    subject: '',
  };
}

type Hop = 'dispatcher' | 'appender' | 'consumer';

function lateFaults(heartbeat: HeartbeatSeen, nowMs: number, settings: RuleSettings): readonly Fault[] {
  const byPlace = new Map<
    string,
    { readonly schema: string; readonly hop: Hop; readonly tables: TableBeats[] }
  >();
  for (const beats of heartbeat.tables) {
    const hop = lateHop(beats, heartbeat.roundMs, nowMs, settings);
    if (hop === null) continue;
    const schema = beats.table.split('.', 1)[0] ?? '';
    const key = `late:${hop}:${schema}`;
    const place = byPlace.get(key) ?? { schema, hop, tables: [] };
    place.tables.push(beats);
    byPlace.set(key, place);
  }
  return [...byPlace].map(([id, { schema, hop, tables }]) =>
    lateFault(id, schema, hop, tables, nowMs, settings),
  );
}

/** The first hop that the newest round has not passed in time; null when the table is not late. */
function lateHop(
  { table, dispatchedMs, appendedMs, readMs, parked }: TableBeats,
  roundMs: number | null,
  nowMs: number,
  settings: RuleSettings,
): Hop | null {
  const lateMs = settings.lateMs(table, nowMs);
  const isLate = (atMs: number | null): boolean => lateMs !== null && atMs !== null && nowMs - atMs >= lateMs;
  // A table that never had a heartbeat is not subscribed any more, or is new.
  if (parked || lateMs === null || roundMs === null || !isLate(readMs)) return null;
  if (isLate(dispatchedMs)) return 'dispatcher';
  return isLate(appendedMs) ? 'appender' : 'consumer';
}

function lateFault(
  id: string,
  schema: string,
  hop: Hop,
  tables: readonly TableBeats[],
  nowMs: number,
  settings: RuleSettings,
): Fault {
  const oldestMs = Math.min(...tables.map(({ readMs }) => readMs ?? nowMs));
  const names = tables.map(({ table }) => table);
  const [only] = names;
  const what = names.length === 1 ? `Table ${only} is` : `${names.length} tables of ${schema} are`;
  return {
    id,
    where: hop,
    severity: 'warning',
    title: `${what} ${spanText(nowMs - oldestMs)} late in the ${hop}`,
    text: `Heartbeats are sent and stop before or in the ${hop} for ${namesText(names)}, while the hops as a whole keep up. Look for what only these tables meet: errors in the log lines, a partition that nobody reads.`,
    details: {
      schema,
      tables: names.length,
      table: only ?? null,
      seconds: Math.round((nowMs - oldestMs) / 1000),
    },
    holdMs: settings.everyMs,
    subject: names.length === 1 ? (only ?? schema) : schema,
  };
}
