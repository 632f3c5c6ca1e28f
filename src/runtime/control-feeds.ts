import type { Log, LogRecord } from '../ports/log.ts';
import type { Control } from '../topology/graph.ts';
import { noBytes } from '../topology/serdes.ts';
import type { ControlContext } from '../topology/stream.ts';

const READ_BYTES = 1024 * 1024;
const READ_WAIT_MS = 60_000;

/** A partition of a control topic. */
export interface ControlPlace {
  readonly control: Control;
  readonly partition: number;
}

/** A partition of a control topic, with the records that some task has yet to apply. */
interface Feed extends ControlPlace {
  readonly place: string;
  readonly records: LogRecord[];
  /** Offset from which on `records` is complete. */
  from: bigint;
  /** Next offset to read. */
  next: bigint;
  following: boolean;
}

/**
 * Control topics of a group: followed once, applied by every task between two batches, each from its own position. A record is kept until
 * all tasks have applied it.
 */
export class ControlFeeds {
  readonly #log: Log;
  readonly #feeds: readonly Feed[];
  readonly #signal: AbortSignal;
  readonly #arrived: () => void;
  readonly #failed: (error: unknown) => void;

  /** `arrived` is called when there is something new to apply, `failed` when a topic cannot be followed any more. */
  constructor(
    log: Log,
    controls: readonly Control[],
    signal: AbortSignal,
    arrived: () => void,
    failed: (error: unknown) => void,
  ) {
    this.#log = log;
    this.#signal = signal;
    this.#arrived = arrived;
    this.#failed = failed;
    this.#feeds = controls.flatMap(control =>
      Array.from({ length: control.topic.partitions }, (_, partition) => ({
        control,
        partition,
        place: `${control.topic.name}/${partition}`,
        records: [],
        from: 0n,
        next: 0n,
        following: false,
      })),
    );
  }

  /** The positions from which a task goes on: the committed ones, else the ends. Records from there on are at hand when it resolves. */
  async positions(committed: ReadonlyMap<string, bigint>, signal: AbortSignal): Promise<Map<string, bigint>> {
    const positions = new Map<string, bigint>();
    for (const feed of this.#feeds) {
      const where = { topic: feed.control.topic.name, partition: feed.partition };
      const position = committed.get(feed.place) ?? (await this.#log.offset(where, 'latest'));
      positions.set(feed.place, position);
      if (!feed.following) {
        feed.following = true;
        feed.from = position;
        feed.next = position;
        this.#follow(feed).catch(error => {
          if (!this.#signal.aborted) this.#failed(error);
        });
      } else if (position < feed.from) await this.#readBack(feed, position, signal);
    }
    return positions;
  }

  async #follow(feed: Feed): Promise<void> {
    const { control, partition } = feed;
    while (!this.#signal.aborted) {
      const batch = await this.#log.read(
        { topic: control.topic.name, partition, offset: feed.next },
        { maxBytes: READ_BYTES, maxWaitMs: READ_WAIT_MS },
        this.#signal,
      );
      feed.next = batch.nextOffset;
      feed.records.push(...batch.records);
      if (batch.records.length > 0) this.#arrived();
    }
  }

  async #readBack(feed: Feed, position: bigint, signal: AbortSignal): Promise<void> {
    const { control, partition } = feed;
    const missing: LogRecord[] = [];
    let offset = position;
    while (offset < feed.from && !signal.aborted) {
      const batch = await this.#log.read(
        { topic: control.topic.name, partition, offset },
        { maxBytes: READ_BYTES, maxWaitMs: 0 },
        signal,
      );
      if (batch.nextOffset <= offset) break;
      for (const record of batch.records) if (record.offset < feed.from) missing.push(record);
      offset = batch.nextOffset;
    }
    feed.records.unshift(...missing);
    feed.from = position;
  }

  /**
   * Gives a task what it has not applied yet and moves its positions on. True when there was something. A handler or serde that throws is
   * passed to `rejected`, and the record counts as applied.
   */
  apply(
    positions: Map<string, bigint>,
    context: ControlContext,
    rejected: (feed: ControlPlace, record: LogRecord, error: unknown) => void,
  ): boolean {
    let applied = false;
    for (const feed of this.#feeds) {
      const position = positions.get(feed.place);
      if (position === undefined || position >= feed.next) continue;
      for (const record of feed.records) {
        if (record.offset < position) continue;
        try {
          feed.control.f(feed.control.topic.value.decode(record.value ?? noBytes), context);
        } catch (error) {
          rejected(feed, record, error);
        }
      }
      positions.set(feed.place, feed.next);
      applied = true;
    }
    return applied;
  }

  /** Drops what all tasks have applied. */
  trim(tasks: readonly ReadonlyMap<string, bigint>[]): void {
    if (tasks.length === 0) return;
    for (const feed of this.#feeds) {
      const [head] = feed.records;
      if (head === undefined) continue;
      let low = feed.next;
      for (const positions of tasks) {
        const position = positions.get(feed.place) ?? low;
        if (position < low) low = position;
      }
      const keep = feed.records.findIndex(record => record.offset >= low);
      feed.records.splice(0, keep < 0 ? feed.records.length : keep);
      feed.from = low;
    }
  }
}
