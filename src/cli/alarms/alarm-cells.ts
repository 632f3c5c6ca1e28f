import { Buffer } from 'node:buffer';
import type { Alarm } from '../../ports/alarm.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { type EngineState, noFaults } from '../../telemetry/alarms/engine.ts';
import { noMemory, type RuleMemory } from '../../telemetry/alarms/rules.ts';
import type { Silence } from '../../telemetry/alarms/silence.ts';

/** Everything that the alarms of a line remember, so that a successor goes on where its predecessor stopped. */
export interface AlarmState {
  readonly version: 1;
  readonly engine: EngineState;
  readonly memory: RuleMemory;
  /** Told, and not known to be handed over yet: a successor hands them over again, under the same ids. */
  readonly outbox: readonly Alarm[];
  /** The notice on `<ds>_schema` that comes next, as the text of its offset; absent before the first look. */
  readonly schemaNext?: string;
}

/** What was told, newest last. */
export interface AlarmHistory {
  readonly alarms: readonly Alarm[];
}

const STATE = 'alarms/state';
const SILENCES = 'alarms/silences';
const HISTORY = 'alarms/history';
const HISTORY_MAX = 200;
const OUTBOX_MAX = 200;

const empty: AlarmState = { version: 1, engine: noFaults, memory: noMemory, outbox: [] };

/** A value with the version to give when it is replaced. */
export interface Stored<T> {
  readonly value: T;
  readonly version: bigint;
}

/** Reads what is remembered; the beginning where there is nothing, or another version has written it. Errors: UMBUS_COORDINATION_*. */
export async function readState(coordination: Coordination): Promise<Stored<AlarmState>> {
  const { value, version } = await readJson<AlarmState>(coordination, STATE, empty);
  return { value: value.version === 1 ? value : empty, version };
}

/** Errors: UMBUS_COORDINATION_CONFLICT when somebody else has written meanwhile. */
export function writeState(coordination: Coordination, state: AlarmState, version: bigint): Promise<bigint> {
  const outbox = state.outbox.slice(-OUTBOX_MAX);
  return coordination.put(STATE, bytesOf({ ...state, outbox }), { ifVersion: version });
}

/** The silences, also those that are over. */
export async function readSilences(coordination: Coordination): Promise<Stored<readonly Silence[]>> {
  return await readJson<readonly Silence[]>(coordination, SILENCES, []);
}

export function writeSilences(
  coordination: Coordination,
  silences: readonly Silence[],
  version: bigint,
): Promise<bigint> {
  return coordination.put(SILENCES, bytesOf(silences), { ifVersion: version });
}

/** What was told, newest last; the oldest are dropped. */
export async function readHistory(coordination: Coordination): Promise<readonly Alarm[]> {
  return (await readJson<AlarmHistory>(coordination, HISTORY, { alarms: [] })).value.alarms;
}

/** Only the leader writes it. */
export async function addToHistory(coordination: Coordination, alarms: readonly Alarm[]): Promise<void> {
  const kept = [...(await readHistory(coordination)), ...alarms].slice(-HISTORY_MAX);
  await coordination.put(HISTORY, bytesOf({ alarms: kept }));
}

async function readJson<T>(coordination: Coordination, path: string, otherwise: T): Promise<Stored<T>> {
  const cell = await coordination.get(path);
  if (cell === null) return { value: otherwise, version: 0n };
  // Only the functions above write these cells.
  return { value: JSON.parse(Buffer.from(cell.value).toString('utf8')) as T, version: cell.version };
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
