import { Buffer } from 'node:buffer';
import type { Headers, LogRecord, OutgoingRecord } from '../../ports/log.ts';
import type { Slice, StoredPartition } from '../local-log/storage.ts';

/** Records of one partition, in arrays. */
export class MemoryPartition implements StoredPartition {
  readonly topic: string;
  readonly partition: number;
  readonly watchers = new Set<() => void>();
  earliest = 0n;
  latest = 0n;
  /** Ascending offsets; compaction leaves gaps. */
  #records: LogRecord[] = [];

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get records(): readonly LogRecord[] {
    return this.#records;
  }

  /** Keys, values and header values. */
  get bytes(): number {
    let sum = 0;
    for (const record of this.#records) sum += sizeOf(record);
    return sum;
  }

  /** Appends a copy. */
  append(record: OutgoingRecord): void {
    this.push({
      offset: this.latest,
      key: copy(record.key),
      value: copy(record.value),
      timestampMs: record.timestampMs,
      headers: copyHeaders(record.headers),
    });
  }

  /** Appends a record that is ours already, at its own offset, which is at least `latest`. */
  push(record: LogRecord): void {
    this.#records.push(record);
    this.latest = record.offset + 1n;
  }

  /** Keeps only the records that `keep` says; `earliest` moves by retention alone. */
  retain(keep: (record: LogRecord) => boolean): void {
    this.#records = this.#records.filter(keep);
  }

  read(offset: bigint, maxBytes: number): Slice {
    const records: LogRecord[] = [];
    let room = maxBytes;
    for (let at = this.#indexOf(offset); at < this.#records.length; at++) {
      const record = this.#records[at];
      if (record === undefined) break;
      const size = sizeOf(record);
      if (records.length > 0 && size > room) return { records, nextOffset: record.offset };
      records.push(record);
      room -= size;
    }
    return { records, nextOffset: this.latest };
  }

  tail(count: number): readonly LogRecord[] {
    return count <= 0 ? [] : this.#records.slice(-count);
  }

  async offsetAt(timestampMs: number): Promise<bigint> {
    return this.#records.find(record => record.timestampMs >= timestampMs)?.offset ?? this.latest;
  }

  /** Index of the first record at or after the offset. */
  #indexOf(offset: bigint): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const record = this.#records[middle];
      if (record !== undefined && record.offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Bytes of a record that count towards limits. */
export function sizeOf(record: LogRecord): number {
  let size = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name in record.headers) size += name.length + (record.headers[name]?.length ?? 0);
  return size;
}

function copy(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

function copyHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]));
}
