/** What a line has published and parked, as a consumer sees it. */
import { Buffer } from 'node:buffer';
import { EVENT_SIZE_AT } from '../../src/binlog/event-type.ts';
import { decodeRawRun, type RawRun } from '../../src/change/raw-run.ts';
import { parseKey, parseNamespace, readUms, rows } from '../../src/consumer/index.ts';
import type { Driver } from '../../src/testing/index.ts';
import { bytes, utf8 } from '../../src/topology/serdes.ts';
import { topic } from '../../src/topology/topic.ts';
import type { UmsMessage } from '../../src/ums/types.ts';
import { rawTopic, resultTopic, schemaNames } from '../../topologies/topics.ts';
import { eventText } from './binlog-store.ts';
import { beatText, endText, rowText } from './expected.ts';
import type { LineWorld } from './line-world.ts';

/** A row or termination of a table. */
export interface Change {
  /** As `expected.ts` writes it. */
  readonly text: string;
  /** Null for a termination. */
  readonly uid: bigint | null;
  readonly id: bigint;
  readonly op: string;
}

/** A message and where it stands. */
export interface PlacedMessage {
  readonly partition: number;
  /** The record's. */
  readonly key: string;
  readonly message: UmsMessage;
}

/** What there is of the tables of a line. Names are `schema.table/partition` of the result topic, and of what is parked `schema.table`. */
export interface Observed {
  /** All messages as they stand in the log, partition by partition, duplicates included. */
  readonly messages: readonly PlacedMessage[];
  /** How many records the log has more than a reader sees who drops what is not above the last seq of its lane. */
  readonly repeats: number;
  /** As such a reader sees them. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  /** As a reader sees them who drops rows whose `ums_uid_` it has seen. */
  readonly changesByUid: ReadonlyMap<string, readonly Change[]>;
  /** Parked events of each table, as `eventText` gives them. */
  readonly parked: ReadonlyMap<string, readonly string[]>;
}

/** Reads the result topics and the dead-letter topic of a world. */
export function observe({ driver, scenario }: LineWorld): Observed {
  const { line } = scenario;
  const topics = schemaNames(line).map(schema => driver.out(resultTopic(line, schema)));
  const all = topics.flatMap(out => out.all());
  const distinct = topics.flatMap(out => out.distinct());
  const placed = (records: typeof all): PlacedMessage[] =>
    records.map(({ partition, key, value }) => ({
      partition,
      key: Buffer.from(key).toString(),
      message: readUms(value),
    }));
  const messages = placed(all);
  const byUid = new Set<bigint>();
  return {
    messages,
    repeats: all.length - distinct.length,
    changes: changesOf(placed(distinct)),
    changesByUid: changesOf(messages, change => {
      if (change.uid === null || byUid.has(change.uid)) return false;
      byUid.add(change.uid);
      return true;
    }),
    parked: parkedOf(driver, `${line.ds}_dead`),
  };
}

function nameOf({ message, partition }: PlacedMessage): string {
  const { schema, table } = parseNamespace(message.schema.namespace);
  return `${schema}.${table}/${partition}`;
}

function changesOf(
  messages: readonly PlacedMessage[],
  wanted: (change: Change) => boolean = () => true,
): ReadonlyMap<string, readonly Change[]> {
  const tables = new Map<string, Change[]>();
  for (const placed of messages) {
    const name = nameOf(placed);
    const changes = tables.get(name) ?? [];
    tables.set(name, changes);
    for (const change of changesIn(placed)) if (wanted(change)) changes.push(change);
  }
  return tables;
}

function* changesIn({ message, key }: PlacedMessage): Generator<Change> {
  const { version } = parseNamespace(message.schema.namespace);
  if (message.protocol.type === 'data_increment_termination') {
    const { reason: why = 'none', renamedTo } = message.schema;
    const reason = renamedTo === undefined ? why : `${why} to ${renamedTo}`;
    const next = message.schema.next?.fields.map(({ name }) => name) ?? null;
    const text = endText(version, reason, String(message.payload[0]?.tuple[0]), next);
    yield { text, uid: null, id: -1n, op: 'end' };
    return;
  }
  if (message.protocol.type === 'data_increment_heartbeat') {
    const [id, time] = message.payload[0]?.tuple ?? [];
    const text = beatText(version, parseKey(key).status ?? '', String(id), String(time));
    yield { text, uid: null, id: -1n, op: 'beat' };
    return;
  }
  for (const { op, id, uid, ts, values } of rows(message)) {
    const text = rowText({ version, op, id: String(id), uid: String(uid), ts, values });
    yield { text, uid, id, op };
  }
}

/** Distinct runs of `<ds>` in order, and how many records there are in all. */
export function rawRuns({ driver, scenario }: LineWorld): {
  readonly runs: readonly RawRun[];
  readonly records: number;
} {
  const out = driver.out(rawTopic(scenario.line));
  return { runs: out.values(), records: out.all().length };
}

function parkedOf(driver: Driver, name: string): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>();
  for (const { key, value } of driver.out(topic(name, utf8, bytes)).distinct()) {
    const events = tables.get(key) ?? [];
    tables.set(key, events);
    const run = decodeRawRun(value);
    for (const { table, event } of eventsOf(run)) {
      if (table !== null) events.push(eventText(run.file, event));
    }
  }
  return tables;
}

/** The events of a run, each with its table: null for a transaction's start. */
export function* eventsOf(run: RawRun): Generator<{ readonly table: string | null; readonly event: Buffer }> {
  let at = 0;
  for (let i = 0; i + 1 < run.spans.length; i += 2) {
    const table = run.tables[run.spans[i] ?? -1];
    const end = at + (run.spans[i + 1] ?? 0);
    while (at < end) {
      const size = run.events.readUInt32LE(at + EVENT_SIZE_AT);
      yield {
        table: table === undefined ? null : `${table.schema}.${table.table}`,
        event: run.events.subarray(at, at + size),
      };
      at += size;
    }
  }
}
