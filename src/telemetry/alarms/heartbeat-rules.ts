import type { Fault } from './fault.ts';
import type { HeartbeatSeen, HeldSeen, Observation, TableBeats } from './observation.ts';
import { heldFault } from './pull-rules.ts';
import type { RuleSettings } from './rule-settings.ts';
import { namesText, spanText } from './texts.ts';

/**
 * Tables whose heartbeats do not arrive, while they are sent, and nothing that was found elsewhere explains it: those of one schema that stop at one hop are one fault; one that waits for its full pull is told as such. And rounds that cannot
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
  const { trouble, roundMs, gapMs } = heartbeat;
  const quiet = roundMs !== null && gapMs !== null && nowMs - roundMs >= gapMs + lateMs;
  if (trouble !== null || quiet) return [roundFault(heartbeat, nowMs, lateMs)];
  return found.explained || gapMs === null
    ? []
    : lateFaults(heartbeat.tables, log?.held ?? [], gapMs, nowMs, settings);
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

/** Where heartbeats of some tables stop. */
interface LatePlace {
  readonly schema: string;
  readonly hop: Hop;
  readonly tables: readonly TableBeats[];
}

function lateFaults(
  all: readonly TableBeats[],
  held: readonly HeldSeen[],
  gapMs: number,
  nowMs: number,
  settings: RuleSettings,
): readonly Fault[] {
  const byPlace = new Map<string, LatePlace & { readonly tables: TableBeats[] }>();
  const heldBy = new Map(held.map(each => [each.table, each]));
  const waiting: Fault[] = [];
  for (const beats of all) {
    const hop = lateHop(beats, gapMs, nowMs, settings);
    if (hop === null) continue;
    const hold = heldBy.get(beats.table);
    if (hold !== undefined) {
      waiting.push(heldFault(hold, nowMs));
      continue;
    }
    const schema = beats.table.split('.', 1)[0] ?? '';
    const key = `late:${hop}:${schema}`;
    const place = byPlace.get(key) ?? { schema, hop, tables: [] };
    place.tables.push(beats);
    byPlace.set(key, place);
  }
  return [...waiting, ...[...byPlace].map(([id, place]) => lateFault(id, place, nowMs - gapMs, settings))];
}

/** The first hop that the round after the newest one that passed it has not passed in time; null when the table is not late. */
function lateHop(
  { table, dispatchedMs, appendedMs, readMs, parked }: TableBeats,
  gapMs: number,
  nowMs: number,
  settings: RuleSettings,
): Hop | null {
  const lateMs = settings.lateMs(table, nowMs);
  const isLate = (atMs: number | null): boolean =>
    lateMs !== null && atMs !== null && nowMs - atMs >= gapMs + lateMs;
  // A table that never had a heartbeat is not subscribed any more, or is new.
  if (parked || !isLate(readMs)) return null;
  if (isLate(dispatchedMs)) return 'dispatcher';
  return isLate(appendedMs) ? 'appender' : 'consumer';
}

/** `dueMs`: a round that began before it was to be followed by another by now. */
function lateFault(
  id: string,
  { schema, hop, tables }: LatePlace,
  dueMs: number,
  settings: RuleSettings,
): Fault {
  const lateMs = dueMs - Math.min(...tables.map(({ readMs }) => readMs ?? dueMs));
  const names = tables.map(({ table }) => table);
  const [only] = names;
  const what = names.length === 1 ? `Table ${only} is` : `${names.length} tables of ${schema} are`;
  return {
    id,
    where: hop,
    severity: 'warning',
    title: `${what} ${spanText(lateMs)} late in the ${hop}`,
    text: `Heartbeats are sent and stop before or in the ${hop} for ${namesText(names)}, while the hops as a whole keep up. Look for what only these tables meet: errors in the log lines, a partition that nobody reads.`,
    details: {
      schema,
      tables: names.length,
      table: only ?? null,
      seconds: Math.round(lateMs / 1000),
    },
    holdMs: settings.everyMs,
    subject: names.length === 1 ? (only ?? schema) : schema,
  };
}
