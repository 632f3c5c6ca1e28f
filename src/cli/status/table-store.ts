import { Buffer } from 'node:buffer';
import { isUmbusError } from '../../core/errors.ts';
import type { Log, LogRecord, TopicDescription, TopicPartition } from '../../ports/log.ts';
import { tablesStore } from '../../stages/append.ts';
import type { TableStatus } from './line-status.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** The changelog topic of the appender's store `tables`; null before its first start. */
export function tablesTopic(topics: readonly TopicDescription[], ds: string): TopicDescription | null {
  return changelogOf(topics, ds, 'tables');
}

/** The changelog topic of the appender's store `schemas`; null before its first start. */
export function schemasTopic(topics: readonly TopicDescription[], ds: string): TopicDescription | null {
  return changelogOf(topics, ds, 'schemas');
}

/** The changelog topic of the appender's store `pulls`; null before its first start. */
export function pullsTopic(topics: readonly TopicDescription[], ds: string): TopicDescription | null {
  return changelogOf(topics, ds, 'pulls');
}

function changelogOf(
  topics: readonly TopicDescription[],
  ds: string,
  store: string,
): TopicDescription | null {
  const prefix = `umbus.${ds}.appender`;
  return topics.find(({ name }) => name.startsWith(prefix) && name.endsWith(`-${store}-changelog`)) ?? null;
}

/** The newest record of a key. */
export interface NewestRecord {
  readonly record: LogRecord;
  readonly partition: number;
}

/** The newest record of each key of a compacted topic, by key text; deleted keys are left out. */
export async function newestByKey(
  log: Log,
  topic: TopicDescription,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, NewestRecord>> {
  const newest = new Map<string, NewestRecord>();
  for (const [partition, { earliest, latest }] of topic.extents.entries()) {
    const place: TopicPartition = { topic: topic.name, partition };
    let offset = earliest;
    while (offset < latest && !signal.aborted) {
      const batch = await log.read({ ...place, offset }, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
      for (const record of batch.records) {
        const { key, value } = record;
        const name = key === null ? '' : Buffer.from(key).toString('utf8');
        if (value === null) newest.delete(name);
        else newest.set(name, { record: copyOf(record), partition });
      }
      if (batch.nextOffset === offset) break;
      offset = batch.nextOffset;
    }
  }
  return newest;
}

/** A record without the batch that it was read in. */
function copyOf(record: LogRecord): LogRecord {
  const headers = Object.entries(record.headers).map(([name, bytes]) => [name, Buffer.from(bytes)] as const);
  const { offset, timestampMs, key, value } = record;
  return {
    offset,
    timestampMs,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(headers),
  };
}

/** The tables of a line from the appender's store, by name. */
export async function tableStatuses(
  log: Log,
  described: TopicDescription | null,
  signal: AbortSignal,
): Promise<readonly TableStatus[]> {
  let topic = described;
  while (topic !== null) {
    const { name } = topic;
    try {
      const newest = await newestByKey(log, topic, signal);
      const tables = [...newest]
        .map(([table, { record }]) => tableStatusOf(table, record.value ?? new Uint8Array()))
        // A table that was made and has no rows yet has only the statement that made it.
        .filter(({ messages, parked }) => messages > 0 || parked !== null);
      return tables.toSorted((a, b) => (a.table < b.table ? -1 : 1));
    } catch (error) {
      // Compaction has moved the start of the partition since the topic was described: look again.
      if (!isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE')) throw error;
      topic = signal.aborted ? null : ((await log.topics()).find(each => each.name === name) ?? null);
    }
  }
  return [];
}

function tableStatusOf(table: string, value: Uint8Array): TableStatus {
  const state = tablesStore.value.decode(value);
  const { version, inserts, updates, deletes, messages, marks = 0, lastTs, parked } = state;
  return { table, version, inserts, updates, deletes, messages, marks, lastTs, parked };
}
