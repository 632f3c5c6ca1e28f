import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { crc32c } from '@platformatic/wasm-utils';
import fc from 'fast-check';
import type { KafkaCompression } from '../../../src/adapters/kafka/options.ts';
import type { FetchedPartition } from '../../../src/adapters/kafka/producer-calls.ts';
import { BatchEncoder, finishBatch, recordBytes } from '../../../src/adapters/kafka/record-batch.ts';
import { decodeFetched } from '../../../src/adapters/kafka/record-decoding.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { OutgoingRecord } from '../../../src/ports/log.ts';

const at = { topic: 't', partition: 0 };
const CONTROL_AND_TRANSACTIONAL = 0x30;

function record(value: string | null, options: Partial<OutgoingRecord> = {}): OutgoingRecord {
  const bytes = value === null ? null : Buffer.from(value);
  return { ...at, key: null, value: bytes, timestampMs: 5, headers: {}, ...options };
}

interface BatchOptions {
  readonly codec?: KafkaCompression;
  /** Null: not transactional. */
  readonly producer?: bigint | null;
}

async function batch(offset: bigint, records: readonly OutgoingRecord[], options: BatchOptions = {}) {
  const encoder = new BatchEncoder(at);
  for (const each of records) encoder.add(each, recordBytes(each));
  const { codec = 'none', producer = null } = options;
  const identity = {
    transactionalId: producer === null ? null : 'x',
    producerId: producer ?? 7n,
    epoch: 0,
  };
  const bytes = Buffer.from(await finishBatch(encoder.done(), codec, identity, 0));
  bytes.writeBigInt64BE(offset, 0);
  return bytes;
}

/** A control batch: its one record's key is version i16, type i16; 0 is abort. */
async function marker(offset: bigint, producer: bigint, type: 0 | 1): Promise<Buffer> {
  const key = Buffer.from([0, 0, 0, type]);
  const bytes = await batch(offset, [record('......', { key })], { producer });
  bytes.writeInt16BE(CONTROL_AND_TRANSACTIONAL, 21);
  return signed(bytes);
}

function signed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

function fetched(
  batches: readonly Buffer[],
  aborted: readonly (readonly [bigint, bigint])[] = [],
): FetchedPartition {
  return {
    ...at,
    error: 0,
    lastStableOffset: 100n,
    logStartOffset: 0n,
    aborted: aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset })),
    records: Buffer.concat(batches),
  };
}

function texts(partition: FetchedPartition, from = 0n): readonly string[] {
  return decodeFetched(partition, from).records.map(({ value }) => String(value));
}

describe('record batches', () => {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`come back from ${codec} as they were`, async () => {
      const bytes = fc.uint8Array({ maxLength: 300 });
      const records = fc.array(
        fc.record({
          key: fc.option(bytes),
          value: fc.option(bytes),
          timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
          headers: fc.dictionary(fc.string({ minLength: 1 }), bytes, { noNullPrototype: true, maxKeys: 3 }),
        }),
        { minLength: 1, maxLength: 20 },
      );
      await fc.assert(
        fc.asyncProperty(records, async sent => {
          const outgoing = sent.map(each => ({ ...at, ...each }));
          const read = decodeFetched(fetched([await batch(40n, outgoing, { codec })]), 0n);
          const plain = (each: Uint8Array | null) => (each === null ? null : [...each]);
          const shape = (each: Pick<OutgoingRecord, 'key' | 'value' | 'timestampMs' | 'headers'>) => ({
            key: plain(each.key),
            value: plain(each.value),
            timestampMs: each.timestampMs,
            headers: Object.entries(each.headers).map(([name, value]) => [name, plain(value)]),
          });
          assert.deepEqual(read.records.map(shape), sent.map(shape));
          assert.equal(read.nextOffset, 40n + BigInt(sent.length));
        }),
        { numRuns: 50 },
      );
    });
  }

  test('give only what is at or after the wanted offset', async () => {
    const bytes = await batch(
      10n,
      ['a', 'b', 'c'].map(value => record(value)),
    );
    assert.deepEqual(texts(fetched([bytes]), 11n), ['b', 'c']);
  });

  test('that are cut at the end of an answer are left for the next one', async () => {
    const first = await batch(0n, [record('a')]);
    const second = await batch(1n, [record('b')]);
    const cut = fetched([first, second.subarray(0, second.length - 1)]);
    assert.deepEqual(texts(cut), ['a']);
    assert.equal(decodeFetched(cut, 0n).nextOffset, 1n);
  });

  test('that compaction has emptied are passed over', async () => {
    const empty = (await batch(3n, [record('gone')])).subarray(0, 61);
    empty.writeInt32BE(61 - 12, 8);
    empty.writeInt32BE(4, 23);
    empty.writeInt32BE(0, 57);
    assert.deepEqual(decodeFetched(fetched([signed(empty)]), 3n), { records: [], nextOffset: 8n });
  });

  test('of two transactions that were aborted one in the other are left out', async () => {
    const partition = fetched(
      [
        await batch(0n, [record('aborted')], { producer: 1n }),
        await batch(1n, [record('aborted')], { producer: 2n }),
        await batch(2n, [record('kept')], { producer: 3n }),
        await batch(3n, [record('aborted')], { producer: 1n }),
        await marker(4n, 1n, 0),
        await batch(5n, [record('aborted')], { producer: 2n }),
        await marker(6n, 2n, 0),
        await batch(7n, [record('kept too')], { producer: 1n }),
        await marker(8n, 1n, 1),
      ],
      [
        [2n, 1n],
        [1n, 0n],
      ],
    );
    assert.deepEqual(texts(partition), ['kept', 'kept too']);
    assert.equal(decodeFetched(partition, 0n).nextOffset, 9n);
  });

  test('of a transaction whose abort marker comes in a later answer are left out', async () => {
    const partition = fetched(
      [
        await batch(0n, [record('aborted')], { producer: 1n }),
        await batch(1n, [record('kept')]),
        await batch(2n, [record('aborted')], { producer: 1n }),
      ],
      [[1n, 0n]],
    );
    assert.deepEqual(texts(partition), ['kept']);
  });

  test('with a key of four zero bytes are records like any other', async () => {
    const key = Buffer.alloc(4);
    const partition = fetched(
      [
        await batch(0n, [record('kept', { key })]),
        await batch(1n, [record('aborted', { key }), record('aborted')], { producer: 1n }),
        await batch(3n, [record('aborted')], { producer: 1n }),
        await marker(4n, 1n, 0),
        await batch(5n, [record('kept too', { key })]),
      ],
      [[1n, 1n]],
    );
    assert.deepEqual(texts(partition), ['kept', 'kept too']);
  });

  test('that do not match their checksum are refused', async () => {
    const bytes = await batch(9n, [record('a')]);
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
    assert.throws(
      () => texts(fetched([bytes])),
      error => isUmbusError(error, 'UMBUS_LOG_CORRUPT') && /offset 9 of t\/0/.test(error.message),
    );
  });
});
