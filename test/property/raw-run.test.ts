import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import {
  decodeRawRun,
  encodeRawRun,
  eventsBuffer,
  FIRST_RAW_RUN_SCHEMA_ID,
  RAW_RUN_SCHEMA_ID,
  type RawRun,
  rawRunSchema,
} from '../../src/change/raw-run.ts';
import { isUmbusError } from '../../src/core/errors.ts';

const wholeType = avsc.Type.forSchema(rawRunSchema as unknown as avsc.Schema);
/** The schema before tables had columns. */
const firstType = avsc.Type.forSchema(
  JSON.parse(
    JSON.stringify(rawRunSchema, (_, value) =>
      Array.isArray(value) ? value.filter(each => each?.name !== 'columns') : value,
    ),
  ),
);
const offset = fc.nat({ max: 2 ** 52 });
const text = fc.string({ maxLength: 20, unit: 'grapheme' });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array));
const runs: fc.Arbitrary<RawRun> = fc.record({
  kind: fc.constant('mysql-binlog' as const),
  server: text,
  epoch: fc.nat(),
  file: text,
  position: offset,
  next: offset,
  resume: fc.record({ file: text, position: offset, gtid: fc.string({ maxLength: 20_000 }) }),
  checksum: fc.boolean(),
  captured: offset,
  filtered: offset,
  tables: fc.array(
    fc.record({ schema: text, table: text, fingerprint: bytes(8), map: bytes(300), columns: text }),
    {
      maxLength: 4,
    },
  ),
  spans: fc.array(fc.integer({ min: -1, max: 100_000 }), { maxLength: 50 }),
  events: bytes(400),
});

/** The bytes that the Avro library makes of the whole schema. */
function reference(run: RawRun): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(RAW_RUN_SCHEMA_ID, 1);
  return Buffer.concat([header, wholeType.toBuffer(run)]);
}

/** The same run, with its events where they are encoded in place. */
function inPlace(run: RawRun, spareBytes: number): RawRun {
  const memory = eventsBuffer(run.events.length + spareBytes);
  run.events.copy(memory);
  return { ...run, events: memory.subarray(0, run.events.length) };
}

const plain = (run: RawRun): unknown => JSON.parse(JSON.stringify(run));

test('a run is encoded as Avro has it, wherever its events lie, and decoded to itself', () => {
  fc.assert(
    fc.property(runs, fc.nat({ max: 100 }), (run, spareBytes) => {
      const expected = reference(run);
      assert.deepEqual(encodeRawRun(run), expected);
      assert.deepEqual(encodeRawRun(inPlace(run, spareBytes)), expected);
      assert.deepEqual(plain(decodeRawRun(expected)), plain(run));
    }),
    { numRuns: 300 },
  );
});

test('a run of the newest schema is read too when a registry gave it the fixed id of the first, and so is one of the first', () => {
  fc.assert(
    fc.property(runs, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (any, described) => {
      // As the extractor makes them: spans cover the events, and columns are JSON or left out.
      const tables = any.tables.map((table, i) => ({
        ...table,
        columns: described[i] === true ? JSON.stringify({ columns: [{ name: table.columns }] }) : '',
      }));
      const half = any.events.length >> 1;
      const spans = [-1, half, tables.length - 1, any.events.length - half];
      const run = { ...any, tables, spans };
      assert.deepEqual(plain(decodeRawRun(encodeRawRun(run, FIRST_RAW_RUN_SCHEMA_ID))), plain(run));
      const first = firstType.toBuffer(run);
      const read = decodeRawRun(Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), first]));
      assert.deepEqual(
        plain(read),
        plain({ ...run, tables: tables.map(table => ({ ...table, columns: '' })) }),
      );
    }),
    { numRuns: 1_000 },
  );
});

test('a run in place is not copied, once; another run over the same events leaves the first as it was', () => {
  const [sample] = fc.sample(runs, { numRuns: 1, seed: 7 });
  assert.ok(sample !== undefined);
  const run = inPlace({ ...sample, resume: { file: 'f', position: 4, gtid: '' } }, 10);
  const first = encodeRawRun(run);
  assert.equal(first.buffer, run.events.buffer);
  const kept = Buffer.from(first);
  const other = encodeRawRun({ ...run, server: 'another' });
  assert.notEqual(other.buffer, first.buffer);
  assert.deepEqual(first, kept);
  assert.equal(decodeRawRun(other).server, 'another');
});

test('a decoded run is encoded as the bytes that it came from; a changed copy of it is not', () => {
  fc.assert(
    fc.property(runs, run => {
      const encoded = reference(run);
      const decoded = decodeRawRun(encoded);
      assert.equal(encodeRawRun(decoded).buffer, encoded.buffer);
      assert.deepEqual(encodeRawRun(decoded, 9).readUInt32BE(1), 9);
      const changed = encodeRawRun({ ...decoded, filtered: 3 });
      assert.equal(decodeRawRun(changed).filtered, 3);
      assert.deepEqual(encoded, reference(run));
    }),
    { numRuns: 100 },
  );
});

test('bytes that are cut or go on after the run are refused', () => {
  const refused = (error: unknown) => isUmbusError(error, 'UMBUS_TOPOLOGY_DECODE');
  fc.assert(
    fc.property(runs, fc.nat(), (run, at) => {
      const encoded = encodeRawRun(run);
      assert.throws(() => decodeRawRun(encoded.subarray(0, at % encoded.length)), refused);
      assert.throws(() => decodeRawRun(Buffer.concat([encoded, Buffer.alloc(1)])), refused);
    }),
    { numRuns: 300 },
  );
});
