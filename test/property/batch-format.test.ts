import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeOutputs, encodeStored } from '../../src/adapters/embedded/batch-builder.ts';
import {
  decodeBatch,
  lastOffsetOf,
  recordsOf,
  sealBatch,
  verifyBatch,
} from '../../src/adapters/embedded/batch-format.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import { MemoryPool } from '../../src/core/memory-pool.ts';
import type { LogRecord } from '../../src/ports/log.ts';

const bytes = fc.uint8Array({ maxLength: 60 }).map(array => Buffer.from(array));
const headers = fc.dictionary(fc.string({ maxLength: 8, unit: 'grapheme' }), bytes, { maxKeys: 3 });
const record = fc.record({
  topic: fc.constant('t'),
  partition: fc.constant(0),
  key: fc.option(bytes),
  value: fc.option(bytes),
  timestampMs: fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
  headers,
});
const records = fc.array(record, { minLength: 1, maxLength: 12 });
const base = fc.bigInt({ min: 0n, max: 2n ** 62n });
const place = { topic: 't', topicId: 3, partition: 0 };

const plain = ({ key, value, timestampMs, headers: all, offset }: LogRecord) => ({
  offset,
  key: key === null ? null : Buffer.from(key).toString('hex'),
  value: value === null ? null : Buffer.from(value).toString('hex'),
  timestampMs: Object.is(timestampMs, -0) ? 0 : timestampMs,
  headers: Object.entries(all)
    .map(([name, content]) => `${name}=${Buffer.from(content).toString('hex')}`)
    .sort(),
});

test('a batch gives back exactly what was put in, from any offset and in bites of any size', () => {
  fc.assert(
    fc.property(records, base, fc.nat({ max: 200 }), fc.nat({ max: 15 }), (sent, at, maxBytes, skip) => {
      const [encoded, more] = encodeOutputs(sent, () => 0, new MemoryPool(0));
      assert.ok(encoded !== undefined && more === undefined);
      const where = { ...place, base: at };
      sealBatch(encoded.bytes, where);
      verifyBatch(encoded.bytes, where);
      assert.equal(lastOffsetOf(encoded.bytes, at), at + BigInt(sent.length - 1));
      const expected = sent.map((each, index) => plain({ ...each, offset: at + BigInt(index) }));
      assert.deepEqual(recordsOf(encoded.bytes, at).map(plain), expected);
      let offset = at + BigInt(Math.min(skip, sent.length));
      const read: LogRecord[] = [];
      while (offset < at + BigInt(sent.length)) {
        const bite: LogRecord[] = [];
        offset = decodeBatch(encoded.bytes, at, offset, maxBytes, bite).nextOffset;
        assert.ok(bite.length > 0);
        read.push(...bite);
      }
      assert.deepEqual(read.map(plain), expected.slice(skip));
    }),
    { numRuns: 500 },
  );
});

test('a flipped bit, a cut or another place is found', () => {
  fc.assert(
    fc.property(records, base, fc.nat(), (sent, at, seed) => {
      const [encoded] = encodeOutputs(sent, () => 0, new MemoryPool(0));
      assert.ok(encoded !== undefined);
      const where = { ...place, base: at };
      sealBatch(encoded.bytes, where);
      const corrupt = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_CORRUPT');
      assert.throws(() => verifyBatch(encoded.bytes, { ...where, base: at + 1n }), corrupt);
      assert.throws(() => verifyBatch(encoded.bytes, { ...where, partition: 1 }), corrupt);
      assert.throws(
        () => verifyBatch(encoded.bytes.subarray(0, seed % encoded.bytes.length), where),
        corrupt,
      );
      const damaged = Buffer.from(encoded.bytes);
      const bit = seed % (damaged.length * 8);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => verifyBatch(damaged, where), corrupt);
    }),
    { numRuns: 300 },
  );
});

test('records with gaps between their offsets keep them', () => {
  fc.assert(
    fc.property(
      records,
      base,
      fc.array(fc.nat({ max: 100_000_000 }), { minLength: 12, maxLength: 12 }),
      (sent, at, gaps) => {
        let offset = at;
        const stored = sent.map((each, index) => {
          offset += 1n + BigInt(gaps[index] ?? 0);
          return { ...each, offset };
        });
        const encoded = encodeStored(stored, 0);
        assert.equal(encoded.base, stored[0]?.offset);
        assert.deepEqual(recordsOf(encoded.bytes, encoded.base).map(plain), stored.map(plain));
      },
    ),
    { numRuns: 300 },
  );
});
