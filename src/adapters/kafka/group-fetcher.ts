import { isUmbusError } from '../../core/errors.ts';
import type { RecordBatch, TopicPartition } from '../../ports/log.ts';
import { brokerError } from './broker-errors.ts';
import type { BrokerLinks, Cluster } from './cluster.ts';
import { isBrokerError, passes } from './patience.ts';
import { type FetchedPartition, fetchCall } from './producer-calls.ts';
import { FETCH_WAIT_MS, offsetGone, sizeOf } from './reading.ts';
import { type DecodedRecords, decodeFetched } from './record-decoding.ts';

/** Bounds of what one request asks for. */
const FETCH_BYTES = { min: 65_536, max: 4 * 1_048_576 } as const;
/** What one partition is asked for at least. */
const PARTITION_BYTES = 262_144;
/** Connections to each broker on which fetches wait for records: while one waits, the other reads on. */
const WAITING_LANES = 2;
const RETRY_MS = 100;

interface Cursor extends TopicPartition {
  readonly number: number;
  /** Next offset to give. */
  position: bigint;
  paused: boolean;
  /** Whether it is not known yet if there is something at the position: such a fetch does not wait, nor stand behind one that does. */
  fresh: boolean;
  /** What was fetched and not given yet, from `at` on. */
  buffer: (DecodedRecords & { readonly endOffset: bigint; at: number }) | null;
  /** The request that reads for it; another object, or null, when the position was changed meanwhile. */
  fetching: object | null;
  error: unknown;
}

interface Lane {
  readonly links: BrokerLinks;
  readonly waitMs: number;
  readonly busy: Set<number>;
}

/** Reads the partitions of a member ahead of its polls: at most one request's worth of each, so that memory is bounded. */
export class GroupFetcher {
  readonly #cluster: Cluster;
  readonly #wake: () => void;
  readonly #cursors = new Map<string, Cursor>();
  readonly #waiting: readonly Lane[];
  readonly #quick: Lane;
  readonly #closing = new AbortController();
  #turn = 0;
  #error: unknown = null;

  constructor(cluster: Cluster, wake: () => void) {
    this.#cluster = cluster;
    this.#wake = wake;
    const lane = (waitMs: number): Lane => ({ links: cluster.newLinks(), waitMs, busy: new Set() });
    this.#waiting = Array.from({ length: WAITING_LANES }, () => lane(FETCH_WAIT_MS));
    this.#quick = lane(0);
  }

  add(at: TopicPartition, position: bigint): void {
    const { topic, partition } = at;
    const cursor = { topic, partition, number: partition, position, paused: false, fresh: true };
    this.#cursors.set(nameOf(at), { ...cursor, buffer: null, fetching: null, error: null });
  }

  drop(numbers: readonly number[]): void {
    for (const [name, cursor] of this.#cursors)
      if (numbers.includes(cursor.number)) this.#cursors.delete(name);
  }

  has(at: TopicPartition): boolean {
    return this.#cursors.has(nameOf(at));
  }

  setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const at of partitions) {
      const cursor = this.#cursors.get(nameOf(at));
      if (cursor === undefined) continue;
      cursor.paused = paused;
      cursor.fresh = true;
    }
  }

  /** False where the partition is not there. */
  seek(at: TopicPartition, offset: bigint): boolean {
    const cursor = this.#cursors.get(nameOf(at));
    if (cursor === undefined) return false;
    cursor.position = offset;
    cursor.buffer = null;
    cursor.fetching = null;
    cursor.error = null;
    cursor.fresh = true;
    return true;
  }

  /**
   * One batch of each partition of `held` that has something, about `maxBytes` in all, each call starting one partition further, so that none starves.
   * Errors: UMBUS_LOG_OFFSET_GONE, UMBUS_LOG_CORRUPT, UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_KAFKA_*, when there is nothing else to give.
   */
  take(held: ReadonlySet<number>, maxBytes: number): RecordBatch[] {
    const order = [...this.#cursors.values()];
    const batches: RecordBatch[] = [];
    this.#turn = order.length === 0 ? 0 : (this.#turn + 1) % order.length;
    let room = maxBytes;
    for (let index = 0; index < order.length && (room > 0 || batches.length === 0); index++) {
      const cursor = order[(this.#turn + index) % order.length];
      if (cursor === undefined || cursor.paused || !held.has(cursor.number)) continue;
      const batch = takeFrom(cursor, room);
      if (batch === null) continue;
      batches.push(batch);
      for (const record of batch.records) room -= sizeOf(record);
    }
    if (batches.length === 0) this.#throwError(order);
    return batches;
  }

  /** Begins to read whatever is not there yet. Never throws. */
  fill(maxBytes: number): void {
    if (this.#closing.signal.aborted) return;
    const wanted = [...this.#cursors.values()].filter(
      cursor => !cursor.paused && cursor.buffer === null && cursor.fetching === null && cursor.error === null,
    );
    const fresh = wanted.filter(cursor => cursor.fresh);
    if (fresh.length > 0) void this.#fetch(fresh, [this.#quick], maxBytes);
    const rest = wanted.filter(cursor => !cursor.fresh);
    if (rest.length > 0) void this.#fetch(rest, this.#waiting, maxBytes);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#quick, ...this.#waiting].map(lane => lane.links.close()));
  }

  #throwError(order: readonly Cursor[]): void {
    const failed = order.find(cursor => cursor.error !== null && !cursor.paused);
    const error = failed?.error ?? this.#error;
    if (error === null) return;
    if (failed !== undefined) failed.error = null;
    this.#error = null;
    throw error;
  }

  async #fetch(wanted: readonly Cursor[], lanes: readonly Lane[], maxBytes: number): Promise<void> {
    const request = {};
    for (const cursor of wanted) cursor.fetching = request;
    let begun = false;
    try {
      const nodes = await this.#cluster.byLeader(wanted);
      const asked = [...nodes].map(async ([nodeId, cursors]) => {
        const lane = lanes.find(({ busy }) => !busy.has(nodeId));
        // They are asked for when a lane is free, which wakes the poll.
        if (lane === undefined) return;
        begun = true;
        await this.#fetchFrom(nodeId, lane, cursors, request, maxBytes);
      });
      await Promise.all(asked);
    } catch (error) {
      begun = true;
      await this.#failed(error, wanted);
    }
    for (const cursor of wanted) if (cursor.fetching === request) cursor.fetching = null;
    if (begun) this.#wake();
  }

  async #fetchFrom(
    nodeId: number,
    lane: Lane,
    cursors: readonly Cursor[],
    request: object,
    maxBytes: number,
  ): Promise<void> {
    lane.busy.add(nodeId);
    try {
      const bytes = Math.min(Math.max(maxBytes, FETCH_BYTES.min), FETCH_BYTES.max);
      const partitionBytes = Math.max(PARTITION_BYTES, Math.floor(bytes / cursors.length));
      const limits = { maxBytes: bytes, partitionBytes, maxWaitMs: lane.waitMs };
      const positions = cursors.map(({ topic, partition, position }) => ({
        topic,
        partition,
        offset: position,
      }));
      const { error, partitions } = await lane.links.send(nodeId, fetchCall(positions, limits));
      if (error !== 0) throw brokerError(error, { doing: 'read' });
      for (const fetched of partitions) {
        const cursor = this.#cursors.get(nameOf(fetched));
        // Another fetch or seek has come between.
        if (cursor === undefined || cursor.fetching !== request) continue;
        cursor.fetching = null;
        cursor.fresh = false;
        await this.#arrived(cursor, fetched, lane.links);
      }
    } finally {
      lane.busy.delete(nodeId);
      this.#wake();
    }
  }

  async #arrived(cursor: Cursor, fetched: FetchedPartition, links: BrokerLinks): Promise<void> {
    const { topic, partition } = cursor;
    const from = cursor.position;
    try {
      if (fetched.error !== 0)
        throw brokerError(fetched.error, { doing: `read ${topic}/${partition}`, topic, partition });
      const decoded = decodeFetched(fetched, from);
      if (decoded.records.length === 0) cursor.position = decoded.nextOffset;
      else cursor.buffer = { ...decoded, endOffset: fetched.lastStableOffset, at: 0 };
    } catch (error) {
      if (passes(error)) {
        this.#cluster.forget(topic);
        return;
      }
      const gone = isBrokerError(error, 'OFFSET_OUT_OF_RANGE');
      const told = gone ? await offsetGone(this.#cluster, links, cursor, from) : error;
      if (cursor.position === from) cursor.error = told;
    }
  }

  /** What passes is tried again after a while; the rest is for the caller of the next poll. */
  async #failed(error: unknown, wanted: readonly Cursor[]): Promise<void> {
    if (this.#closing.signal.aborted || isUmbusError(error, 'UMBUS_LOG_CLOSED')) return;
    for (const { topic } of wanted) this.#cluster.forget(topic);
    if (passes(error)) await this.#cluster.clock.sleep(RETRY_MS, this.#closing.signal);
    else this.#error = error;
  }
}

function takeFrom(cursor: Cursor, maxBytes: number): RecordBatch | null {
  const { buffer, topic, partition } = cursor;
  if (buffer === null) return null;
  const from = buffer.at;
  let room = maxBytes;
  let to = from;
  while (to < buffer.records.length && (to === from || room > 0)) {
    const record = buffer.records[to];
    if (record !== undefined) room -= sizeOf(record);
    to += 1;
  }
  const next = buffer.records[to];
  const nextOffset = next === undefined ? buffer.nextOffset : next.offset;
  const whole = from === 0 && next === undefined;
  const records = whole ? buffer.records : buffer.records.slice(from, to);
  buffer.at = to;
  if (next === undefined) cursor.buffer = null;
  cursor.position = nextOffset;
  return { topic, partition, records, nextOffset, endOffset: buffer.endOffset };
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}
