import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../../../src/change/seq.ts';
import { BinlogBuilder, BUILDER_UUID, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';
import { hidden, orders, resumed, row } from './extract-fixture.ts';

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
  const driver = new ExtractDriver({ runBytes: 1 }).open().bytes(builder.packets()).commit();
  assert.equal(driver.runs.length, 1, 'the open transaction waits for its end');
  builder.rows('insert', 100, 1, row(3));
  builder.xid();
  driver.bytes(builder.packets()).commit();
  assert.equal(driver.runs[1]?.next, next);
  assert.deepEqual(driver.runs[1]?.resume, {
    file: 'bin.000001',
    position: start,
    gtid: `${BUILDER_UUID}:1`,
  });
  assert.deepEqual(driver.runs[2]?.resume, {
    file: 'bin.000001',
    position: builder.position,
    gtid: `${BUILDER_UUID}:1-2`,
  });
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
