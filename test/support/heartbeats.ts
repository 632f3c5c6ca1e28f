/** Heartbeats of a line in a test: the tables in the source, and what came out. */
import type { BeatRecord } from '../../src/change/beat-record.ts';
import { signalTableStatements } from '../../src/change/signal-tables.ts';
import type { StatMessage, StatType } from '../../src/change/stat-message.ts';
import type { Log } from '../../src/ports/log.ts';
import { json } from '../../src/topology/serdes.ts';
import { recordsOf } from './published.ts';
import type { RunningLine } from './running-line.ts';

/** Makes umbus's own tables. */
export async function createSignalTables(execute: (sql: string) => Promise<unknown>): Promise<void> {
  const { schema, heartbeat, watermark } = signalTableStatements('dbus');
  for (const sql of [schema, heartbeat, watermark]) await execute(sql);
}

/** Statistics of a hop, in order. */
export async function statsOf(log: Log, type: StatType): Promise<readonly StatMessage[]> {
  const all = await valuesOf<StatMessage>(log, 'dbus_statistic');
  return all.filter(stat => stat.type === type);
}

/** What a line has noted of its rounds. */
export function roundsOf({ log, line }: RunningLine): Promise<readonly BeatRecord[]> {
  return valuesOf<BeatRecord>(log, `${line.ds}_heartbeat`);
}

async function valuesOf<T>(log: Log, topic: string): Promise<readonly T[]> {
  const topics = await log.topics();
  if (!topics.some(({ name }) => name === topic)) return [];
  const values: T[] = [];
  const serde = json<T>();
  for await (const { record } of recordsOf(log, topic)) {
    if (record.value !== null) values.push(serde.decode(record.value));
  }
  return values;
}

/** The value at a share of the sorted ones, such as 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
