import type { Fault, Where } from './fault.ts';
import type { GroupLag, Observation } from './observation.ts';
import type { RuleSettings } from './rule-settings.ts';
import { namesText, spanText } from './texts.ts';

/** The hop that a topology is; others are topologies of the user's. */
const hops: Readonly<Record<string, Where>> = {
  'mysql-extractor': 'extractor',
  dispatcher: 'dispatcher',
  appender: 'appender',
  heartbeat: 'heartbeat',
};

/** Topologies of full pulls: their work waits in line, for hours where a table is large. */
const unhurried: ReadonlySet<string> = new Set(['splitter', 'puller']);

function hopOf(topology: string): { readonly id: string; readonly where: Where } {
  const where = Object.hasOwn(hops, topology) ? hops[topology] : undefined;
  return where === undefined ? { id: `topology:${topology}`, where: 'topology' } : { id: where, where };
}

/** Topologies that no live process runs. */
export function absentFaults(seen: Observation, settings: RuleSettings): readonly Fault[] {
  const { running, expected, nowMs } = seen;
  const lateMs = settings.lateMs('', nowMs);
  if (running === null || lateMs === null) return [];
  return expected
    .filter(topology => !running.has(topology))
    .map(topology => ({
      ...hopOf(topology),
      severity: 'critical',
      title: `No process runs the ${topology}`,
      text: `No live process shows itself as one that runs ${topology}. It has failed, was stopped, or cannot reach coordination. Start \`umbus run\` with it, and look at the last lines of the log of the process that ran it. Nothing is lost: it goes on at the next record.`,
      details: { topology },
      holdMs: lateMs,
      subject: '',
    }));
}

/** Groups whose oldest unread record is too old: seen on the log, whatever the topology says of itself. */
export function lagFaults(seen: Observation, settings: RuleSettings): readonly Fault[] {
  const { log, nowMs } = seen;
  const late = (log?.lags ?? []).filter(lag => isLate(lag, nowMs, settings));
  const byId = new Map<string, GroupLag[]>();
  for (const lag of late) {
    const id = lag.topology === null ? `consumer:${lag.group}` : hopOf(lag.topology).id;
    byId.set(id, [...(byId.get(id) ?? []), lag]);
  }
  return [...byId].map(([id, lags]) => lagFault(id, lags, nowMs, settings));
}

function isLate({ topology, topic, oldestMs }: GroupLag, nowMs: number, settings: RuleSettings): boolean {
  if (topology !== null && unhurried.has(topology)) return false;
  const schema = topic.split('.')[1] ?? '';
  const lateMs = settings.lateMs(schema, nowMs);
  return lateMs !== null && oldestMs !== null && nowMs - oldestMs >= lateMs;
}

function lagFault(id: string, lags: readonly GroupLag[], nowMs: number, settings: RuleSettings): Fault {
  const oldestMs = Math.min(...lags.map(lag => lag.oldestMs ?? nowMs));
  const records = lags.reduce((sum, lag) => sum + lag.records, 0);
  const places = lags.map(({ topic, partition }) => `${topic}/${partition}`);
  const [first] = lags;
  const topology = first?.topology ?? null;
  const who = topology === null ? `consumer group ${first?.group}` : topology;
  const behind = spanText(nowMs - oldestMs);
  return {
    id,
    where: topology === null ? 'consumer' : hopOf(topology).where,
    severity: topology === null ? 'warning' : 'critical',
    title: `The ${who} is ${behind} late`,
    text: `${records} records wait on ${namesText(places)}; the oldest came ${behind} ago. The log has them, so what lies before works. Look at the process that runs it: whether it lives, is overloaded, or meets an error again and again.`,
    details: {
      group: first?.group ?? null,
      records,
      partitions: lags.length,
      seconds: Math.round((nowMs - oldestMs) / 1000),
    },
    holdMs: settings.everyMs,
    subject: '',
  };
}
