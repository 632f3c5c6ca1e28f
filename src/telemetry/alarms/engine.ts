import type { Alarm } from '../../ports/alarm.ts';
import type { Fault } from './fault.ts';

/** What is remembered of a fault. */
export interface KnownFault {
  readonly fault: Fault;
  /** When it was seen first, and last: milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  readonly seenMs: number;
  /** When people were told last of the alarm that it went into, and the id of that; null before. */
  readonly toldMs: number | null;
  readonly toldAs: string | null;
}

/** What the engine remembers from round to round. Plain JSON. */
export interface EngineState {
  /** By id of the fault. */
  readonly faults: Readonly<Record<string, KnownFault>>;
}

/** Times of the engine, in milliseconds. */
export interface EngineSettings {
  readonly line: string;
  /** A fault that was not seen for so long is over; until then it is the same one. */
  readonly clearMs: number;
  /** A fault that lasts is told again after so long. */
  readonly repeatMs: number;
  /** Whether nobody wants to be told of a fault now. */
  readonly silenced: (fault: Fault, nowMs: number) => boolean;
}

/** Faults of one kind that begin together are told in one alarm from this number on. */
export const TOGETHER = 5;
/** Faults that are remembered; more are not told. */
export const FAULTS_MAX = 500;
/** Names in the text of an alarm for several. */
const NAMES_MAX = 20;

export const noFaults: EngineState = { faults: {} };

/**
 * One round: what is wrong now, after what was known before, gives what is known and what people are told. A fault is told once it has lasted, again after `repeatMs`, and
 * when it is over. Pure: the same rounds give the same alarms, also when the state was stored between them and read back.
 */
export function step(
  before: EngineState,
  present: readonly Fault[],
  nowMs: number,
  settings: EngineSettings,
): { readonly state: EngineState; readonly alarms: readonly Alarm[] } {
  const seen = noted(before, present, nowMs);
  const gone = Object.entries(seen).filter(
    ([, { seenMs, toldMs }]) => nowMs - seenMs >= (toldMs === null ? 1 : settings.clearMs),
  );
  const goneIds = new Set(gone.map(([id]) => id));
  const kept = Object.fromEntries(Object.entries(seen).filter(([id]) => !goneIds.has(id)));
  const due = Object.values(kept).filter(known => isDue(known, nowMs, settings));
  const raised = groupsOf(due).map(group => raise(group, nowMs, settings));
  const told = new Map(raised.flatMap(({ ids, alarm }) => ids.map(id => [id, alarm.id] as const)));
  const again = new Set(told.values());
  const faults = Object.fromEntries(
    Object.entries(kept).map(([id, known]) => {
      // An alarm for several is told again for all of them, also for those that are not there in this round.
      const toldAs = told.get(id) ?? (again.has(known.toldAs ?? '') ? known.toldAs : undefined);
      return [id, toldAs === undefined ? known : { ...known, toldMs: nowMs, toldAs }];
    }),
  );
  const recovered = recoveries(
    gone.map(([, known]) => known),
    Object.values(faults),
    nowMs,
    settings,
  );
  return { state: { faults }, alarms: [...recovered, ...raised.map(({ alarm }) => alarm)] };
}

function noted(
  { faults }: EngineState,
  present: readonly Fault[],
  nowMs: number,
): Readonly<Record<string, KnownFault>> {
  const known: Record<string, KnownFault> = { ...faults };
  let count = Object.keys(known).length;
  for (const fault of present) {
    const earlier = known[fault.id];
    if (earlier === undefined && count >= FAULTS_MAX) continue;
    if (earlier === undefined) count += 1;
    known[fault.id] = {
      fault,
      sinceMs: earlier?.sinceMs ?? nowMs,
      seenMs: nowMs,
      toldMs: earlier?.toldMs ?? null,
      toldAs: earlier?.toldAs ?? null,
    };
  }
  return known;
}

function isDue(
  { fault, sinceMs, seenMs, toldMs }: KnownFault,
  nowMs: number,
  { repeatMs, silenced }: EngineSettings,
): boolean {
  // Not there in this round: it may be over.
  if (seenMs !== nowMs || silenced(fault, nowMs)) return false;
  if (toldMs === null) return nowMs - sinceMs >= fault.holdMs;
  return fault.once !== true && nowMs - toldMs >= repeatMs;
}

/** Faults that go into one alarm: those that were told so before, and many new ones of a kind. */
function groupsOf(due: readonly KnownFault[]): readonly (readonly KnownFault[])[] {
  const groups = new Map<string, KnownFault[]>();
  for (const known of due) {
    const key = known.toldAs ?? `new ${known.fault.where}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [known]);
    else group.push(known);
  }
  return [...groups].flatMap(([key, group]) =>
    key.startsWith('new ') && group.length < TOGETHER ? group.map(known => [known]) : [group],
  );
}

function raise(
  group: readonly KnownFault[],
  nowMs: number,
  { line }: EngineSettings,
): { readonly ids: readonly string[]; readonly alarm: Alarm } {
  const ids = group.map(({ fault }) => fault.id);
  const [first] = group;
  const fault = first === undefined || group.length > 1 ? together(group) : first.fault;
  // With the time, since the first of several may be over before the others, and begin anew with yet others.
  const several = `${line}:several:${first?.fault.id}:${first?.sinceMs}`;
  const id = first?.toldAs ?? (group.length > 1 ? several : `${line}:${fault.id}`);
  return { ids, alarm: alarmOf(id, 'raised', fault, nowMs, line) };
}

function together(group: readonly KnownFault[]): Fault {
  const faults = group.map(({ fault }) => fault);
  const named = faults.slice(0, NAMES_MAX).map(({ title }) => title);
  const more = faults.length > named.length ? `\nand ${faults.length - named.length} more` : '';
  const critical = faults.some(({ severity }) => severity === 'critical');
  const [first] = faults;
  return {
    id: first?.id ?? '',
    where: first?.where ?? 'topology',
    severity: critical ? 'critical' : 'warning',
    title: `${faults.length} faults at once, the first: ${first?.title ?? ''}`,
    text: `${named.join('\n')}${more}\n\n${first?.text ?? ''}`,
    details: { where: first?.where ?? null, faults: faults.length },
    holdMs: 0,
    subject: '',
  };
}

/** What was told is over when all that was told with it is over. */
function recoveries(
  gone: readonly KnownFault[],
  left: readonly KnownFault[],
  nowMs: number,
  { line }: EngineSettings,
): readonly Alarm[] {
  const open = new Set(left.map(({ toldAs }) => toldAs));
  const over = new Map<string, KnownFault[]>();
  for (const known of gone) {
    if (known.toldAs === null || open.has(known.toldAs)) continue;
    over.set(known.toldAs, [...(over.get(known.toldAs) ?? []), known]);
  }
  return [...over].map(([id, group]) => {
    const [first] = group;
    const fault = group.length > 1 || first === undefined ? together(group) : first.fault;
    const lasted = Math.round((nowMs - Math.min(...group.map(({ sinceMs }) => sinceMs))) / 1000);
    const details = { ...fault.details, lastedSeconds: lasted };
    const text = `It lasted ${lasted} seconds. It was: ${fault.title}.`;
    return alarmOf(id, 'recovered', { ...fault, details, text, title: `Over: ${fault.title}` }, nowMs, line);
  });
}

function alarmOf(id: string, state: Alarm['state'], fault: Fault, atMs: number, line: string): Alarm {
  const { severity, title, text, details } = fault;
  return { id, line, severity, state, title, text, atMs, details: { where: fault.where, ...details } };
}
