import type { Log, LogRecord, OutgoingRecord, TopicDescription } from '../../ports/log.ts';
import { schemasStore, type TableState, tablesStore } from '../../stages/append.ts';
import type { TableSchema } from '../../ums/table-schema.ts';
import { type NewestRecord, newestByKey } from '../status/table-store.ts';

/** A table that is parked, as the appender's stores have it. */
export interface ParkedTable {
  readonly name: string;
  readonly state: TableState;
  /** Its columns in the store `schemas`; null for none. */
  readonly columns: TableSchema | null;
  /** Its newest record in the store's changelog. */
  readonly stored: LogRecord;
  /** Of the changelog and the input topic. */
  readonly partition: number;
}

/** Name of the writer of whatever the commands write in the appender's place; one fences the other. */
export function replayWriterOf(ds: string): string {
  return `umbus.${ds}.appender.replay`;
}

/** The record that puts another state of the table in the place of its newest, or a value in that of a store beside. */
export function storedRecord(
  { stored, partition }: ParkedTable,
  topic: string,
  key: Uint8Array,
  value: Uint8Array | null,
): OutgoingRecord {
  // The state includes the same input as the one before it; a restore takes the later of two such.
  return { topic, partition, key, value, timestampMs: stored.timestampMs, headers: stored.headers };
}

/** All tables that are parked, by name; `changelog` and `schemas` are those of the appender's stores, null for none yet. */
export async function parkedTables(
  log: Log,
  changelog: TopicDescription | null,
  schemas: TopicDescription | null,
  signal: AbortSignal,
): Promise<readonly ParkedTable[]> {
  if (changelog === null) return [];
  const newest = await newestByKey(log, changelog, signal);
  const columns =
    schemas === null ? new Map<string, NewestRecord>() : await newestByKey(log, schemas, signal);
  const tables: ParkedTable[] = [];
  for (const [name, { record, partition }] of newest) {
    if (record.value === null) continue;
    const state = tablesStore.value.decode(record.value);
    if (state.parked === null) continue;
    const known = columns.get(name)?.record.value ?? null;
    tables.push({
      name,
      state,
      columns: known === null ? null : schemasStore.value.decode(known),
      stored: record,
      partition,
    });
  }
  return tables.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
