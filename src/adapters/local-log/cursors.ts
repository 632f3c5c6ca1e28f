import { UmbusError } from '../../core/errors.ts';
import type { RecordBatch, TopicPartition } from '../../ports/log.ts';
import type { StoredPartition } from './storage.ts';

/** Where a member stands in a partition. */
export interface Cursor {
  readonly partition: StoredPartition;
  /** Partition number; see `Seat`. */
  readonly slot: number;
  position: bigint;
  paused: boolean;
}

/** The positions of a member in the partitions that it was told it owns. */
export class Cursors {
  readonly #byName = new Map<string, Cursor>();
  #order: Cursor[] = [];
  #turn = 0;

  get(partition: TopicPartition): Cursor | undefined {
    return this.#byName.get(nameOf(partition));
  }

  add(cursor: Cursor): void {
    this.#byName.set(nameOf(cursor.partition), cursor);
    this.#order = [...this.#byName.values()];
  }

  drop(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#byName.delete(nameOf(partition));
    this.#order = [...this.#byName.values()];
  }

  /** Partitions that a waiting poll waits for. */
  unpaused(): StoredPartition[] {
    return this.#order.filter(cursor => !cursor.paused).map(cursor => cursor.partition);
  }

  /**
   * One batch of each partition that has something, about `maxBytes` in all, each call starting one partition further, so that none starves. `held`:
   * slots that are still owned. Errors: UMBUS_LOG_OFFSET_GONE, UMBUS_LOG_CORRUPT.
   */
  fetch(held: ReadonlySet<number>, maxBytes: number): RecordBatch[] {
    const batches: RecordBatch[] = [];
    const order = this.#order;
    this.#turn = order.length === 0 ? 0 : (this.#turn + 1) % order.length;
    let room = maxBytes;
    for (let at = 0; at < order.length && (room > 0 || batches.length === 0); at++) {
      const cursor = order[(this.#turn + at) % order.length];
      if (cursor === undefined || cursor.paused || !held.has(cursor.slot)) continue;
      try {
        const batch = readBatch(cursor, room);
        if (batch === null) continue;
        batches.push(batch);
        for (const record of batch.records) room -= (record.key?.length ?? 0) + (record.value?.length ?? 0);
      } catch (error) {
        // What other partitions gave must not be lost: the error comes again in a later call, when this one is first.
        if (batches.length === 0) throw error;
        break;
      }
    }
    return batches;
  }
}

function readBatch(cursor: Cursor, maxBytes: number): RecordBatch | null {
  const { partition } = cursor;
  if (cursor.position < partition.earliest) throw offsetGone(partition, cursor.position);
  while (cursor.position < partition.latest) {
    const endOffset = partition.latest;
    const { records, nextOffset } = partition.read(cursor.position, maxBytes);
    cursor.position = nextOffset;
    if (records.length > 0) {
      return { topic: partition.topic, partition: partition.partition, records, nextOffset, endOffset };
    }
  }
  return null;
}

/** The error for an offset that retention has removed. */
export function offsetGone(partition: StoredPartition, offset: bigint): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_OFFSET_GONE',
    `Offset ${offset} of ${partition.topic}/${partition.partition} is gone: retention has removed everything before ${partition.earliest}.`,
    {
      details: {
        topic: partition.topic,
        partition: partition.partition,
        offset,
        earliest: partition.earliest,
      },
    },
  );
}

function nameOf(partition: TopicPartition): string {
  return `${partition.partition} ${partition.topic}`;
}
