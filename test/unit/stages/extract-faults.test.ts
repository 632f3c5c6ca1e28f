import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUmbusError } from '../../../src/core/errors.ts';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver } from '../../support/extract-driver.ts';
import { hidden, orders, row } from './extract-fixture.ts';

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

test('a stream that goes back is refused', () => {
  const builder = new BinlogBuilder({ position: 1000 }).begin();
  const driver = new ExtractDriver().open({ from: { file: 'bin.000001', position: 1000, gtid: '' } });
  driver.bytes(builder.packets());
  builder.event(16, Buffer.alloc(8), { logPos: 600 });
  assert.throws(() => driver.bytes(builder.packets()), { code: 'UMBUS_SOURCE_PROTOCOL' });
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
