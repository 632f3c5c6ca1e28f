import { isUmbusError } from '../../core/errors.ts';
import type { Log, LogRecord, TopicDescription } from '../../ports/log.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** Reads what is new on a topic since the last time, without a group and without waiting. */
export class TopicFollower {
  readonly #log: Log;
  /** Next offset by partition. */
  readonly #offsets = new Map<number, bigint>();
  readonly #from: { readonly timestampMs: number } | 'earliest';

  /** `from`: where to begin on each partition. */
  constructor(log: Log, from: { readonly timestampMs: number } | 'earliest') {
    this.#log = log;
    this.#from = from;
  }

  /** Gives `take` all records up to the ends that `topic` was described with. Records of a partition come in order. */
  async follow(
    topic: TopicDescription,
    signal: AbortSignal,
    take: (record: LogRecord) => void,
  ): Promise<void> {
    for (const [partition, { latest }] of topic.extents.entries()) {
      const place = { topic: topic.name, partition };
      let offset = this.#offsets.get(partition) ?? (await this.#log.offset(place, this.#from));
      while (offset < latest && !signal.aborted) {
        const batch = await this.#read({ ...place, offset }, signal);
        if (batch === null) {
          // Retention or compaction has moved the front on.
          offset = await this.#log.offset(place, 'earliest');
          continue;
        }
        for (const record of batch.records) take(record);
        if (batch.nextOffset <= offset) break;
        offset = batch.nextOffset;
        // At once: when the next read fails, nothing is given twice.
        this.#offsets.set(partition, offset);
      }
      this.#offsets.set(partition, offset);
    }
  }

  async #read(
    from: { readonly topic: string; readonly partition: number; readonly offset: bigint },
    signal: AbortSignal,
  ) {
    try {
      return await this.#log.read(from, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
    } catch (error) {
      if (isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE')) return null;
      throw error;
    }
  }
}
