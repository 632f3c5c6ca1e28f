import { Buffer } from 'node:buffer';
import type {
  AssignmentListener,
  Log,
  LogRecord,
  Membership,
  OutgoingRecord,
  RecordBatch,
  TopicPartition,
  TopicSpec,
} from '../../src/ports/log.ts';

/** A log under test and what the suite may do to it. */
export interface LogFixture extends AsyncDisposable {
  /** Fresh: no topics. */
  readonly log: Log;
  /** Closes the log and opens what it stored. Absent where nothing outlives a log. */
  readonly reopen?: () => Promise<Log>;
  /** Applies retention and compaction now. Absent where the log does so in its own time. */
  readonly maintain?: () => Promise<void>;
}

/** Opens a fresh log. */
export type OpenFixture = () => Promise<LogFixture>;

/** No abort. */
export const forever = new AbortController().signal;

/** Generous bounds for a read that should find everything. */
export const everything = { maxBytes: 64 * 1_048_576, maxWaitMs: 2_000 };

/** A topic that keeps everything. */
export function topic(name: string, partitions = 1, options: Partial<TopicSpec> = {}): TopicSpec {
  return { name, partitions, cleanup: 'delete', retentionMs: null, retentionBytes: null, ...options };
}

/** A record with text for key and value. */
export function record(
  at: string,
  value: string | null,
  options: Partial<Omit<OutgoingRecord, 'value' | 'key'>> & { key?: string | null } = {},
): OutgoingRecord {
  const { key = null, ...rest } = options;
  return {
    topic: at,
    partition: 0,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestampMs: 1_000,
    headers: {},
    ...rest,
  };
}

/** Values as text. */
export function values(records: readonly LogRecord[]): (string | null)[] {
  return records.map(({ value }) => (value === null ? null : Buffer.from(value).toString()));
}

/** Appends through a writer of its own. */
export async function append(log: Log, ...records: readonly OutgoingRecord[]): Promise<void> {
  await using writer = await log.openWriter('suite');
  await writer.append(records);
}

/** Everything in a partition from an offset to the end. */
export async function readAll(log: Log, at: TopicPartition, from = 0n): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const end = await log.offset(at, 'latest');
  for (let offset = from; offset < end; ) {
    const batch = await log.read({ ...at, offset }, everything, forever);
    records.push(...batch.records);
    offset = batch.nextOffset;
  }
  return records;
}

/** A member that remembers what it was told. */
export interface TestMember extends AsyncDisposable {
  readonly membership: Membership;
  readonly owned: Set<number>;
  readonly events: string[];
  /** How often it was told that partitions are to move. */
  readonly moving: () => number;
  /** Polls once. */
  poll(maxWaitMs?: number, maxBytes?: number): Promise<readonly RecordBatch[]>;
  /** Polls until it holds exactly so many partition numbers; the next `poll` gives what was read meanwhile. */
  settle(count: number): Promise<void>;
}

/** Joins a group; `revoking` runs inside the listener's callback. */
export async function join(
  log: Log,
  group: string,
  topics: readonly string[],
  member: string,
  revoking: (partitions: readonly TopicPartition[]) => Promise<void> | void = () => {},
): Promise<TestMember> {
  const owned = new Set<number>();
  const events: string[] = [];
  let moving = 0;
  const listed = (partitions: readonly TopicPartition[]) =>
    partitions
      .map(({ topic: name, partition }) => `${name}/${partition}`)
      .sort()
      .join(' ');
  const listener: AssignmentListener = {
    assigned(partitions) {
      events.push(`assigned ${listed(partitions)}`);
      for (const { partition } of partitions) owned.add(partition);
    },
    async revoking(partitions) {
      await revoking(partitions);
      events.push(`revoking ${listed(partitions)}`);
      for (const { partition } of partitions) owned.delete(partition);
    },
    lost(partitions) {
      events.push(`lost ${listed(partitions)}`);
      for (const { partition } of partitions) owned.delete(partition);
    },
    moving() {
      moving += 1;
    },
  };
  const membership = await log.join({ group, topics, member, listener });
  const early: RecordBatch[] = [];
  const poll = async (maxWaitMs = 2_000, maxBytes = everything.maxBytes) =>
    early.length > 0 ? early.splice(0) : await membership.poll({ maxBytes, maxWaitMs }, forever);
  return {
    membership,
    owned,
    events,
    moving: () => moving,
    poll,
    async settle(count) {
      for (let turn = 0; owned.size !== count; turn++) {
        if (turn > 1_000) throw new Error(`${member} holds ${[...owned]} and was to hold ${count}.`);
        early.push(...(await membership.poll({ maxBytes: everything.maxBytes, maxWaitMs: 5 }, forever)));
      }
    },
    [Symbol.asyncDispose]: () => membership[Symbol.asyncDispose](),
  };
}
