import { decodeRawRun, type RawRun } from '../../change/raw-run.ts';
import type { Line } from '../../config/line.ts';
import type { Log, TopicDescription } from '../../ports/log.ts';
import { offsetOf } from '../../stages/extract-space.ts';
import { noticeTopicOf } from '../../ums/schema-notice.ts';
import { logPlace } from '../open-line.ts';
import { deadTopicOf } from '../parked/dead-records.ts';
import { letterPlaces, waitingLetters } from '../parked/waiting-letters.ts';
import { HeldTables } from '../pull/held-tables.ts';
import { scanEvents } from '../raw-events.ts';
import type {
  DeadStatus,
  ExtractorStatus,
  GroupStatus,
  HeldStatus,
  LineStatus,
  TableStatus,
  TopicStatus,
} from './line-status.ts';
import { tableStatuses, tablesTopic } from './table-store.ts';

/** The parts of a line's status that its log knows. */
export type LogStatus = Pick<
  LineStatus,
  'extractor' | 'topics' | 'groups' | 'tables' | 'held' | 'dead' | 'log'
>;

/** Reads the status of a line from its log; changes nothing. Errors: UMBUS_LOG_*. */
export async function readLogStatus(log: Log, line: Line, signal: AbortSignal): Promise<LogStatus> {
  const topics = topicsOf(line, await log.topics());
  const tables = await tableStatuses(log, tablesTopic(topics, line.ds), signal);
  const bytes = topics.flatMap(topic => topic.extents.map(extent => extent.bytes));
  const known = bytes.filter(size => size !== null);
  return {
    extractor: await extractorStatus(log, topics, line.ds),
    topics: topics.map(topicStatus),
    groups: await groupStatuses(log, topics, await groupsOf(line, log)),
    tables,
    held: await heldStatuses(log, line, topics, signal),
    dead: await deadStatus(log, line.ds, tables, signal),
    log: {
      kind: line.log.kind,
      place: logPlace(line),
      bytes: known.length === bytes.length ? known.reduce((sum, size) => sum + size, 0) : null,
      maxBytes: line.log.kind === 'embedded' ? line.log.maxBytes : null,
    },
  };
}

/** The topics of a line among all. An embedded log is the line's own; a cluster has the topics of others too. */
export function topicsOf(
  { ds, schemas, log }: Line,
  topics: readonly TopicDescription[],
): readonly TopicDescription[] {
  if (log.kind === 'embedded') return topics;
  const own = Object.keys(schemas).flatMap(schema => [`${ds}.${schema}`, `${ds}.${schema}.result`]);
  const others = ['dead', 'heartbeat', 'columns', 'ctrl', 'splits', 'data_shards', 'pull'];
  const names = new Set([ds, noticeTopicOf(ds), ...others.map(name => `${ds}_${name}`), ...own]);
  return topics.filter(({ name }) => names.has(name) || name.startsWith(`umbus.${ds}.`));
}

/** On a cluster the groups of others are left out: there may be thousands, and there are better tools for them. */
async function groupsOf({ ds, log: { kind } }: Line, log: Log): Promise<readonly string[]> {
  const groups = await log.groups();
  return kind === 'embedded' ? groups : groups.filter(name => name.startsWith(`umbus.${ds}.`));
}

/** The newest raw run of a line; null before the first. */
export async function newestRun(
  log: Log,
  topics: readonly TopicDescription[],
  ds: string,
): Promise<RawRun | null> {
  if (!topics.some(topic => topic.name === ds)) return null;
  const [record] = await log.tail({ topic: ds, partition: 0 }, 1);
  return record === undefined || record.value === null ? null : decodeRawRun(record.value);
}

/** Where the extractor of a line has got to; null before its first record. */
export async function extractorStatus(
  log: Log,
  topics: readonly TopicDescription[],
  ds: string,
): Promise<ExtractorStatus | null> {
  const run = await newestRun(log, topics, ds);
  if (run === null) return null;
  const { lastSeconds } = scanEvents(run.events);
  return {
    server: run.server,
    epoch: run.epoch,
    file: run.file,
    position: offsetOf(run.next),
    gtid: run.resume.gtid,
    capturedAt: new Date(run.captured / 1000).toISOString(),
    eventAt: lastSeconds === null ? null : new Date(lastSeconds * 1000).toISOString(),
  };
}

function topicStatus(topic: TopicDescription): TopicStatus {
  const sizes = topic.extents.map(extent => extent.bytes);
  const known = sizes.filter(size => size !== null);
  return {
    topic: topic.name,
    partitions: topic.extents.length,
    records: topic.extents.reduce((sum, extent) => sum + extent.latest - extent.earliest, 0n),
    bytes: known.length === sizes.length ? known.reduce((sum, size) => sum + size, 0) : null,
  };
}

async function groupStatuses(
  log: Log,
  topics: readonly TopicDescription[],
  groups: readonly string[],
): Promise<readonly GroupStatus[]> {
  const partitions = topics.flatMap(topic =>
    topic.extents.map((extent, partition) => ({ topic: topic.name, partition, end: extent.latest })),
  );
  const statuses: GroupStatus[] = [];
  for (const group of groups.toSorted()) {
    const committed = await log.committed(group, partitions);
    for (const [index, { topic, partition, end }] of partitions.entries()) {
      const offset = committed[index]?.offset;
      if (offset === undefined) continue;
      const lagRecords = end > offset ? end - offset : 0n;
      statuses.push({ group, topic, partition, offset, end, lagRecords });
    }
  }
  return statuses;
}

async function heldStatuses(
  log: Log,
  { ds, pull }: Line,
  topics: readonly TopicDescription[],
  signal: AbortSignal,
): Promise<readonly HeldStatus[]> {
  const held = new HeldTables(log, ds);
  await held.follow(topics, signal);
  return held.tables.map(({ sinceMs, ...each }) => ({
    ...each,
    since: new Date(sinceMs).toISOString(),
    maxBytes: pull.heldBytes,
  }));
}

async function deadStatus(
  log: Log,
  ds: string,
  tables: readonly TableStatus[],
  signal: AbortSignal,
): Promise<DeadStatus> {
  const parked = new Map(tables.map(table => [table.table, table.parked?.events ?? 0]));
  const letters = await letterPlaces(log, ds, null, signal);
  return {
    topic: deadTopicOf(ds),
    records: letters.length,
    waiting: waitingLetters(letters, parked).length,
    others: letters.filter(letter => !parked.has(letter.table)).length,
  };
}
