/** Damaged results of a SELECT: whatever a server sends, the readers end, read nothing but the packet, and give a value or a coded error. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileImages, ImageBuffer } from '../../src/binlog/result/compile-images.ts';
import { imageKey } from '../../src/binlog/result/image-key.ts';
import { PacketReader } from '../../src/binlog/result/packet-reader.ts';
import { type ColumnDefinition, resultColumn } from '../../src/binlog/result/result-column.ts';
import { compileRows } from '../../src/binlog/rows/compile.ts';
import { isUmbusError, UmbusError } from '../../src/core/errors.ts';
import { TupleBuffer, viewOf } from '../../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../../src/ums/tuple-prefix.ts';
import { UTC } from '../../src/ums/zone.ts';
import { hex } from '../unit/rows/rows-fixture.ts';

const none = { charset: null, precision: null, scale: null, fraction: null, octets: null };

/** A column of each kind, with a good value as it is sent. */
const kinds: readonly (readonly [dataType: string, facts: Partial<ColumnDefinition>, sent: Buffer])[] = [
  ['tinyint', {}, hex('ff')],
  ['mediumint', { columnType: 'mediumint unsigned' }, hex('ffffff00')],
  ['bigint', {}, hex('ffffffffffffff7f')],
  ['double', {}, hex('9a9999999999b93f')],
  ['year', {}, hex('ea07')],
  ['bit', { precision: 12 }, hex('020fff')],
  ['decimal', { precision: 20, scale: 6 }, text('-12345.067000')],
  ['date', {}, hex('04 ea07 02 1c')],
  ['datetime', { fraction: 6 }, hex('0b ea07 02 1c 173b3b 3f420f00')],
  ['timestamp', { fraction: 3 }, hex('07 ea07 0b 1c 173b3b')],
  ['time', { fraction: 2 }, hex('0c 01 22000000 163b3b a0860100')],
  ['enum', { columnType: "enum('a','it''s')", charset: 'latin1' }, hex('0200000000000000')],
  ['set', { columnType: "set('a','b')", charset: 'utf8mb4' }, hex('0300000000000000')],
  ['varchar', { charset: 'gbk' }, text('abc')],
  ['text', { charset: 'utf8mb4' }, text('é'.repeat(150))],
  ['json', {}, text('{"a": [1, 2.50]}')],
  ['point', {}, text('\u0000'.repeat(25))],
  ['inet6', {}, text('\u0001'.repeat(16))],
];

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = bytes.length > 250 ? [252, bytes.length & 255, bytes.length >> 8] : [bytes.length];
  return Buffer.concat([Buffer.from(head), bytes]);
}

const columns = kinds.map(([dataType, facts], i) =>
  resultColumn({ ...none, columnType: dataType, ...facts, name: `c${i}`, nullable: true, dataType }),
);
const good = Buffer.concat([
  Buffer.alloc(1 + ((columns.length + 9) >> 3)),
  ...kinds.map(([, , sent]) => sent),
]);
const write = compileImages(columns);
const writer = compileRows(
  {
    tableId: 0,
    schema: 's',
    table: 't',
    columns: columns.map(({ map }) => map),
    primaryKey: null,
    named: true,
  },
  { zone: UTC },
);
const every = [...columns.keys()];

/** The code of a coded error; fails for any other. */
function codeOf(error: unknown): string {
  assert.ok(error instanceof UmbusError, `not a coded error: ${error}`);
  return error.code;
}

/** What the decoder of rows makes of an image, or the code of its error. */
function decoded(image: Buffer): string {
  const out = new TupleBuffer(32);
  const prefix = new TuplePrefix(UTC);
  prefix.file(1, 1);
  prefix.time(0, -1);
  prefix.event(4, 'i');
  const most = Number.POSITIVE_INFINITY;
  try {
    writer.rows(image, viewOf(image), 0, image.length, out, prefix, most, most);
  } catch (error) {
    return codeOf(error);
  }
  return out.bytes.toString('utf8', 0, Math.max(0, out.length - 1));
}

/** What becomes of a row: the text of its tuple, or the code of an error. */
function outcome(row: Uint8Array, around: number): string {
  const behind = around === 0 ? 0 : 40;
  const bytes = Buffer.concat([Buffer.alloc(4, around), row, Buffer.alloc(behind, around)]);
  const out = new ImageBuffer(8);
  try {
    write(bytes, viewOf(bytes), 4, 4 + row.length, out);
  } catch (error) {
    assert.deepEqual([out.length, out.rows], [0, 0]);
    return codeOf(error);
  }
  const image = Buffer.from(out.bytes.subarray(0, out.length));
  const key = every.filter(i => ((image[i >> 3] ?? 0) & (1 << (i & 7))) === 0);
  if (key.length > 0) assert.equal(imageKey(columns, key, image, 0).length, key.length);
  return decoded(image);
}

function check(row: Uint8Array): void {
  assert.equal(outcome(row, 0x00), outcome(row, 0xff), 'bytes outside of the row were read');
}

test('the good row of a result is decoded', () => {
  const tuple = outcome(good, 0);
  assert.match(tuple, /"-12345.067000","2026-02-28","2026-02-28 23:59:59.999999","2026-11-28 23:59:59/);
  assert.match(tuple, /"-838:59:59.10?","it's","a,b","abc"/);
});

test('rows of a result with other bytes in them, or cut, give values or coded errors', () => {
  for (let length = 0; length <= good.length; length++) check(good.subarray(0, length));
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0, 1, 9, 13, 24, 32, 45, 46, 60, 250, 251, 252, 253, 254, 255),
  );
  const flips = fc.array(fc.tuple(fc.nat(good.length - 1), byte), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.nat(good.length), fc.boolean(), (each, cut, isCut) => {
      const row = Buffer.from(good);
      for (const [at, value] of each) row[at] = value;
      check(isCut ? row.subarray(0, cut) : row);
    }),
    { numRuns: 6000 },
  );
});

test('rows of a result of any bytes give values or coded errors', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(255), (bytes, nulls) => {
      check(bytes);
      // With most columns NULL, what is left of them is reached.
      check(Buffer.concat([Buffer.from([0, 255, nulls, 255]), bytes]));
      check(Buffer.concat([Buffer.from([0, 252, 255 - nulls, 15]), bytes]));
    }),
    { numRuns: 4000 },
  );
});

test('a value that its type does not have is refused, not cut to one that it has', () => {
  const refused: readonly (readonly [dataType: string, sent: string])[] = [
    ['year', '1027'],
    ['year', '0100'],
    ['date', '04 1127 02 1c'],
    ['date', '03 ea07 02'],
    ['datetime', '07 ea07 02 1c 183b3b'],
    ['datetime', '0b ea07 02 1c 173b3b 40420f00'],
    ['timestamp', '04 3b08 02 1c'],
    ['time', '08 00 23000000 000000'],
    ['time', '08 00 00000001 000000'],
    ['decimal', '03 313a32'],
    ['decimal', '00'],
    ['decimal', '01 2d'],
    ['text', 'ff'],
    ['text', 'fb'],
    ['text', 'fe 01000000 01000000 41'],
  ];
  for (const [dataType, sent] of refused) {
    const i = kinds.findIndex(([each]) => each === dataType);
    const column = columns[i] ?? assert.fail(dataType);
    const row = Buffer.concat([hex('0000'), hex(sent)]);
    assert.throws(
      () => compileImages([column])(row, viewOf(row), 0, row.length, new ImageBuffer(8)),
      error => isUmbusError(error, 'UMBUS_SOURCE_PROTOCOL'),
      `${dataType} ${sent}`,
    );
  }
});

test('packets come out whole, however what is sent is cut', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }), (sent, cuts) => {
      const stream = Buffer.concat(
        sent.flatMap((payload, i) => [hex(`${length3(payload.length)}`), Buffer.from([i]), payload]),
      );
      const reader = new PacketReader();
      const got: string[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        // Never nothing for ever: one byte more than was drawn.
        const size = 1 + (cuts[i % cuts.length] ?? 0);
        reader.push(Buffer.from(stream.subarray(at, at + size)));
        while (reader.next()) got.push(reader.bytes.toString('hex', reader.start, reader.end));
        at += size;
      }
      assert.deepEqual(
        got,
        sent.map(payload => Buffer.from(payload).toString('hex')),
      );
    }),
    { numRuns: 2000 },
  );
});

test('any bytes are packets, or wait for more, and a packet without an end is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 6 }), chunks => {
      const reader = new PacketReader(100_000);
      try {
        for (const chunk of chunks) {
          reader.push(Buffer.from(chunk));
          while (reader.next()) assert.ok(reader.start <= reader.end && reader.end <= reader.bytes.length);
        }
      } catch (error) {
        assert.equal(codeOf(error), 'UMBUS_SOURCE_PROTOCOL');
      }
    }),
    { numRuns: 2000 },
  );
});

/** A length in three bytes, little-endian, as digits. */
function length3(length: number): string {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(length, 0, 3);
  return bytes.toString('hex');
}
