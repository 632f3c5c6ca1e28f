/** Damaged rows: whatever the bytes, the decoder ends, reads nothing but the event, throws coded errors only, and leaves its output whole. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { ColumnType as T } from '../../src/binlog/column-type.ts';
import { inflatedEvent, payloadEvents } from '../../src/binlog/inflate-event.ts';
import { compileRows, type RowWriter } from '../../src/binlog/rows/compile.ts';
import { writeJson } from '../../src/binlog/rows/json-binary.ts';
import { applyJsonChanges } from '../../src/binlog/rows/json-change.ts';
import { nodeBytes, nodeOf } from '../../src/binlog/rows/json-node.ts';
import { textCodec } from '../../src/binlog/rows/text-value.ts';
import { parseTableMap } from '../../src/binlog/table-map.ts';
import { UmbusError } from '../../src/core/errors.ts';
import { TupleBuffer, viewOf } from '../../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../../src/ums/tuple-prefix.ts';
import { UTC } from '../../src/ums/zone.ts';
import { type ColumnSpec, tableMapBody } from '../support/table-map-builder.ts';
import { be, hex, image, le, sized, writerOf } from '../unit/rows/rows-fixture.ts';
import { documentBytes, type JsonDocument } from './json-document.ts';

/** A column of each kind, with a good value. */
const kinds: readonly (readonly [Omit<ColumnSpec, 'name'>, Buffer])[] = [
  [{ type: T.TINY }, hex('ff')],
  [{ type: T.SHORT, unsigned: true }, hex('ffff')],
  [{ type: T.INT24 }, hex('ffffff')],
  [{ type: T.LONG }, hex('ffffff7f')],
  [{ type: T.LONGLONG, unsigned: true }, hex('ffffffffffffffff')],
  [{ type: T.FLOAT, meta: 4 }, hex('cdcc8c3f')],
  [{ type: T.DOUBLE, meta: 8 }, hex('9a9999999999b93f')],
  [{ type: T.NEWDECIMAL, meta: (20 << 8) | 6 }, hex('80000000010000000001e240').subarray(0, 10)],
  [{ type: T.BIT, meta: 1 | (4 << 8) }, hex('01ffffffff')],
  [{ type: T.YEAR }, hex('7c')],
  [{ type: T.DATE }, le((2024 << 9) | (2 << 5) | 29, 3)],
  [{ type: T.DATETIME2, meta: 6 }, Buffer.concat([be(0x99b2bac8b8n, 5), hex('01e240')])],
  [{ type: T.TIMESTAMP2, meta: 3 }, hex('65000000 1a7c')],
  [{ type: T.TIME2, meta: 2 }, hex('7fffff9d')],
  [{ type: T.DATETIME }, le(20_240_229_123_456n, 8)],
  [{ type: T.TIME }, le(8_385_959, 3)],
  [{ type: T.VARCHAR, meta: 200 }, sized('é "quoted" \u0001 text', 1)],
  [{ type: T.VARCHAR, meta: 400, collation: 8 }, sized(hex('80ff41'), 2)],
  [{ type: T.STRING, meta: 0xfe10, collation: 63 }, sized('abc', 1)],
  [{ type: T.BLOB, meta: 3, collation: 63 }, sized(Buffer.alloc(40, 9), 3)],
  [{ type: T.BLOB, meta: 4 }, sized('text', 4)],
  [{ type: T.GEOMETRY, meta: 4 }, sized(Buffer.alloc(25, 1), 4)],
  [{ type: T.VECTOR, meta: 4, collation: 63 }, sized(Buffer.alloc(8), 4)],
  [{ type: T.VARCHAR, meta: 60, collation: 28 }, sized(hex('61c4e3bac3'), 1)],
  [{ type: T.VARCHAR, meta: 60, collation: 248 }, sized(hex('81308130a1a1'), 1)],
  [{ type: T.BLOB, meta: 2, collation: 54 }, sized(hex('d83dde000041'), 2)],
  [{ type: T.VARCHAR_COMPRESSED, meta: 60 }, sized(hex('00616263'), 1)],
  [{ type: T.BLOB_COMPRESSED, meta: 2, collation: 63 }, sized(hex('8a012caba81805c40200'), 2)],
  [{ type: T.ENUM, meta: 1, labels: ['a', 'b'] }, hex('02')],
  [{ type: T.SET, meta: 1, labels: ['a', 'b'] }, hex('03')],
  [
    { type: T.JSON, meta: 4 },
    sized(
      documentBytes(
        new Map<string, string | readonly bigint[]>([
          ['k', 'v"'],
          ['list', [1n, 70_000n]],
        ]),
        false,
      ),
      4,
    ),
  ],
];

const columns = kinds.map(([column], i) => ({ ...column, name: `c${i}`, nullable: true }));
const good = image(...kinds.map(([, bytes]) => bytes));
const keyed = writerOf(columns, { primaryKey: [3, 16] });
const forms = ['rows', 'pairs', 'updates'] as const;

/** What became of an event: its tuples as text, or the code of the error. */
function outcome(
  writer: RowWriter,
  form: (typeof forms)[number],
  images: Uint8Array,
  around: number,
): string {
  // Nothing at all stands behind the event in one of the cases: a read there would throw.
  const behind = around === 0 ? 0 : 70;
  const bytes = Buffer.concat([Buffer.alloc(3, around), images, Buffer.alloc(behind, around)]);
  const out = new TupleBuffer(32);
  const prefix = new TuplePrefix(UTC);
  prefix.file(1, 1);
  prefix.time(0, -1);
  prefix.event(4, 'u');
  const end = 3 + images.length;
  try {
    const stopped = writer[form](
      bytes,
      viewOf(bytes),
      3,
      end,
      out,
      prefix,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    );
    assert.equal(stopped, end);
  } catch (error) {
    assert.ok(error instanceof UmbusError, `not a coded error: ${error}`);
    assert.deepEqual([out.length, out.tuples, out.rows], [0, 0, 0]);
    return error.code;
  }
  const text = `[${out.bytes.toString('utf8', 0, Math.max(0, out.length - 1))}]`;
  const tuples: unknown[] = JSON.parse(text);
  assert.equal(tuples.length, out.tuples);
  return text;
}

function check(images: Uint8Array): void {
  for (const form of forms) {
    assert.equal(
      outcome(keyed, form, images, 0x00),
      outcome(keyed, form, images, 0xff),
      'bytes outside the event were read',
    );
  }
}

test('the good row is decoded, alone and as an update', () => {
  assert.match(outcome(keyed, 'rows', good, 0), /^\[\{"tuple":/);
  assert.match(outcome(keyed, 'updates', Buffer.concat([good, good]), 0), /^\[\{"tuple":/);
});

test('flipped bytes give a coded error or a whole output', () => {
  const pair = Buffer.concat([good, good]);
  const flips = fc.array(fc.tuple(fc.nat(pair.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(flips, each => {
      const bytes = Buffer.from(pair);
      for (const [at, mask] of each) bytes[at] = (bytes[at] ?? 0) ^ mask;
      check(bytes);
    }),
    { numRuns: 1500 },
  );
});

test('cut and random bytes give a coded error or a whole output', () => {
  const random = fc.uint8Array({ maxLength: 400 });
  const cut = fc
    .tuple(fc.nat(good.length), fc.uint8Array({ maxLength: 100 }))
    .map(([at, tail]) => Buffer.concat([good.subarray(0, at), tail]));
  fc.assert(fc.property(fc.oneof(random, cut), check), { numRuns: 1500 });
});

test('random JSON documents give a coded error or a whole output', () => {
  const json = writerOf([{ name: 'j', type: T.JSON, meta: 4 }]);
  const small = fc.uint8Array({ maxLength: 200 });
  const biased = fc
    .array(fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 12, 15, 246), { maxLength: 120 })
    .map(bytes => Uint8Array.from(bytes));
  fc.assert(
    fc.property(fc.oneof(small, biased), bytes => {
      const images = image(sized(bytes, 4));
      assert.equal(outcome(json, 'rows', images, 0), outcome(json, 'rows', images, 0xff));
    }),
    { numRuns: 3000 },
  );
});

/** Updates whose images lack columns, as the bitmaps in front say, and whose JSON columns may hold differences. */
function partialOutcome(event: Uint8Array, type: number, around: number): string {
  const bitmap = Math.ceil(columns.length / 8);
  const partial: RowWriter = {
    ...keyed,
    updates: (b, d, o, e, out, prefix, most, end) =>
      keyed.partial(o + 2 * bitmap, type).updates(b, d, o + 2 * bitmap, e, out, prefix, most, end),
  };
  return outcome(partial, 'updates', event, around);
}

test('images that lack columns give a coded error or a whole output', () => {
  const bitmap = Math.ceil(columns.length / 8);
  const present = fc.uint8Array({ minLength: 2 * bitmap, maxLength: 2 * bitmap });
  const flips = fc.array(fc.tuple(fc.nat(2 * good.length), fc.integer({ min: 0, max: 255 })), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(present, flips, fc.constantFrom(24, 31, 39), (bitmaps, each, type) => {
      const images = Buffer.concat([bitmaps, good, Buffer.from([0]), good]);
      for (const [at, byte] of each) images[2 * bitmap + at] = byte;
      assert.equal(partialOutcome(images, type, 0), partialOutcome(images, type, 0xff));
    }),
    { numRuns: 1500 },
  );
});

test('damaged differences of a JSON document give none, or a document', () => {
  const document = documentBytes(new Map([['k', [1n, 2n]]]), false);
  const noise = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 12, 36, 46, 91, 93, 48, 107, 34, 255), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(noise, fc.uint8Array({ maxLength: 60 }), fc.boolean(), (changes, other, damaged) => {
      const base = damaged ? Buffer.from(other) : Buffer.from(document);
      const made = applyJsonChanges(base, Buffer.from(changes));
      if (made !== null) {
        const out = new TupleBuffer();
        writeJson(out, made, viewOf(made), 0, made.length, 0, 0);
      }
    }),
    { numRuns: 3000 },
  );
});

/** Members as the server orders them: by length of the name, then by its bytes. */
function serverOrder([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length - y.length || Buffer.compare(x, y);
}

test('a document that is taken apart and put together again has the same text', () => {
  const document = fc.letrec<{ node: JsonDocument }>(tie => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.string({ maxLength: 20 }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.array(tie('node'), { maxLength: 5 }),
      fc
        .array(fc.tuple(fc.string({ maxLength: 8 }), tie('node')), { maxLength: 5 })
        .map(entries => new Map(entries.sort(serverOrder))),
    ),
  })).node;
  const textOf = (bytes: Buffer): string => {
    const out = new TupleBuffer();
    const end = writeJson(out, bytes, viewOf(bytes), 0, bytes.length, 0, 0);
    return out.bytes.toString('utf8', 0, end);
  };
  fc.assert(
    fc.property(document, fc.boolean(), (value, large) => {
      const bytes = Buffer.from(documentBytes(value, large));
      assert.equal(textOf(nodeBytes(nodeOf(bytes))), textOf(bytes));
    }),
    { numRuns: 500 },
  );
});

test('text of any character set stays within its room, and is JSON or refused', () => {
  const charsets = [
    'gbk',
    'big5',
    'sjis',
    'ujis',
    'gb18030',
    'swe7',
    'cp1251',
    'ucs2',
    'utf16',
    'utf16le',
    'utf32',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...charsets), fc.uint8Array({ maxLength: 60 }), (charset, text) => {
      const codec = textCodec(charset) ?? assert.fail(charset);
      const b = Buffer.from(text);
      const room = Math.min(codec.size(b, 0, b.length), 6 * b.length + 2);
      const w = Buffer.alloc(room + 8, 0xee);
      const end = codec.write(b, viewOf(b), 0, b.length, w, viewOf(w), 0);
      if (end >= 0) assert.equal(typeof JSON.parse(w.toString('utf8', 0, end)), 'string');
      assert.ok(end <= room && w.subarray(room).every(byte => byte === 0xee), `${end} of ${room}`);
    }),
    { numRuns: 3000 },
  );
});

test('damaged compressed events give a coded error or an event', () => {
  const packed = Buffer.concat([hex('02010001012a00'), zstdCompressSync(Buffer.alloc(60, 'event'))]);
  const rows = Buffer.concat([
    Buffer.alloc(19),
    hex('64000000000001000103820004'),
    deflateSync(Buffer.from('rows')),
  ]);
  rows.writeUInt8(166, 4);
  const flips = fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
  fc.assert(
    fc.property(flips, each => {
      for (const [good, open] of [
        [packed, (bytes: Buffer) => payloadEvents(bytes, 0, bytes.length)],
        [rows, (bytes: Buffer) => inflatedEvent(bytes, 0, bytes.length)],
      ] as const) {
        const bytes = Buffer.from(good);
        for (const [at, mask] of each) if (at < bytes.length && at !== 4) bytes[at] = (bytes[at] ?? 0) ^ mask;
        try {
          open(bytes);
        } catch (error) {
          assert.ok(error instanceof UmbusError, `not a coded error: ${error}`);
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test('damaged table maps give a coded error or a decoder', () => {
  const body = tableMapBody({ tableId: 1, schema: 'shop', table: 't', columns, primaryKey: [0] });
  const flips = fc.array(fc.tuple(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(flips, each => {
      const bytes = Buffer.from(body);
      for (const [at, mask] of each) bytes[at] = (bytes[at] ?? 0) ^ mask;
      let writer: RowWriter;
      try {
        writer = compileRows(parseTableMap(bytes), { zone: UTC });
      } catch (error) {
        assert.ok(error instanceof UmbusError, `not a coded error: ${error}`);
        return;
      }
      outcome(writer, 'rows', good, 0);
    }),
    { numRuns: 600 },
  );
});
