import { UmbusError } from '../../core/errors.ts';
import type { LogRecord, RecordBatch, TopicPartition } from '../../ports/log.ts';
import { EARLIEST, LATEST, listOffsetsCall } from './admin-calls.ts';
import { brokerError } from './broker-errors.ts';
import { assertSuccess, type BrokerLinks, type Cluster } from './cluster.ts';
import { isBrokerError, patiently } from './patience.ts';
import { fetchCall } from './producer-calls.ts';
import { type DecodedRecords, decodeFetched } from './record-decoding.ts';

/** A broker holds a fetch for at most so long; then it is sent again. */
export const FETCH_WAIT_MS = 500;
/** Bounds of what is asked of one partition at a time. A first batch that is larger comes whole. */
const FETCH_BYTES = { min: 65_536, max: 4 * 1_048_576 } as const;
const IDLE_LINKS = 8;
/** What a tail read asks for at first beyond the records that are wanted, for markers between them. */
const TAIL_SLACK = 8n;

/** Of a decoded fetch the first records of about `maxBytes`, one at least. */
export function firstRecords(fetched: DecodedRecords, maxBytes: number): DecodedRecords {
  const { records, nextOffset } = fetched;
  let room = maxBytes;
  for (const [index, record] of records.entries()) {
    if (index > 0 && room <= 0) return { records: records.slice(0, index), nextOffset: record.offset };
    room -= sizeOf(record);
  }
  return { records, nextOffset };
}

/** Bytes of a record that count towards `maxBytes`. */
export function sizeOf(record: LogRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0);
}

/** The error for an offset that the partition has no more, or not yet. */
export async function offsetGone(
  cluster: Cluster,
  links: BrokerLinks,
  at: TopicPartition,
  offset: bigint,
): Promise<UmbusError> {
  const earliest = await listOffset(cluster, links, at, EARLIEST);
  const place = `Offset ${offset} of ${at.topic}/${at.partition}`;
  const message =
    offset < earliest
      ? `${place} is gone: retention has removed everything before ${earliest}.`
      : `${place} is beyond its end: the topic was made anew, or has lost records.`;
  return new UmbusError('UMBUS_LOG_OFFSET_GONE', message, {
    details: { topic: at.topic, partition: at.partition, offset, earliest },
  });
}

/** First offset at a time, in milliseconds or {@link EARLIEST} or {@link LATEST}; latest where no record is that new. */
export async function listOffset(
  cluster: Cluster,
  links: BrokerLinks,
  at: TopicPartition,
  time: bigint,
): Promise<bigint> {
  const found = await patiently(
    cluster.clock,
    async () => {
      const nodeId = await cluster.leaderOf(at);
      const [answer] = await links.send(nodeId, listOffsetsCall([{ ...at, time }]));
      const doing = `ask for an offset of ${at.topic}/${at.partition}`;
      assertSuccess(answer?.error ?? -1, { doing, topic: at.topic, partition: at.partition });
      return answer?.offset ?? -1n;
    },
    { recover: () => cluster.forget(at.topic) },
  );
  return found >= 0n || time === LATEST ? found : await listOffset(cluster, links, at, LATEST);
}

/** Reads without a group. Reads that wait do so on links of their own, since a broker answers the requests of a connection one after the other. */
export class Reader {
  readonly #cluster: Cluster;
  readonly #idle: BrokerLinks[] = [];
  readonly #all = new Set<BrokerLinks>();
  #closed = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** As `Log.read`. */
  async read(
    from: TopicPartition & { readonly offset: bigint },
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<RecordBatch> {
    const { clock } = this.#cluster;
    const at = { topic: from.topic, partition: from.partition };
    await patiently(clock, () => this.#cluster.leaderOf(at), { signal });
    const until = clock.now() + options.maxWaitMs;
    let position = from.offset;
    let endOffset = from.offset;
    for (;;) {
      const left = Math.max(0, until - clock.now());
      const waitMs = Math.min(left, FETCH_WAIT_MS);
      const fetching = this.#fetch({ ...at, offset: position }, options.maxBytes, waitMs, signal);
      const fetched = await unlessAborted(fetching, signal);
      if (fetched === null) return { ...at, records: [], nextOffset: position, endOffset };
      endOffset = fetched.endOffset;
      const slice = firstRecords(fetched, options.maxBytes);
      const passed = slice.nextOffset > position;
      position = slice.nextOffset;
      if (slice.records.length > 0)
        return {
          ...at,
          ...slice,
          nextOffset: await this.#behindMarker(at, slice.nextOffset, endOffset),
          endOffset,
        };
      if (passed && position < endOffset) continue;
      if (left <= 0 || signal.aborted) return { ...at, records: [], nextOffset: position, endOffset };
    }
  }

  /** As `Log.tail`. Offsets have gaps, so it looks further back until it has enough. */
  async tail(at: TopicPartition, count: number): Promise<readonly LogRecord[]> {
    const links = this.#take();
    try {
      const earliest = await listOffset(this.#cluster, links, at, EARLIEST);
      const latest = await listOffset(this.#cluster, links, at, LATEST);
      if (count <= 0) return [];
      for (let back = BigInt(count) + TAIL_SLACK; ; back *= 4n) {
        const from = later(latest - back, earliest);
        const records = await this.#between(at, from, latest, count);
        if (records.length >= count || from === earliest) return records;
      }
    } finally {
      this.#give(links);
    }
  }

  /** Offset of the first record from `from` on whose time is at or after `timestampMs`; the end where there is none. */
  async firstAt(at: TopicPartition, from: bigint, timestampMs: number): Promise<bigint> {
    const never = new AbortController().signal;
    for (let offset = from; ; ) {
      const batch = await this.#fetch({ ...at, offset }, FETCH_BYTES.min, 0, never);
      const found = batch.records.find(record => record.timestampMs >= timestampMs);
      if (found !== undefined) return found.offset;
      if (batch.nextOffset <= offset) return batch.endOffset;
      offset = batch.nextOffset;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map(links => links.close()));
  }

  /**
   * A marker in a segment of its own comes in a fetch of its own. Who reads up to the end is not to wait for a record behind it.
   */
  async #behindMarker(at: TopicPartition, nextOffset: bigint, endOffset: bigint): Promise<bigint> {
    if (endOffset - nextOffset !== 1n) return nextOffset;
    const never = new AbortController().signal;
    const rest = await this.#fetch({ ...at, offset: nextOffset }, FETCH_BYTES.min, 0, never);
    return rest.records[0]?.offset ?? rest.nextOffset;
  }

  /** The last `count` records from `from` up to `to`. */
  async #between(at: TopicPartition, from: bigint, to: bigint, count: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    const never = new AbortController().signal;
    for (let offset = from; offset < to; ) {
      const batch = await this.#fetch({ ...at, offset }, FETCH_BYTES.max, 0, never);
      records.push(...batch.records.filter(record => record.offset < to));
      if (records.length > count) records.splice(0, records.length - count);
      if (batch.nextOffset <= offset) break;
      offset = batch.nextOffset;
    }
    return records;
  }

  async #fetch(
    from: TopicPartition & { readonly offset: bigint },
    maxBytes: number,
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<DecodedRecords & { readonly endOffset: bigint }> {
    const links = this.#take();
    const bytes = Math.min(Math.max(maxBytes, FETCH_BYTES.min), FETCH_BYTES.max);
    const limits = { maxBytes: bytes, partitionBytes: bytes, maxWaitMs };
    const { topic, partition } = from;
    try {
      return await patiently(
        this.#cluster.clock,
        async () => {
          const nodeId = await this.#cluster.leaderOf(from);
          const { error, partitions } = await links.send(nodeId, fetchCall([from], limits));
          const [fetched] = partitions;
          const code = error !== 0 ? error : (fetched?.error ?? -1);
          if (code !== 0) throw brokerError(code, { doing: `read ${topic}/${partition}`, topic, partition });
          if (fetched === undefined) throw brokerError(-1, { doing: `read ${topic}/${partition}` });
          return { ...decodeFetched(fetched, from.offset), endOffset: fetched.lastStableOffset };
        },
        { recover: () => this.#cluster.forget(topic), signal },
      );
    } catch (error) {
      if (!isBrokerError(error, 'OFFSET_OUT_OF_RANGE')) throw error;
      throw await offsetGone(this.#cluster, links, from, from.offset);
    } finally {
      this.#give(links);
    }
  }

  #take(): BrokerLinks {
    if (this.#closed) throw new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const links = this.#cluster.newLinks();
    this.#all.add(links);
    return links;
  }

  #give(links: BrokerLinks): void {
    if (this.#idle.length < IDLE_LINKS && !this.#closed) {
      this.#idle.push(links);
      return;
    }
    this.#all.delete(links);
    void links.close();
  }
}

function later(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}

/** Null as soon as the signal aborts; what was begun goes on and is dropped. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) {
    work.catch(() => {});
    return null;
  }
  const { promise, resolve } = Promise.withResolvers<null>();
  const abort = (): void => resolve(null);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => {});
  }
}
