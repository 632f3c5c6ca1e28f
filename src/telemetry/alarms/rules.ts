import type { Fault } from './fault.ts';
import { advance, type Frontier, noFrontier } from './frontier.ts';
import { heartbeatFaults } from './heartbeat-rules.ts';
import { absentFaults, lagFaults } from './hop-rules.ts';
import type { Observation } from './observation.ts';
import { fullFaults, pullFaults } from './pull-rules.ts';
import type { RuleSettings } from './rule-settings.ts';
import { extractorFaults, sourceFaults } from './source-rules.ts';
import { logFaults, parkedFaults, purgeFaults, sinkFaults } from './state-rules.ts';

/** What the rules remember from round to round. Plain JSON. */
export interface RuleMemory {
  readonly frontier: Frontier;
}

export const noMemory: RuleMemory = { frontier: noFrontier };

/**
 * What is wrong now. A fault that explains others takes their place: while the source cannot be reached nobody hears that tables are late. `active`: ids of faults that were
 * there a moment ago, whose consequences may still be on their way. Pure.
 */
export function judge(
  seen: Observation,
  memory: RuleMemory,
  active: ReadonlySet<string>,
  settings: RuleSettings,
): { readonly faults: readonly Fault[]; readonly memory: RuleMemory } {
  const source = seen.source.reachable ? seen.source : null;
  const landed = seen.log?.landed ?? null;
  const frontier = advance(memory.frontier, source, landed, seen.nowMs);
  const log = logFaults(seen, settings);
  const upstream = sourceFaults(seen, settings);
  const unreachable = upstream.some(({ id }) => id === 'source') || active.has('source');
  const extractor = unreachable ? [] : extractorFaults(seen, frontier, settings);
  const absent = absentFaults(seen, settings);
  const hops = oncePerId([...absent, ...extractor, ...lagFaults(seen, settings)]);
  const causes = new Set([...log, ...upstream, ...hops].map(({ id }) => id));
  const explained = [...causes, ...active].some(id => explainsLateness(id));
  const beats = heartbeatFaults(seen, { explained, unreachable }, settings);
  const rest = [
    ...parkedFaults(seen),
    ...pullFaults(seen, explained, settings),
    ...fullFaults(seen),
    ...purgeFaults(seen, isBehind(seen, frontier, settings), settings),
    ...sinkFaults(seen),
  ];
  return { faults: oncePerId([...log, ...upstream, ...hops, ...beats, ...rest]), memory: { frontier } };
}

/** Whether the extractor has been late, or could not be compared with the source, for as long as something has to last. */
function isBehind({ nowMs }: Observation, { untilMs }: Frontier, { lateMs, everyMs }: RuleSettings): boolean {
  return untilMs !== null && nowMs - untilMs >= (lateMs('', nowMs) ?? everyMs);
}

/** Faults after which late tables are no news. */
const explaining: ReadonlySet<string> = new Set([
  'source',
  'source:gone',
  'replica',
  'extractor',
  'dispatcher',
  'appender',
  'heartbeat',
  'log',
  'log:full',
]);

function explainsLateness(id: string): boolean {
  return explaining.has(id);
}

/** The first of those with the same id says most; what two found needs to last no longer than either asks. */
function oncePerId(faults: readonly Fault[]): readonly Fault[] {
  const byId = new Map<string, Fault>();
  for (const fault of faults) {
    const first = byId.get(fault.id);
    const holdMs = Math.min(fault.holdMs, first?.holdMs ?? fault.holdMs);
    byId.set(fault.id, { ...(first ?? fault), holdMs });
  }
  return [...byId.values()];
}
