import { errorTable } from '../../core/errors.ts';
import type { Fault } from './fault.ts';
import type { HeldSeen, Observation, WatchedPull } from './observation.ts';
import type { RuleSettings } from './rule-settings.ts';
import { sizeText, spanText } from './texts.ts';

/** A pull that goes on after a pause has so long to show something. */
const STILL_HOLD_MS = 60_000;
/** From this share of what may wait of a table on somebody should look. */
const NEARLY_FULL = 0.8;

type Failed = Extract<WatchedPull, { kind: 'failed' }>;
type Open = Extract<WatchedPull, { kind: 'open' }>;

/** Full pulls that failed, until their tables are pulled again, and those that stand still although nobody wants it and nothing that was found elsewhere (`explained`) says why. */
export function pullFaults(
  { pulls, running, nowMs }: Observation,
  explained: boolean,
  settings: RuleSettings,
): readonly Fault[] {
  return (pulls ?? []).flatMap(pull => {
    if (pull.kind === 'failed') return [failedFault(pull)];
    const { pullIdleMs } = settings;
    const idleMs = nowMs - pull.progressMs;
    if (explained || pullIdleMs === null || pull.meant || idleMs < pullIdleMs) return [];
    return [stillFault(pull, idleMs, running, settings)];
  });
}

function failedFault({ pull, table, code, message }: Failed): Fault {
  const remedy = isKnown(code) ? ` ${errorTable[code].remedy}` : '';
  return {
    id: `pull:${pull}`,
    where: 'pull',
    severity: 'warning',
    title: `The full pull of ${table} failed: ${code}`,
    text: `${message} What the pull ${pull} published stays right, and the table's changes go on.${remedy} \`umbus pull\` pulls the table again.`,
    details: { pull, table, code },
    holdMs: 0,
    subject: table,
    once: true,
  };
}

function stillFault(
  { pull, table, status }: Open,
  idleMs: number,
  running: Observation['running'],
  { everyMs }: RuleSettings,
): Fault {
  const needed = status === 'init' || status === 'splitting' ? 'splitter' : 'puller';
  const absent = ['splitter', 'puller'].filter(topology => running !== null && !running.has(topology));
  const why =
    absent.length === 0
      ? `Look at the log lines of the processes that run the ${needed}, and at the appender, which has to answer.`
      : `No live process runs ${absent.join(' or ')}: start \`umbus run\` with ${absent.length > 1 ? 'them' : 'it'}.`;
  return {
    id: `pull:still:${pull}`,
    where: 'pull',
    severity: 'warning',
    title: `The full pull of ${table} stands still`,
    text: `Nothing of the pull ${pull} came for ${spanText(idleMs)}. It is not paused, and neither source nor line has too much to do. ${why} Nothing is lost: it goes on where it was. \`umbus pulls\` shows it.`,
    details: { pull, table, status, seconds: Math.round(idleMs / 1000) },
    holdMs: Math.max(everyMs, STILL_HOLD_MS),
    subject: table,
  };
}

/** Tables for which so much waits that their pull may end. */
export function fullFaults({ log, nowMs }: Observation): readonly Fault[] {
  return (log?.held ?? []).filter(isFull).map(held => heldFault(held, nowMs));
}

function isFull({ bytes, mostBytes }: HeldSeen): boolean {
  return bytes >= mostBytes * NEARLY_FULL;
}

/** Of a table whose changes and heartbeats wait for a full pull of it. */
export function heldFault(held: HeldSeen, nowMs: number): Fault {
  const { table, pull, sinceMs, bytes, mostBytes } = held;
  const full = isFull(held);
  const percent = Math.floor((100 * bytes) / mostBytes);
  const next = full
    ? 'When it has more the pull ends with UMBUS_PULL_HELD: let it end sooner (`umbus pulls`), or raise `pull.heldBytes`.'
    : 'Nothing is wrong: they come in order when the pull is over. `umbus pulls` shows how far it is, and `--cancel` lets them out at once.';
  return {
    id: `held:${table}`,
    where: 'pull',
    severity: full ? 'warning' : 'info',
    title: full
      ? `Table ${table} waits for its full pull, and has ${percent} % of what may wait`
      : `Table ${table} waits for its full pull`,
    text: `Its changes and heartbeats wait for ${spanText(nowMs - sinceMs)} in the appender until the pull ${pull} of it is over: ${sizeText(bytes)} of at most ${sizeText(mostBytes)}. ${next}`,
    details: { pull, table, bytes, mostBytes, seconds: Math.max(0, Math.round((nowMs - sinceMs) / 1000)) },
    holdMs: 0,
    subject: table,
  };
}

function isKnown(code: string): code is keyof typeof errorTable {
  return Object.hasOwn(errorTable, code);
}
