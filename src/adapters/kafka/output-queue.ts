import { UmbusError } from '../../core/errors.ts';
import type { CommittedOffset, OutgoingRecord, TopicPartition } from '../../ports/log.ts';
import type { Cluster } from './cluster.ts';
import { BatchEncoder, type EncodedRecords, recordBytes } from './record-batch.ts';

/** A batch is closed when it holds so much; a larger record has one of its own. */
const BATCH_BYTES = 1_000_000;
/** What waits is sent together up to so much. */
const GROUP_BYTES = 8 * 1_048_576;

/** What is sent together: outputs first, then offsets. */
export interface OutputGroup {
  readonly batches: readonly EncodedRecords[];
  readonly offsets: readonly CommittedOffset[];
}

/** What a queue needs to know. */
export interface OutputQueueOptions {
  readonly cluster: Cluster;
  readonly maxRecordBytes: number;
  /** Makes a group durable. Called for one group at a time. */
  readonly send: (group: OutputGroup) => Promise<void>;
}

/** Outputs and offsets on their way, in call order. While one group is being sent, what comes meanwhile gathers in the next. After an error everything fails. */
export class OutputQueue {
  readonly #options: OutputQueueOptions;
  readonly #waiting: GatheringGroup[] = [];
  #sending: Promise<void> | null = null;
  #failure: UmbusError | null = null;

  constructor(options: OutputQueueOptions) {
    this.#options = options;
  }

  /** The first error; null while all went well. */
  get failure(): UmbusError | null {
    return this.#failure;
  }

  /** Copies everything before it returns. Resolves when it is durable. Errors: those of `send`, UMBUS_LOG_RECORD_SIZE, UMBUS_LOG_UNKNOWN_TOPIC. */
  push(outputs: readonly OutgoingRecord[], offsets: readonly CommittedOffset[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(afterFailure(this.#failure));
    const sizes: number[] = [];
    for (const record of outputs) {
      const size = recordBytes(record);
      if (size > this.#options.maxRecordBytes) return this.#refuse(tooLarge(record, size, this.#options));
      sizes.push(size);
    }
    const group = this.#groupFor(outputs);
    for (const [index, record] of outputs.entries()) group.add(record, sizes[index] ?? 0);
    for (const offset of offsets) group.offsets.set(placeOf(offset), offset);
    const done = new Promise<void>((resolve, reject) => group.callers.push({ resolve, reject }));
    this.#sending ??= this.#run();
    return done;
  }

  /** Fails this and everything after it. */
  fail(error: UmbusError): void {
    this.#failure ??= error;
  }

  /** Resolves when nothing is on its way. Never rejects. */
  async settled(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  #refuse(error: UmbusError): Promise<void> {
    this.fail(error);
    return Promise.reject(error);
  }

  /** Outputs to places that are not known to exist are sent alone, so that the error is theirs only. */
  #groupFor(outputs: readonly OutgoingRecord[]): GatheringGroup {
    const known = outputs.every(record => this.#options.cluster.knows(record));
    const last = this.#waiting.at(-1);
    if (known && last !== undefined && !last.alone && last.bytes < GROUP_BYTES) return last;
    const group = new GatheringGroup(!known);
    this.#waiting.push(group);
    return group;
  }

  async #run(): Promise<void> {
    // What is called in the same turn goes together.
    await Promise.resolve();
    for (let group = this.#waiting.shift(); group !== undefined; group = this.#waiting.shift()) {
      try {
        if (this.#failure !== null) throw afterFailure(this.#failure);
        if (group.alone) for (const place of group.places) await this.#options.cluster.leaderOf(place);
        await this.#options.send(group.sealed());
        for (const { resolve } of group.callers) resolve();
      } catch (error) {
        const known =
          error instanceof UmbusError
            ? error
            : new UmbusError('UMBUS_INTERNAL', 'Sending to Kafka failed in an unknown way.', {
                cause: error,
              });
        this.#failure ??= known;
        for (const { reject } of group.callers) reject(known);
      }
    }
    this.#sending = null;
  }
}

class GatheringGroup {
  readonly alone: boolean;
  readonly offsets = new Map<string, CommittedOffset>();
  readonly callers: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  readonly #open = new Map<string, BatchEncoder>();
  readonly #places = new Map<string, TopicPartition>();
  readonly #closed: EncodedRecords[] = [];
  bytes = 0;

  constructor(alone: boolean) {
    this.alone = alone;
  }

  get places(): Iterable<TopicPartition> {
    return this.#places.values();
  }

  add(record: OutgoingRecord, size: number): void {
    const name = placeOf(record);
    let encoder = this.#open.get(name);
    if (encoder !== undefined && encoder.size + size > BATCH_BYTES) {
      this.#closed.push(encoder.done());
      encoder = undefined;
    }
    if (encoder === undefined) {
      encoder = new BatchEncoder(record);
      this.#open.set(name, encoder);
      this.#places.set(name, { topic: record.topic, partition: record.partition });
    }
    encoder.add(record, size);
    this.bytes += size;
  }

  sealed(): OutputGroup {
    const batches = [...this.#closed, ...[...this.#open.values()].map(encoder => encoder.done())];
    return { batches, offsets: [...this.offsets.values()] };
  }
}

/** The error for a call after a failed one. */
function afterFailure(failure: UmbusError): UmbusError {
  return new UmbusError(failure.code, `An earlier commit has failed: ${failure.message}`, {
    cause: failure,
    details: failure.details,
  });
}

function tooLarge(
  { topic, partition }: TopicPartition,
  size: number,
  options: OutputQueueOptions,
): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_RECORD_SIZE',
    `A record of ${size} bytes for ${topic}/${partition} is larger than log.kafka.maxRecordBytes (${options.maxRecordBytes}): raise it, and max.message.bytes of the topic if it exists already.`,
    { details: { topic, partition, size, limit: options.maxRecordBytes } },
  );
}

function placeOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}
