import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import { EventType } from '../../../src/binlog/event-type.ts';
import { rowsStart } from '../../../src/binlog/rows/rows-event.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { TupleBuffer, viewOf } from '../../../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../../../src/ums/tuple-prefix.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { hex, image, le, sized, write, writerOf } from './rows-fixture.ts';

const id = { name: 'id', type: T.LONG };
const name = { name: 'name', type: T.VARCHAR, meta: 100, nullable: true };
const row = (number: number, text: string | null) =>
  image(le(number, 4), text === null ? null : sized(text, 1));

describe('compiled rows', () => {
  test('give each row of an event its own ids, past a carry of the last six digits', () => {
    const { tuples } = write(writerOf([id]), 'rows', Buffer.concat([1, 2, 3, 4].map(n => image(le(n, 4)))));
    assert.deepEqual(
      tuples.map(tuple => [tuple[0], tuple[3]]),
      ['0999998', '0999999', '1000000', '1000001'].map(end => {
        const umsId = `12000000${end.slice(1)}`.slice(0, 8) + `00000${end}`.slice(-7);
        return [umsId, `10000${umsId}1`];
      }),
    );
  });

  test('describe their columns and the primary key in key order', () => {
    const writer = writerOf([id, name, { name: 'k', type: T.TINY }], { primaryKey: [2, 0] });
    assert.deepEqual(writer.primaryKey, ['k', 'id']);
    assert.deepEqual(writer.fields, [
      { name: 'id', type: 'int', nullable: false, encoded: false },
      { name: 'name', type: 'string', nullable: true, encoded: false },
      { name: 'k', type: 'int', nullable: false, encoded: false },
    ]);
    assert.deepEqual(writerOf([id]).primaryKey, []);
  });

  test('refuse images without any column where bytes are left, instead of reading them for ever', () => {
    const writer = writerOf([id, name], { primaryKey: [0] });
    const cases = [
      ['rows', EventType.WRITE_ROWS, 1],
      ['rows', EventType.UPDATE_ROWS, 2],
      ['pairs', EventType.UPDATE_ROWS, 2],
      ['updates', EventType.UPDATE_ROWS, 2],
    ] as const;
    for (const [form, type, bitmaps] of cases) {
      // The present bitmaps of the event stand in front of its images.
      const event = Buffer.concat([Buffer.alloc(bitmaps), row(1, 'a')]);
      const partial: typeof writer = {
        ...writer,
        [form]: ((b, d, o, e, out, prefix, most, end) =>
          writer
            .partial(o + bitmaps, type)
            [form](b, d, o + bitmaps, e, out, prefix, most, end)) satisfies typeof writer.rows,
      };
      assert.throws(
        () => write(partial, form, event),
        error => isUmbusError(error, 'UMBUS_BINLOG_ROW'),
        `${form} of ${type}`,
      );
      assert.throws(
        () => writer.count(event, viewOf(event), bitmaps, event.length, type),
        error => isUmbusError(error, 'UMBUS_BINLOG_ROW'),
      );
    }
    assert.throws(
      () => writerOf([]),
      error => isUmbusError(error, 'UMBUS_BINLOG_TABLE_MAP'),
    );
  });

  test('hold names of any text', () => {
    const odd = ['a"b', "c'd", 'e\\f', '`', '*/', 'null', 'o', '\u2028'];
    const writer = writerOf(odd.map(each => ({ name: each, type: T.TINY })));
    assert.deepEqual(
      writer.fields.map(field => field.name),
      odd,
    );
    const { tuples } = write(writer, 'rows', image(...odd.map((_, i) => le(i, 1))));
    assert.deepEqual(tuples[0]?.slice(4), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('decode more columns than fit one bitmap byte, nulls and all', () => {
    const columns = Array.from({ length: 4096 }, (_, i) => ({
      name: `c${i}`,
      type: T.SHORT,
      nullable: true,
    }));
    const values = columns.map((_, i) => (i % 3 === 0 ? null : i));
    const { tuples } = write(
      writerOf(columns),
      'rows',
      image(...values.map(v => (v === null ? null : le(v, 2)))),
    );
    assert.deepEqual(tuples[0]?.slice(4), values);
  });

  test('stop at the bound of tuples or bytes, and go on from there', () => {
    const images = Buffer.concat([1, 2, 3, 4, 5].map(n => row(n, 'x')));
    const { rows } = writerOf([id, name]);
    const out = new TupleBuffer();
    const prefix = new TuplePrefix();
    prefix.time(0, -1);
    prefix.event(100, 'i');
    const view = viewOf(images);
    const first = rows(images, view, 0, images.length, out, prefix, 2, Number.POSITIVE_INFINITY);
    assert.deepEqual([out.tuples, out.rows, first], [2, 2, images.length * 0.4]);
    const length = out.length;
    const second = rows(images, view, first, images.length, out, prefix, 100, length + 1);
    assert.deepEqual(
      [out.tuples, second, out.lastStart, out.lastTuples],
      [3, images.length * 0.6, length, 1],
    );
    assert.equal(rows(images, view, second, images.length, out, prefix, 100, 1e9), images.length);
    assert.equal(out.tuples, 5);
  });

  test('of a value larger than the buffer make room for it exactly', () => {
    const blob = { name: 'b', type: T.BLOB, meta: 4, collation: 63 };
    const text = { name: 't', type: T.BLOB, meta: 4 };
    const size = 20_000_000;
    const images = image(sized(Buffer.alloc(size, 7), 4), sized(Buffer.alloc(size, 'x'), 4));
    const { out } = write(writerOf([blob, text]), 'rows', images, new TupleBuffer(64));
    assert.ok(out.length > size * 2.3 && out.bytes.length < out.length * 1.4, `${out.bytes.length} bytes`);
  });
});

describe('updates', () => {
  const before = row(1, 'old');
  const after = row(1, 'new');
  const columns = [id, name];

  test('give the after image alone while the primary key stays', () => {
    const { tuples, out } = write(
      writerOf(columns, { primaryKey: [0] }),
      'updates',
      Buffer.concat([before, after, before, after]),
    );
    assert.deepEqual(
      tuples.map(tuple => [tuple[2], ...tuple.slice(4)]),
      [
        ['u', 1, 'new'],
        ['u', 1, 'new'],
      ],
    );
    assert.deepEqual([out.tuples, out.rows], [2, 2]);
  });

  test('give the before image too when the primary key changes, in whatever column of it', () => {
    const images = Buffer.concat([
      row(1, 'a'),
      row(1, 'a'),
      row(1, 'a'),
      row(2, 'a'),
      row(2, 'a'),
      row(2, 'A'),
      row(3, 'x'),
      row(3, 'x'),
    ]);
    const { tuples, out } = write(writerOf(columns, { primaryKey: [1, 0] }), 'updates', images);
    assert.deepEqual(
      tuples.map(tuple => [tuple[2], ...tuple.slice(4)]),
      [
        ['u', 1, 'a'],
        ['b', 1, 'a'],
        ['u', 2, 'a'],
        ['b', 2, 'a'],
        ['u', 2, 'A'],
        ['u', 3, 'x'],
      ],
    );
    assert.deepEqual([out.tuples, out.rows, out.lastTuples], [6, 4, 1]);
    const ids = tuples.map(tuple => [tuple[0], String(tuple[3]).at(-1)]);
    assert.equal(ids[1]?.[0], ids[2]?.[0]);
    assert.deepEqual(
      ids.map(([, digit]) => digit),
      ['1', '0', '1', '0', '1', '1'],
    );
    assert.equal(new Set(tuples.map(tuple => tuple[3])).size, 6);
  });

  test('give all before images when asked for pairs', () => {
    const { tuples } = write(writerOf(columns), 'pairs', Buffer.concat([before, after]));
    assert.deepEqual(
      tuples.map(tuple => [tuple[2], ...tuple.slice(4)]),
      [
        ['b', 1, 'old'],
        ['u', 1, 'new'],
      ],
    );
  });

  test('without an after image are refused', () => {
    for (const form of ['pairs', 'updates'] as const) {
      const out = new TupleBuffer();
      assert.throws(
        () =>
          write(writerOf(columns, { primaryKey: [0] }), form, Buffer.concat([before, after, before]), out),
        error => isUmbusError(error, 'UMBUS_BINLOG_ROW'),
      );
      assert.deepEqual([out.length, out.tuples, out.rows], [0, 0, 0]);
    }
  });

  test('whose before image is bad leave nothing behind, though the after image was written', () => {
    const timed = [
      { name: 'id', type: T.LONG },
      { name: 'at', type: T.DATETIME2, meta: 0 },
    ];
    const bad = image(le(1, 4), hex('0000000000'));
    const fine = image(le(2, 4), hex('8000000000'));
    const out = new TupleBuffer();
    assert.throws(
      () => write(writerOf(timed, { primaryKey: [0] }), 'updates', Buffer.concat([bad, fine]), out),
      error => isUmbusError(error, 'UMBUS_BINLOG_VALUE'),
    );
    assert.deepEqual([out.length, out.tuples, out.rows], [0, 0, 0]);
  });
});

describe('damage', () => {
  test('an image that ends early is refused and names the column', () => {
    const images = Buffer.concat([row(1, 'fine'), row(2, 'abcdef')]);
    for (let cut = 1; cut < 12; cut++) {
      const out = new TupleBuffer();
      assert.throws(
        () => write(writerOf([id, name]), 'rows', images.subarray(0, images.length - cut), out),
        error =>
          isUmbusError(error, 'UMBUS_BINLOG_ROW') &&
          /ends inside (column (id|name)|its null bitmap)\.$/.test(error.message),
      );
      assert.equal(out.length, 0);
    }
  });

  test('a table without column names is refused with the statement that mends it', () => {
    assert.throws(
      () => writerOf([id], { metadata: false }),
      error =>
        isUmbusError(error, 'UMBUS_BINLOG_NO_METADATA') &&
        error.message.includes('SET GLOBAL binlog_row_metadata = FULL'),
    );
  });

  test('a type that no server logs is refused by number', () => {
    assert.throws(
      () => writerOf([{ name: 'g', type: T.NULL, meta: 0 }]),
      error =>
        isUmbusError(error, 'UMBUS_BINLOG_TYPE') &&
        error.message === 'Column shop.t.g is of type type code 6, which is not decoded yet.',
    );
  });

  test('a column with a name of UMS is refused', () => {
    assert.throws(
      () => writerOf([{ name: 'ums_id_', type: T.TINY }]),
      error => isUmbusError(error, 'UMBUS_BINLOG_TYPE'),
    );
  });
});

describe('the start of the rows', () => {
  const event = (change: (bytes: Buffer) => void = () => undefined): Buffer => {
    const bytes = new BinlogBuilder().rows('insert', 7, 9, Buffer.alloc(0));
    change(bytes);
    return bytes.subarray(0, -4);
  };
  const start = (bytes: Buffer, columns = 9): number =>
    rowsStart(bytes, viewOf(bytes), 0, bytes.length, 30, columns);

  test('is found behind the bitmaps', () => {
    assert.equal(start(event()), 19 + 10 + 1 + 2);
  });

  test('is a complement when columns are left out', () => {
    for (const [at, mask] of [
      [30, 0xfe],
      [31, 0xfe],
    ] as const) {
      assert.equal(
        start(event(bytes => bytes.writeUInt8(bytes.readUInt8(at) & mask, at))),
        ~(19 + 10 + 1 + 2),
      );
    }
  });

  test('is refused when the table map has another number of columns', () => {
    assert.throws(
      () => start(event(), 8),
      error => isUmbusError(error, 'UMBUS_BINLOG_TABLE_MAP'),
    );
  });

  test('is refused when the event ends before it', () => {
    for (let length = 19; length < 32; length++) {
      assert.throws(
        () => start(event().subarray(0, length)),
        error => isUmbusError(error, 'UMBUS_BINLOG_ROW'),
      );
    }
  });
});
