import { Buffer } from 'node:buffer';
import { EVENT_FLAGS_AT, EVENT_SIZE_AT, FLAG_INFLATED } from '../../src/binlog/event-type.ts';
import { eventStart } from '../../src/binlog/position.ts';
import { fileNumberOf } from '../../src/binlog/rotate.ts';
import { decodeRawRun, type RawRun } from '../../src/change/raw-run.ts';
import { parseKey, parseNamespace } from '../../src/consumer/namespace.ts';
import { readUms } from '../../src/consumer/read.ts';
import { rows, type UmsRow } from '../../src/consumer/rows.ts';
import type { Log, LogRecord } from '../../src/ports/log.ts';
import type { UmsMessage } from '../../src/ums/types.ts';
import { validate } from '../unit/ums-schema/schema.ts';

/** A message as it stands in a result topic. */
export interface PublishedMessage {
  readonly partition: number;
  readonly key: string;
  readonly message: UmsMessage;
  /** Name of the table, part 7 of its namespace, and the version of the message. */
  readonly table: string;
  readonly part: string;
  readonly version: number;
  readonly rows: readonly UmsRow[];
}

const READ_BYTES = 8 * 1024 * 1024;

/** All records of a topic, partition by partition. */
export async function* recordsOf(
  log: Log,
  topic: string,
): AsyncGenerator<{ readonly partition: number; readonly record: LogRecord }> {
  const description = (await log.topics()).find(each => each.name === topic);
  for (let partition = 0; partition < (description?.partitions ?? 0); partition++) {
    const end = await log.offset({ topic, partition }, 'latest');
    for (let offset = 0n; offset < end; ) {
      const from = { topic, partition, offset };
      const limits = { maxBytes: READ_BYTES, maxWaitMs: 0 };
      const batch = await log.read(from, limits, new AbortController().signal);
      for (const record of batch.records) yield { partition, record };
      offset = batch.nextOffset;
    }
  }
}

/** All messages of a result topic, those of a table in order. */
export async function publishedIn(log: Log, topic: string): Promise<readonly PublishedMessage[]> {
  const messages: PublishedMessage[] = [];
  for await (const { partition, record } of recordsOf(log, topic)) {
    const message = readUms(record.value ?? new Uint8Array());
    const { table, version, tablePartition: part } = parseNamespace(message.schema.namespace);
    const key = Buffer.from(record.key ?? []).toString();
    messages.push({ partition, key, message, table, part, version, rows: [...rows(message)] });
  }
  return messages;
}

/** The rows of one table, as short texts: operation and the given columns, and `end <reason>` for terminations. */
export async function changesOf(
  log: Log,
  topic: string,
  table: string,
  ...columns: readonly string[]
): Promise<readonly string[]> {
  const messages = await publishedIn(log, topic);
  return messages
    .filter(each => each.table === table)
    .flatMap(({ message, rows: all }) =>
      message.protocol.type === 'data_increment_termination'
        ? [`end ${message.schema.reason}`]
        : all.map(row => [row.op, ...columns.map(column => String(row.values[column]))].join(' ')),
    );
}

/** How many rows of each operation a table has in a result topic. */
export type OperationCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Reads a whole result topic and looks for broken rules of ums-schema/README.md: a message that its JSON Schema refuses, a key of another form, a table on two
 * partitions (unless rows are `placedByKey`), a `ums_uid_` that does not grow on a partition. Gives the violations as sentences, and how many rows of each operation each
 * table has.
 */
export async function inspectResult(
  log: Log,
  topic: string,
  placedByKey = false,
): Promise<{ readonly violations: readonly string[]; readonly counts: OperationCounts }> {
  const violations: string[] = [];
  const counts: Record<string, Record<string, number>> = {};
  const lastUid = new Map<string, bigint>();
  const home = new Map<string, number>();
  for (const { partition, key, message, table, part, rows: all } of await publishedIn(log, topic)) {
    const where = `${topic}/${partition}, a message of ${table}`;
    if (!validate(message)) violations.push(`${where}: ${JSON.stringify(validate.errors)}`);
    const keyFault = faultOfKey(key, message);
    if (keyFault !== null) violations.push(`${where}: ${keyFault}`);
    if (!placedByKey && (home.get(table) ?? partition) !== partition)
      violations.push(`${where}: it has two partitions.`);
    home.set(table, partition);
    for (const { op, uid } of all) {
      const place = `${table}/${part}/${placedByKey ? partition : ''}`;
      const last = lastUid.get(place) ?? -1n;
      if (uid <= last) violations.push(`${where}: ums_uid_ went from ${last} to ${uid}.`);
      lastUid.set(place, uid);
      const ofTable = counts[table] ?? {};
      ofTable[op] = (ofTable[op] ?? 0) + 1;
      counts[table] = ofTable;
    }
  }
  return { violations: violations.slice(0, 20), counts };
}

function faultOfKey(key: string, message: UmsMessage): string | null {
  const { type, namespace, ds } = parseKey(key);
  const written = message.schema.namespace;
  const form =
    /^[a-z_]+\.mysql(\.[^.]+){2}\..+\.\d+\.0\.[^.]+\.(\d{13}|\d{13}\|\d{13}\|(ok|abort))\|[^|.]+\.wh_placeholder$/;
  if (!form.test(key)) return `the key ${key} has another form`;
  if (type !== message.protocol.type) return `the key says ${type}`;
  const { source, schema, table, version, tablePartition } = namespace;
  return written === `${source}.${ds}.${schema}.${table}.${version}.0.${tablePartition}`
    ? null
    : `the key ${key} says another namespace`;
}

/** Ends of the row events and statements of a run, in order; of the copies of one statement for several schemas, the first. */
function* eventEnds({ spans, tables, events, position }: RawRun): Generator<number> {
  let at = 0;
  let last = -1;
  for (let i = 0; i + 1 < spans.length; i += 2) {
    const end = at + (spans[i + 1] ?? 0);
    while (at < end) {
      // Transaction starts (-1) come again at the head of each run of a long transaction.
      const table = tables[spans[i] ?? -1];
      const start = eventStart(events, at, position);
      // What the server had compressed can be larger than its place.
      const inflated = (events.readUInt16LE(at + EVENT_FLAGS_AT) & FLAG_INFLATED) !== 0;
      const eventEnd = start + (inflated ? 1 : events.readUInt32LE(at + EVENT_SIZE_AT));
      const isCopy = table?.table === '' && eventEnd === last;
      if (table !== undefined && !isCopy) yield eventEnd;
      if (table !== undefined) last = eventEnd;
      at += events.readUInt32LE(at + EVENT_SIZE_AT);
    }
  }
}

/** Violations of the total order of `<ds>`: an event that is not after the one before it, or a `seq` header that does not grow. */
export async function inspectRaw(
  log: Log,
  ds: string,
): Promise<{
  readonly violations: readonly string[];
  readonly runs: number;
  readonly events: number;
  readonly filtered: number;
}> {
  const violations: string[] = [];
  const counts = { runs: 0, events: 0, filtered: 0 };
  let file = 0;
  let last = 0;
  let seq: Buffer = Buffer.alloc(0);
  for await (const { record } of recordsOf(log, ds)) {
    const run = decodeRawRun(record.value ?? new Uint8Array());
    const number = fileNumberOf(run.file);
    if (number < file) violations.push(`Offset ${record.offset}: file ${number} comes after ${file}.`);
    if (number > file) last = 0;
    file = number;
    for (const end of eventEnds(run)) {
      if (end <= last)
        violations.push(`Offset ${record.offset}: the event before ${end} comes after ${last}.`);
      last = end;
      counts.events += 1;
    }
    const newSeq = Buffer.from(record.headers['seq'] ?? []);
    if (Buffer.compare(newSeq, seq) <= 0) violations.push(`Offset ${record.offset}: seq does not grow.`);
    seq = newSeq;
    counts.runs += 1;
    counts.filtered += run.filtered;
  }
  return { violations: violations.slice(0, 20), ...counts };
}
