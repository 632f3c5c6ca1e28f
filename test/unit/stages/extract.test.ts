import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import { parseTableMap, tableMapFingerprint } from '../../../src/binlog/table-map.ts';
import { placeOf } from '../../../src/change/seq.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import {
  BinlogBuilder,
  BUILDER_UUID,
  type TableSpec,
  tableMapBody,
  transaction,
} from '../../support/binlog-builder.ts';
import { capture } from '../../support/captures.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';

const orders: TableSpec = {
  tableId: 100,
  schema: 'shop',
  table: 'orders',
  columns: [{ name: 'id', type: ColumnType.LONG }],
  primaryKey: [0],
};
const hidden: TableSpec = { ...orders, tableId: 200, schema: 'other' };
const row = (id: number): Buffer => Buffer.from([0, id, 0, 0, 0]);

test('a transaction lands as GTID and row events, and nothing else', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  const driver = new ExtractDriver().open().bytes(builder.packets()).commit();
  assert.equal(driver.runs.length, 1);
  const [run] = driver.runs;
  assert.ok(run !== undefined);
  const [, , gtid, , , rows] = builder.events;
  assert.deepEqual(
    eventsOf(run).map(each => [each.table, Buffer.from(each.event)]),
    [
      ['-', gtid],
      ['shop.orders', rows],
    ],
  );
  const map = tableMapBody(orders);
  assert.deepEqual(run.tables, [
    { schema: 'shop', table: 'orders', fingerprint: tableMapFingerprint(map), map },
  ]);
  assert.equal(parseTableMap(run.tables[0]?.map ?? map).table, 'orders');
  const { tables: _tables, spans: _spans, events: _events, ...facts } = run;
  assert.deepEqual(facts, {
    kind: 'mysql-binlog',
    server: 'server-1',
    epoch: 1,
    file: 'bin.000001',
    position: 4 + (builder.events[1]?.length ?? 0),
    next: builder.position,
    resume: { file: 'bin.000001', position: builder.position, gtid: '' },
    checksum: true,
    captured: 1_700_000_000_000_000,
    filtered: 0,
  });
});

test('the place of a run is in its key, its seq and its time', () => {
  const builder = new BinlogBuilder({ file: 'bin.000007', position: 3_000_000_000 }).begin();
  transaction(builder, orders, row(1));
  const from = { file: 'bin.000007', position: 3_000_000_000, gtid: '' };
  const driver = new ExtractDriver().open({ epoch: 5, from }).bytes(builder.packets()).commit();
  const emitted = driver.emitted.at(-1);
  assert.ok(emitted?.options.seq !== undefined);
  const rowsAt = builder.position - (builder.events[5]?.length ?? 0) - (builder.events[6]?.length ?? 0);
  assert.deepEqual(placeOf(emitted.options.seq), { epoch: 5, fileNumber: 7, position: rowsAt });
  assert.equal(emitted.key, 'bin.000007:3000000000');
  assert.equal(emitted.options.timestampMs, 1_700_000_000_000);
});

test('a line that begins lands its start before any change', () => {
  const builder = new BinlogBuilder({ position: 500 }).begin();
  const driver = new ExtractDriver()
    .open({ from: { file: 'bin.000001', position: 500, gtid: `${BUILDER_UUID}:1-9` } })
    .bytes(builder.packets());
  assert.equal(driver.emitted.length, 1);
  const [start] = driver.emitted;
  assert.equal(start?.run.events.length, 0);
  assert.deepEqual(start?.run.resume, { file: 'bin.000001', position: 500, gtid: `${BUILDER_UUID}:1-9` });
  transaction(builder, orders, row(1));
  driver.bytes(builder.packets()).commit();
  const seqs = driver.emitted.map(each => Buffer.from(each.options.seq ?? []));
  assert.equal(seqs.length, 2);
  assert.equal(Buffer.compare(seqs[0] ?? Buffer.alloc(0), seqs[1] ?? Buffer.alloc(0)), -1);
});

test('a repeated table map is in the dictionary once, a changed one again', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  transaction(builder, orders, row(2));
  transaction(builder, { ...orders, tableId: 101 }, row(3));
  const wider = {
    ...orders,
    tableId: 102,
    columns: [...orders.columns, { name: 'n', type: ColumnType.TINY }],
  };
  transaction(builder, wider, Buffer.from([0, 1, 0, 0, 0, 1]));
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.equal(run?.tables.length, 2);
  assert.deepEqual(
    run?.spans.filter((_, i) => i % 2 === 0),
    [-1, 0, -1, 0, -1, 0, -1, 1],
  );
});

test('a file with more tables than are remembered loses none', () => {
  const builder = new BinlogBuilder().begin();
  const count = 10_100;
  for (let i = 0; i < count; i++) {
    transaction(builder, { ...orders, tableId: i + 1, table: `t${i % 7}` }, row(i & 255));
  }
  const { runs } = new ExtractDriver().open().bytes(builder.packets(), 65_536).commit();
  const tables = runs.flatMap(run => eventsOf(run)).map(each => each.table);
  assert.deepEqual(
    tables.filter(table => table !== '-'),
    Array.from({ length: count }, (_, i) => `shop.t${i % 7}`),
  );
});

test('rows of one table that follow each other share a span', () => {
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('BEGIN');
  for (let i = 0; i < 3; i++) {
    builder.tableMap(orders);
    builder.rows('insert', 100, 1, row(i));
  }
  builder.xid();
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  const rows = builder.events[5]?.length ?? 0;
  assert.deepEqual(run?.spans, [-1, builder.events[2]?.length, 0, 3 * rows]);
});

test('rows of tables that are not subscribed are counted, and their transactions leave no trace', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, hidden, row(1));
  transaction(builder, hidden, row(2));
  transaction(builder, orders, row(3));
  transaction(builder, hidden, row(4));
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.equal(run?.filtered, 3);
  assert.deepEqual(
    run?.tables.map(table => table.schema),
    ['shop'],
  );
  assert.equal(eventsOf(run ?? assert.fail()).length, 2);
});

test('a transaction in progress resumes at its start, with the GTIDs before it', () => {
  const builder = new BinlogBuilder().begin();
  builder.event(35, Buffer.alloc(8), { flags: 0x80 });
  transaction(builder, orders, row(1));
  const start = builder.position;
  builder.gtid();
  builder.query('BEGIN');
  builder.tableMap(orders);
  builder.rows('insert', 100, 1, row(2));
  const next = builder.position;
  const driver = new ExtractDriver().open().bytes(builder.packets()).commit();
  assert.equal(driver.runs[0]?.next, next);
  assert.deepEqual(driver.runs[0]?.resume, {
    file: 'bin.000001',
    position: start,
    gtid: `${BUILDER_UUID}:1`,
  });
  builder.rows('insert', 100, 1, row(3));
  builder.xid();
  driver.bytes(builder.packets()).commit();
  assert.deepEqual(driver.runs[1]?.resume, {
    file: 'bin.000001',
    position: builder.position,
    gtid: `${BUILDER_UUID}:1-2`,
  });
});

test('each further run of a transaction begins with its GTID again', () => {
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('BEGIN');
  for (let i = 0; i < 50; i++) {
    builder.tableMap(orders);
    builder.rows('insert', 100, 1, row(i));
  }
  builder.xid();
  const { runs } = new ExtractDriver({ runBytes: 500 }).open().bytes(builder.packets()).commit();
  assert.ok(runs.length > 4);
  for (const run of runs) {
    assert.ok(run.events.length <= 500);
    assert.deepEqual(
      eventsOf(run)
        .map(each => each.table)
        .slice(0, 2),
      ['-', 'shop.orders'],
    );
    assert.equal(run.position, 4 + (builder.events[1]?.length ?? 0));
  }
  const rows = runs.flatMap(run => eventsOf(run)).filter(each => each.table === 'shop.orders');
  assert.equal(rows.length, 50);
});

test('an event larger than a run is a run of its own', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  transaction(builder, orders, Buffer.concat(Array.from({ length: 1000 }, (_, i) => row(i & 255))));
  transaction(builder, orders, row(2));
  const { runs } = new ExtractDriver({ runBytes: 1000 }).open().bytes(builder.packets()).commit();
  assert.deepEqual(
    runs.map(run => run.events.length > 1000),
    [false, true, false],
  );
});

test('resuming skips what is landed, in every run, and goes on at the exact event', () => {
  const builder = new BinlogBuilder().begin();
  for (let i = 0; i < 20; i++) {
    builder.gtid();
    builder.query('BEGIN');
    builder.tableMap(orders);
    for (let j = 0; j < 3; j++) builder.rows('insert', 100, 1, row(i * 3 + j));
    builder.xid();
  }
  builder.rotate('bin.000002');
  builder.begin();
  transaction(builder, orders, row(99));
  const all = builder.packets();
  const whole = new ExtractDriver({ runBytes: 250 }).open().bytes(all).commit();
  const rowsOf = (driver: ExtractDriver): string[] =>
    driver.runs
      .flatMap(run => eventsOf(run))
      .filter(each => each.table !== '-')
      .map(each => Buffer.from(each.event).toString('hex'));
  const expected = rowsOf(whole);
  assert.equal(expected.length, 61);
  let landed = 0;
  for (const { run } of whole.emitted) {
    landed += eventsOf(run).filter(each => each.table !== '-').length;
    if (run.file !== 'bin.000001') continue;
    const again = new ExtractDriver({ runBytes: 250 })
      .open({ from: run.resume, skipBefore: { file: run.file, position: run.next } })
      .bytes(resumed(builder, run.resume.position))
      .commit();
    assert.deepEqual(rowsOf(again), expected.slice(landed), `after ${run.file}:${run.next}`);
  }
});

/** What a server sends when it is asked for the first file of `builder` from `position` on. */
function resumed(builder: BinlogBuilder, position: number): Buffer {
  const dump = new BinlogBuilder({ position });
  dump.begin();
  const rest = builder.events.filter(
    (event, i) =>
      i > 1 && (event.readUInt32LE(13) - event.length >= position || i > builder.events.length - 8),
  );
  return Buffer.concat([
    dump.packets(),
    ...rest.map(event => dump.packet(Buffer.concat([Buffer.alloc(1), event]))),
  ]);
}

test('definitions land under their schema, with their GTID', () => {
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('ALTER TABLE orders ADD c INT', 'shop');
  builder.gtid();
  builder.query('ALTER TABLE x ADD c INT', 'other');
  builder.gtid();
  builder.query('ALTER TABLE `shop`.orders ADD d INT', '');
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.deepEqual(
    eventsOf(run ?? assert.fail()).map(each => each.table),
    ['-', 'shop.', '-', 'shop.'],
  );
  assert.deepEqual(run?.tables, [
    { schema: 'shop', table: '', fingerprint: Buffer.alloc(0), map: Buffer.alloc(0) },
  ]);
  assert.equal(run?.resume.position, builder.position);
});

test('a definition that concerns several schemas lands once for each, all in one run', () => {
  const subscribed = (schema: string): boolean => schema === 'shop' || schema === 'stock';
  for (const runBytes of [200, 400, 4096]) {
    const builder = new BinlogBuilder().begin();
    transaction(builder, orders, row(1));
    builder.gtid();
    builder.query('DROP TABLE `stock`.`items`, other.x', 'shop');
    const driver = new ExtractDriver({ subscribed, subscribedSchema: subscribed, runBytes });
    const { runs } = driver.open().bytes(builder.packets()).commit();
    const landed = eventsOf(runs.at(-1) ?? assert.fail()).map(each => each.table);
    assert.deepEqual(landed.slice(-3), ['-', 'shop.', 'stock.']);
    assert.equal(runs.at(-1)?.next, builder.position);
  }
});

test('rows changed by a statement halt the stream, unless nobody asked for them', () => {
  const halting: [sql: string, schema: string][] = [
    ['INSERT INTO orders VALUES (1)', 'shop'],
    ['UPDATE shop.orders SET id = 2', 'other'],
    ['CREATE TABLE t2 AS SELECT * FROM orders', 'shop'],
  ];
  for (const [sql, schema] of halting) {
    const builder = new BinlogBuilder().begin();
    builder.gtid();
    builder.query('BEGIN', schema);
    builder.query(sql, schema);
    const driver = new ExtractDriver().open();
    // The start of the line is emitted first.
    driver.bytes(builder.packets());
    assert.throws(() => driver.commit(), {
      code: 'UMBUS_SOURCE_SETTING',
      message: /SET GLOBAL binlog_format = 'ROW'/,
    });
  }
  const builder = new BinlogBuilder().begin();
  builder.gtid();
  builder.query('BEGIN', 'other');
  builder.query('INSERT INTO x VALUES (1)', 'other');
  builder.query('COMMIT', 'other');
  assert.equal(new ExtractDriver().open().bytes(builder.packets()).commit().runs.length, 0);
});

test('what cannot be read halts and says why', () => {
  const rowsBody = Buffer.concat([Buffer.from([100, 0, 0, 0, 0, 0, 1, 0]), Buffer.alloc(20)]);
  const cases: [type: number, body: Buffer, flags: number, message: RegExp | null][] = [
    [40, Buffer.alloc(30), 0, /Compressed data are damaged/],
    [166, rowsBody, 0, /compressed in a way that is not known: 0/],
    [26, Buffer.alloc(3), 0, /Load the tables again/],
    [250, Buffer.alloc(3), 0, /does not know this type/],
    [250, Buffer.alloc(3), 0x80, null],
    [29, Buffer.alloc(3), 0, null],
    [160, Buffer.alloc(3), 0, null],
  ];
  for (const [type, body, flags, message] of cases) {
    const builder = new BinlogBuilder().begin();
    builder.tableMap(orders);
    const driver = new ExtractDriver().open().bytes(builder.packets());
    builder.event(type, body, { flags });
    const read = (): unknown => driver.bytes(builder.packets());
    if (message === null) assert.doesNotThrow(read, `type ${type}`);
    else assert.throws(read, { code: 'UMBUS_BINLOG_EVENT', message });
  }
});

test('an event that no subscribed table has part in is not read, so it may have any form', () => {
  const builder = new BinlogBuilder().begin();
  builder.tableMap(hidden);
  builder.event(39, Buffer.concat([Buffer.from([200, 0, 0, 0, 0, 0, 1, 0]), Buffer.alloc(20)]));
  transaction(builder, orders, row(1));
  assert.equal(new ExtractDriver().open().bytes(builder.packets()).commit().runs[0]?.filtered, 1);
});

test('a damaged event stops the stream after what came before it', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  transaction(builder, orders, row(2));
  const bad = builder.events.at(-2);
  assert.ok(bad !== undefined);
  bad[25] = (bad[25] ?? 0) ^ 1;
  const driver = new ExtractDriver().open().bytes(builder.packets());
  assert.equal(driver.runs.length, 1);
  assert.throws(
    () => driver.bytes(Buffer.from([0])),
    (error: unknown) =>
      isUmbusError(error, 'UMBUS_BINLOG_CHECKSUM') &&
      error.retryable &&
      error.details['file'] === 'bin.000001',
  );
  assert.throws(() => driver.commit(), { code: 'UMBUS_BINLOG_CHECKSUM' });
  assert.equal(driver.runs.length, 1);
  driver.open();
  const again = new BinlogBuilder().begin();
  transaction(again, orders, row(3));
  assert.equal(driver.bytes(again.packets()).commit().runs.length, 2);
});

test('a damaged description is a damaged event, not one of another form', () => {
  for (const at of [19, 19 + 56, 19 + 56 + 30, 19 + 57 + 164]) {
    const builder = new BinlogBuilder().begin();
    const description = builder.events[1] ?? assert.fail();
    description[at] = (description[at] ?? 0) ^ 0x26;
    const driver = new ExtractDriver().open();
    // What was read before, the start of the line, is emitted first.
    driver.bytes(builder.packets());
    assert.throws(() => driver.commit(), { code: 'UMBUS_BINLOG_CHECKSUM' });
  }
});

test('offsets go on past 4 GB within a file', () => {
  const position = 2 ** 32 - 300;
  const builder = new BinlogBuilder({ position }).begin();
  for (let i = 0; i < 5; i++) transaction(builder, orders, row(i));
  const driver = new ExtractDriver().open({ from: { file: 'bin.000001', position, gtid: '' } });
  driver.bytes(builder.packets()).commit();
  assert.equal(driver.runs[0]?.position, position);
  assert.equal(driver.runs[0]?.next, builder.position);
  assert.ok(builder.position > 2 ** 32);
  builder.rows('insert', 100, 1, row(9));
  const last = builder.position;
  driver.bytes(builder.packets()).commit();
  assert.equal(driver.runs[1]?.next, last);
});

test('an event that ends at 4 GB, so that its header says 0, has its place all the same', () => {
  const size = new BinlogBuilder().gtid().length;
  const position = 2 ** 32 - size;
  const builder = new BinlogBuilder({ position }).begin();
  transaction(builder, orders, row(1));
  const driver = new ExtractDriver().open({ from: { file: 'bin.000001', position, gtid: '' } });
  const [run] = driver.bytes(builder.packets()).commit().runs;
  assert.equal(run?.events.readUInt32LE(13), 0);
  assert.equal(run?.position, position);
  assert.equal(run?.next, builder.position);
});

test('a stream that goes back is refused', () => {
  const builder = new BinlogBuilder({ position: 1000 }).begin();
  const driver = new ExtractDriver().open({ from: { file: 'bin.000001', position: 1000, gtid: '' } });
  driver.bytes(builder.packets());
  builder.event(16, Buffer.alloc(8), { logPos: 600 });
  assert.throws(() => driver.bytes(builder.packets()), { code: 'UMBUS_SOURCE_PROTOCOL' });
});

test('artificial events, heartbeats and START_ENCRYPTION do not move the position', () => {
  const builder = new BinlogBuilder().begin();
  builder.heartbeat();
  builder.event(164, Buffer.alloc(20), { logPos: 0 });
  builder.artificialRotate({ checksum: false });
  transaction(builder, orders, row(1));
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.equal(run?.next, builder.position);
});

test('an artificial ROTATE may have a checksum or none, whatever the file has', () => {
  for (const file of [true, false]) {
    for (const rotate of [true, false]) {
      const builder = new BinlogBuilder({ checksum: file });
      builder.artificialRotate({ checksum: rotate });
      builder.formatDescription();
      transaction(builder, orders, row(1));
      const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
      assert.equal(run?.checksum, file);
      assert.equal(run?.file, 'bin.000001');
      assert.equal(eventsOf(run ?? assert.fail()).length, 2);
    }
  }
});

test('a new file closes the run and moves the tail, even when nothing lands', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  builder.rotate('bin.000002');
  builder.begin();
  const driver = new ExtractDriver().open().bytes(builder.packets());
  assert.deepEqual(
    driver.emitted.map(each => [each.run.file, each.run.events.length > 0]),
    [
      ['bin.000001', false],
      ['bin.000001', true],
      ['bin.000002', false],
    ],
  );
  assert.deepEqual(driver.emitted[2]?.run.resume, {
    file: 'bin.000002',
    position: builder.position,
    gtid: '',
  });
});

test('a file that ends without ROTATE, since its server was killed, closes the run in that file', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  const end = builder.position;
  builder.file = 'bin.000002';
  builder.position = 4;
  builder.begin();
  transaction(builder, orders, row(2));
  const driver = new ExtractDriver().open().bytes(builder.packets()).commit();
  assert.deepEqual(
    driver.emitted.map(each => [
      each.run.file,
      each.run.position < each.run.next,
      each.run.events.length > 0,
    ]),
    [
      ['bin.000001', false, false],
      ['bin.000001', true, true],
      ['bin.000002', true, true],
    ],
  );
  assert.equal(driver.emitted[1]?.run.next, end);
});

test('filtered traffic moves the tail by bytes and by time, with growing seqs', () => {
  const builder = new BinlogBuilder().begin();
  const driver = new ExtractDriver({ progressBytes: 2000, progressMs: 5000 }).open();
  driver.bytes(builder.packets()).commit();
  for (let i = 0; i < 30; i++) {
    transaction(builder, hidden, row(i));
    driver.bytes(builder.packets()).commit();
  }
  const byBytes = driver.emitted.length;
  assert.ok(byBytes > 3 && byBytes < 10, `${byBytes} runs`);
  driver.nowMs += 5000;
  builder.heartbeat();
  driver.bytes(builder.packets()).commit();
  transaction(builder, hidden, row(0));
  driver.bytes(builder.packets()).commit();
  driver.nowMs += 6000;
  driver.bytes(builder.packets()).commit();
  builder.heartbeat();
  driver.bytes(builder.packets()).commit();
  assert.ok(driver.emitted.length > byBytes);
  assert.equal(driver.emitted.reduce((sum, each) => sum + each.run.filtered, 0) > 0, true);
  const seqs = driver.emitted.map(each => Buffer.from(each.options.seq ?? []).toString('hex'));
  assert.deepEqual(seqs, [...new Set(seqs)].sort());
  const count = driver.emitted.length;
  driver.nowMs += 60_000;
  builder.heartbeat();
  driver.bytes(builder.packets()).commit();
  assert.equal(driver.emitted.length, count, 'an idle source makes no runs');
});

test('errors of the server come out with the code that says what to do', () => {
  const builder = new BinlogBuilder().begin();
  const driver = new ExtractDriver().open().bytes(builder.packets());
  const text = 'Could not find first log file name in binary log index file';
  const packet = builder.packet(
    Buffer.concat([Buffer.from([0xff, 0xd4, 0x04]), Buffer.from(`#HY000${text}`)]),
  );
  assert.throws(() => driver.bytes(packet), {
    code: 'UMBUS_SOURCE_POSITION_GONE',
    message: new RegExp(text),
  });
  const ended = new BinlogBuilder().begin();
  driver.open().bytes(ended.packets());
  assert.throws(() => driver.bytes(ended.packet(Buffer.from([0xfe, 0, 0, 2, 0]))), {
    code: 'UMBUS_SOURCE_DISCONNECTED',
  });
});

test('rows without a table map are refused, dummy row events are not', () => {
  const builder = new BinlogBuilder().begin();
  builder.rows('insert', 0xff_ffff, 0, Buffer.alloc(0));
  const driver = new ExtractDriver().open().bytes(builder.packets());
  builder.rows('insert', 100, 1, row(1));
  assert.throws(() => driver.bytes(builder.packets()), { code: 'UMBUS_SOURCE_PROTOCOL' });
});

test('a savepoint, an XA transaction and a rollback keep the resume point right', () => {
  const builder = new BinlogBuilder().begin();
  builder.event(35, Buffer.alloc(8), { flags: 0x80 });
  const driver = new ExtractDriver().open();
  const resumePoint = (): string => {
    // A row of its own makes a run, whose resume point tells.
    const at = builder.position;
    transaction(builder, orders, row(1));
    driver.bytes(builder.packets()).commit();
    const resume = driver.runs.at(-1)?.resume;
    assert.equal(resume?.position, builder.position, `after ${at}`);
    return resume?.gtid ?? '';
  };
  builder.gtid();
  builder.query('BEGIN');
  builder.query('SAVEPOINT `a`');
  builder.query('ROLLBACK TO `a`');
  builder.query('COMMIT');
  assert.equal(resumePoint(), `${BUILDER_UUID}:1-2`);
  builder.gtid();
  builder.query("XA START X'31',X'',1");
  builder.query("XA END X'31',X'',1");
  builder.event(38, Buffer.alloc(14));
  builder.gtid();
  builder.query("XA COMMIT X'31',X'',1");
  assert.equal(resumePoint(), `${BUILDER_UUID}:1-5`);
  builder.gtid();
  builder.query('BEGIN');
  builder.query('CREATE TABLE `c` (a INT) START TRANSACTION');
  driver.bytes(builder.packets()).commit();
  assert.equal(driver.runs.at(-1)?.resume.gtid, `${BUILDER_UUID}:1-5`);
  builder.query('ROLLBACK');
  assert.equal(resumePoint(), `${BUILDER_UUID}:1-7`);
});

const captures = [
  { name: 'mysql-9.7', flavor: 'mysql', file: 'binlog.000001', events: 35 },
  { name: 'mariadb-10.11', flavor: 'mariadb', file: 'bin.000001', events: 34 },
] as const;

test('dumps of real servers come out whole, with their GTID sets', () => {
  for (const { name, flavor, file, events } of captures) {
    const driver = new ExtractDriver().open({
      server: { flavor, version: '', id: 's' },
      from: { file, position: 4, gtid: '' },
    });
    driver.bytes(capture(name), 777).commit();
    const all = driver.runs.flatMap(run => eventsOf(run));
    assert.equal(all.length, events, name);
    assert.deepEqual(
      [...new Set(all.map(each => each.table))].filter(table => table.startsWith('shop')).sort(),
      flavor === 'mysql'
        ? ['shop.', 'shop.ctas', 'shop.pfx', 'shop.types', 'shop.y']
        : ['shop.', 'shop.my', 'shop.pfx', 'shop.types', 'shop.y'],
    );
    const gtid = driver.emitted.at(-1)?.run.resume.gtid;
    const uuid = '470c2388-e54c-11f1-b9a5-02fc00000001';
    assert.equal(gtid, flavor === 'mysql' ? `${uuid}:1-17:sometag:1` : '0-11-17');
  }
});

test('a dump from the middle of a file knows its GTIDs from the next file on', () => {
  const cases = [
    { name: 'mysql-9.7-from-4201', flavor: 'mysql', file: 'binlog.000001', position: 4201 },
    { name: 'mariadb-10.11-from-2283', flavor: 'mariadb', file: 'bin.000001', position: 2283 },
  ] as const;
  for (const { name, flavor, file, position } of cases) {
    const driver = new ExtractDriver().open({
      server: { flavor, version: '', id: 's' },
      from: { file, position, gtid: '' },
    });
    driver.bytes(capture(name)).commit();
    const sets = driver.emitted.map(each => each.run.resume.gtid !== '');
    assert.deepEqual([sets[0], sets[1], sets.at(-1)], [false, false, true], name);
  }
});

test('files without checksums are read from real servers', () => {
  for (const [name, flavor, file] of [
    ['mysql-9.7-no-checksum', 'mysql', 'binlog.000003'],
    ['mariadb-10.11-no-checksum', 'mariadb', 'bin.000010'],
  ] as const) {
    const driver = new ExtractDriver().open({
      server: { flavor, version: '', id: 's' },
      from: { file, position: 4, gtid: '' },
    });
    driver.bytes(capture(name)).commit();
    assert.equal(driver.runs[0]?.checksum, false);
    assert.ok(eventsOf(driver.runs[0] ?? assert.fail()).some(each => each.table === 'shop.y'));
  }
});
