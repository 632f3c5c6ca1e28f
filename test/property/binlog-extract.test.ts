import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ColumnType } from '../../src/binlog/column-type.ts';
import { parseTableMap } from '../../src/binlog/table-map.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import { isUmbusError, UmbusError } from '../../src/core/errors.ts';
import { createDispatcher } from '../../src/stages/dispatch.ts';
import {
  BinlogBuilder,
  resum,
  type TableSpec,
  tableMapBody,
  transaction,
} from '../support/binlog-builder.ts';
import { capture, capturedEvents } from '../support/captures.ts';
import { ExtractDriver, eventsOf } from '../support/extract-driver.ts';

const dumps = [
  { name: 'mysql-9.7', flavor: 'mysql', file: 'binlog.000001' },
  { name: 'mariadb-10.11', flavor: 'mariadb', file: 'bin.000001' },
] as const;
type Dump = (typeof dumps)[number];

function driverOf({ flavor, file }: Dump, runBytes = 262_144): ExtractDriver {
  return new ExtractDriver({ runBytes }).open({
    server: { flavor, version: '', id: 's' },
    from: { file, position: 4, gtid: '' },
  });
}

/** Feeds chunks until an error; returns its code, or null. Fails on any error without a code. */
function feed(driver: ExtractDriver, chunks: Iterable<Uint8Array>): string | null {
  try {
    for (const chunk of chunks) driver.bytes(chunk);
    driver.commit();
    return null;
  } catch (error) {
    assert.ok(isUmbusError(error), `not a coded error: ${String(error)}`);
    assert.notEqual(error.code, 'UMBUS_INTERNAL');
    assert.throws(() => driver.commit(), UmbusError);
    return error.code;
  }
}

function* cut(bytes: Uint8Array, sizes: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function framed(events: readonly Uint8Array[]): Buffer {
  const builder = new BinlogBuilder();
  return Buffer.concat(events.map(event => builder.packet(Buffer.concat([Buffer.alloc(1), event]))));
}

/** Every run holds whole events that its spans cover. */
function checkRuns(runs: readonly RawRun[]): void {
  for (const run of runs) {
    const sizes = eventsOf(run).reduce((sum, each) => sum + each.event.length, 0);
    assert.equal(sizes, run.events.length);
    assert.ok(run.next >= run.position || run.position > run.next - 2 ** 31);
  }
}

function dumpArbitrary(): fc.Arbitrary<Dump> {
  return fc.constantFrom(...dumps);
}

test('the same bytes give the same runs, however they are cut', () => {
  fc.assert(
    fc.property(
      dumpArbitrary(),
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 100, max: 5000 }),
      (dump, sizes, runBytes) => {
        const bytes = capture(dump.name);
        const whole = driverOf(dump, runBytes);
        const parts = driverOf(dump, runBytes);
        assert.equal(feed(whole, [bytes]), null);
        assert.equal(feed(parts, cut(bytes, sizes)), null);
        assert.deepEqual(parts.runs, whole.runs);
      },
    ),
    { numRuns: 60 },
  );
});

test('a flipped bit with the CRC left as it was is found, and nothing after it lands', () => {
  fc.assert(
    fc.property(dumpArbitrary(), fc.nat(), fc.nat(), fc.nat({ max: 7 }), (dump, eventPick, bytePick, bit) => {
      const events = capturedEvents(dump.name).map(event => Buffer.from(event));
      // The artificial ROTATE may come without a checksum, so it cannot be held to one.
      const candidates = events.map((_, i) => i).filter(i => events[i]?.readUInt32LE(13) !== 0);
      const index = candidates[eventPick % candidates.length] ?? 0;
      const event = events[index] ?? assert.fail();
      const at = bytePick % event.length;
      event[at] = (event[at] ?? 0) ^ (1 << bit);
      const driver = driverOf(dump);
      const code = feed(driver, [framed(events)]);
      // The size is compared with the packet's before the sum; the type and flags say whether there is one.
      const inHeader = at < 19 && at >= 4;
      const codes = inHeader
        ? ['UMBUS_BINLOG_CHECKSUM', 'UMBUS_BINLOG_TRUNCATED', 'UMBUS_SOURCE_PROTOCOL', 'UMBUS_BINLOG_EVENT']
        : ['UMBUS_BINLOG_CHECKSUM'];
      if (event[4] === 15 && !inHeader) codes.push('UMBUS_BINLOG_EVENT', 'UMBUS_BINLOG_TRUNCATED');
      assert.ok(code !== null && codes.includes(code), `${code} for byte ${at} of event ${index}`);
      const undamaged = driverOf(dump);
      const sent = capturedEvents(dump.name);
      assert.equal(feed(undamaged, [framed(sent)]), null);
      const before = new Set(sent.slice(0, index).map(each => each.toString('hex')));
      // Starts of transactions land with what they begin.
      const landed = (runs: readonly RawRun[]): string[] =>
        runs
          .flatMap(run => eventsOf(run))
          .filter(({ table }) => table !== '-')
          .map(each => Buffer.from(each.event).toString('hex'));
      assert.deepEqual(
        landed(driver.runs),
        landed(undamaged.runs).filter(each => before.has(each)),
      );
    }),
    { numRuns: 300 },
  );
});

test('damage with a right CRC gives a coded error or whole runs', () => {
  fc.assert(
    fc.property(
      dumpArbitrary(),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      (dump, flips) => {
        const events = capturedEvents(dump.name).map(event => Buffer.from(event));
        for (const [eventPick, bytePick, value] of flips) {
          const event = events[eventPick % events.length] ?? assert.fail();
          event[bytePick % (event.length - 4)] = value;
          resum(event);
        }
        const driver = driverOf(dump);
        feed(driver, [framed(events)]);
        checkRuns(driver.runs);
      },
    ),
    { numRuns: 600 },
  );
});

test('events cut short or filled up, with a right size and CRC, give a coded error or whole runs', () => {
  fc.assert(
    fc.property(dumpArbitrary(), fc.nat(), fc.nat({ max: 300 }), (dump, eventPick, length) => {
      const events: Buffer[] = capturedEvents(dump.name).map(event => Buffer.from(event));
      const index = eventPick % events.length;
      const event = events[index] ?? assert.fail();
      const changed = Buffer.alloc(Math.max(23, length));
      event.copy(changed, 0, 0, Math.min(event.length, changed.length));
      changed.writeUInt32LE(changed.length, 9);
      events[index] = resum(changed);
      const driver = driverOf(dump);
      feed(driver, [framed(events)]);
      checkRuns(driver.runs);
    }),
    { numRuns: 600 },
  );
});

test('a stream cut anywhere and gone on with other bytes gives a coded error or whole runs', () => {
  fc.assert(
    fc.property(dumpArbitrary(), fc.nat(), fc.uint8Array({ maxLength: 400 }), (dump, cutPick, junk) => {
      const bytes = capture(dump.name);
      const driver = driverOf(dump);
      feed(driver, [bytes.subarray(0, cutPick % bytes.length), junk, junk]);
      checkRuns(driver.runs);
    }),
    { numRuns: 400 },
  );
});

test('random bytes give a coded error or nothing', () => {
  fc.assert(
    fc.property(
      dumpArbitrary(),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      (dump, chunks) => {
        const driver = driverOf(dump);
        feed(driver, chunks);
        assert.deepEqual(driver.runs, []);
      },
    ),
    { numRuns: 300 },
  );
});

test('a damaged table map gives a coded error or a table map that fits its columns', () => {
  const bodies = dumps.flatMap(({ name }) =>
    capturedEvents(name)
      .filter(event => event[4] === 19)
      .map(event => event.subarray(19, event.length - 4)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...bodies),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat(),
      (body, flips, cutPick) => {
        const copy = Buffer.from(
          body.subarray(0, body.length - (cutPick % 3 === 0 ? cutPick % body.length : 0)),
        );
        for (const [at, value] of flips) if (copy.length > 0) copy[at % copy.length] = value;
        try {
          const map = parseTableMap(copy);
          assert.ok(map.columns.every(column => !map.named || column.name !== null));
          assert.ok(map.primaryKey === null || map.primaryKey.every(i => i < map.columns.length));
        } catch (error) {
          assert.ok(isUmbusError(error), String(error));
          assert.ok(['UMBUS_BINLOG_TABLE_MAP', 'UMBUS_BINLOG_TYPE'].includes(error.code), error.code);
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('table maps come back as they were written', () => {
  const column = fc.record({
    name: fc.string({ minLength: 1, maxLength: 64 }),
    type: fc.constantFrom(ColumnType.LONG, ColumnType.VARCHAR, ColumnType.BLOB, ColumnType.DATETIME2),
    nullable: fc.boolean(),
    unsigned: fc.boolean(),
    collation: fc.integer({ min: 1, max: 400 }),
    meta: fc.integer({ min: 0, max: 6 }),
  });
  const spec = fc.record({
    tableId: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    schema: fc.string({ minLength: 1, maxLength: 64 }),
    table: fc.string({ minLength: 1, maxLength: 64 }),
    columns: fc.array(column, { minLength: 1, maxLength: 40 }),
  });
  fc.assert(
    fc.property(spec, (table: TableSpec) => {
      const map = parseTableMap(tableMapBody(table));
      assert.deepEqual([map.tableId, map.schema, map.table], [table.tableId, table.schema, table.table]);
      for (const [i, column] of table.columns.entries()) {
        const read = map.columns[i] ?? assert.fail();
        const isText = column.type === ColumnType.VARCHAR || column.type === ColumnType.BLOB;
        assert.equal(read.name, column.name);
        assert.equal(read.nullable, column.nullable);
        assert.equal(read.unsigned, column.type === ColumnType.LONG ? column.unsigned : null);
        assert.equal(read.collation, isText ? column.collation : null);
      }
    }),
  );
});

test('dispatching loses no event and keeps the order of each table', () => {
  const step = fc.record({
    schema: fc.constantFrom('a', 'b', 'c'),
    table: fc.constantFrom('x', 'y', 'z', ''),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (steps, partitions) => {
      const builder = new BinlogBuilder().begin();
      for (const [i, { schema, table }] of steps.entries()) {
        if (table === '') {
          builder.gtid();
          builder.query(`ALTER TABLE t${i} ADD c INT`, schema);
          continue;
        }
        const tableId = schema.charCodeAt(0) * 256 + table.charCodeAt(0);
        const columns = [{ name: 'id', type: ColumnType.LONG }];
        transaction(builder, { tableId, schema, table, columns }, Buffer.from([0, i, 0, 0, 0]));
      }
      const driver = new ExtractDriver({ subscribed: () => true, subscribedSchema: () => true });
      driver.open().bytes(builder.packets()).commit();
      const dispatcher = createDispatcher({ partitions, schemas: ['a', 'b'] });
      const context = { stores: {}, task: '', partition: 0, now: () => 0, park: () => assert.fail() };
      const sent = new Map<string, string[]>();
      for (const value of driver.runs) {
        const record = {
          key: '',
          value,
          topic: '',
          offset: 0n,
          timestampMs: 0,
          seq: new Uint8Array(),
          headers: {},
        };
        dispatcher.on(record, context, (_key, part) => {
          for (const { table, event } of eventsOf(part.run)) {
            if (table === '-') continue;
            assert.ok(table.startsWith(`${part.schema}.`));
            const place = `${table} ${part.partition}`;
            sent.set(place, [...(sent.get(place) ?? []), Buffer.from(event).toString('hex')]);
          }
        });
      }
      const wanted = new Map<string, string[]>();
      for (const { table, event } of driver.runs.flatMap(run => eventsOf(run))) {
        if (table !== '-' && !table.startsWith('c.')) {
          wanted.set(table, [...(wanted.get(table) ?? []), Buffer.from(event).toString('hex')]);
        }
      }
      for (const [table, events] of wanted) {
        const places = [...sent.keys()].filter(place => place.startsWith(`${table} `));
        assert.equal(places.length, table.endsWith('.') ? partitions : 1);
        for (const place of places) assert.deepEqual(sent.get(place), events);
      }
      assert.equal(new Set([...sent.keys()].map(place => place.split(' ')[0])).size, wanted.size);
    }),
    { numRuns: 200 },
  );
});
