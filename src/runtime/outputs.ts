import { Buffer } from 'node:buffer';
import { recordMemory } from '../core/memory-pool.ts';
import type { Headers, OutgoingRecord } from '../ports/log.ts';
import type { ErasedTopic } from '../topology/graph.ts';
import type { TopicShape } from '../topology/stream.ts';

/** Header of a record's place in its lane (change/seq.ts). */
export const SEQ_HEADER = 'seq';
/** Header that names the producer task and what it read. */
export const LANE_HEADER = 'lane';

const ORDINAL_BYTES = 4;

/** A seq with one more hop: the input's seq and the ordinal of the output. */
export function seqWith(seq: Uint8Array, ordinal: number): Buffer {
  const result = Buffer.allocUnsafe(seq.length + ORDINAL_BYTES);
  result.set(seq, 0);
  result.writeUInt32BE(ordinal, seq.length);
  return result;
}

/** Headers with the record's own seq and lane in place of its input's. */
function headersWith(headers: Headers, seq: Uint8Array, lane: Uint8Array): Headers {
  const result: Record<string, Uint8Array> = { [SEQ_HEADER]: seq, [LANE_HEADER]: lane };
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (name !== SEQ_HEADER && name !== LANE_HEADER && value !== undefined) result[name] = value;
  }
  return result;
}

/** Lets the memory of durable records be used again, where it was taken for them. */
export function giveBackValues(records: readonly OutgoingRecord[]): void {
  for (const { value } of records) if (value !== null) recordMemory.giveBack(value);
}

/** What a task has made since its last commit. */
export class Outputs {
  #records: OutgoingRecord[] = [];
  #bytes = 0;
  readonly #known: Set<string>;
  /** Topics chosen by a sink that nobody declared. */
  #unknown: TopicShape[] = [];

  /** `known`: names of topics that exist; grows as new ones are seen. */
  constructor(known: Set<string>) {
    this.#known = known;
  }

  get length(): number {
    return this.#records.length;
  }

  /** Bytes of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  push(
    topic: ErasedTopic,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: Headers,
    seq: Uint8Array,
    lane: Uint8Array,
  ): void {
    if (!this.#known.has(topic.name)) {
      this.#known.add(topic.name);
      this.#unknown.push(topic);
    }
    this.add({
      topic: topic.name,
      partition,
      key,
      value,
      timestampMs,
      headers: headersWith(headers, seq, lane),
    });
  }

  /** Adds a record as it is. */
  add(record: OutgoingRecord): void {
    this.#records.push(record);
    this.#bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
  }

  /** Takes all records, and the topics to be made before they are written. `inSeqOrder`: sorted by lane and seq, for tasks whose calls end in any order. */
  take(inSeqOrder: boolean): {
    readonly records: OutgoingRecord[];
    readonly bytes: number;
    readonly topics: readonly TopicShape[];
  } {
    const taken = { records: this.#records, bytes: this.#bytes, topics: this.#unknown };
    if (inSeqOrder) taken.records.sort(byLaneAndSeq);
    this.#records = [];
    this.#bytes = 0;
    this.#unknown = [];
    return taken;
  }
}

function byLaneAndSeq(a: OutgoingRecord, b: OutgoingRecord): number {
  return (
    Buffer.compare(a.headers[LANE_HEADER] ?? empty, b.headers[LANE_HEADER] ?? empty) ||
    Buffer.compare(a.headers[SEQ_HEADER] ?? empty, b.headers[SEQ_HEADER] ?? empty)
  );
}

const empty = new Uint8Array(0);
