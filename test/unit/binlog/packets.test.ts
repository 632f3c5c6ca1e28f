import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketFramer, type PacketSink } from '../../../src/binlog/packets.ts';
import type { ServerError } from '../../../src/binlog/server-error.ts';
import { BinlogBuilder, eofPayload, errPayload } from '../../support/binlog-builder.ts';

class Collected implements PacketSink {
  readonly events: Buffer[] = [];
  readonly errors: ServerError[] = [];
  ends = 0;

  event(bytes: Buffer, view: DataView, start: number, end: number): void {
    assert.equal(view.byteLength, bytes.length);
    assert.equal(view.getUint8(start), bytes[start]);
    this.events.push(Buffer.from(bytes.subarray(start, end)));
  }
  failed(error: ServerError): void {
    this.errors.push(error);
  }
  ended(): void {
    this.ends++;
  }
}

const limits = { maxEventBytes: 1 << 30 };

test('cuts events out of packets, whatever the chunks', () => {
  const builder = new BinlogBuilder();
  builder.begin();
  for (let i = 0; i < 300; i++) builder.query(`ALTER TABLE t${i} ADD c INT`);
  const bytes = builder.packets();
  for (const size of [1, 2, 3, 4, 5, 23, 24, 25, 1000, bytes.length]) {
    const framer = new PacketFramer(limits);
    const sink = new Collected();
    for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size), sink);
    assert.deepEqual(sink.events, builder.events, `chunks of ${size}`);
  }
});

test('joins an event that spans several packets, also when the last one is empty', () => {
  for (const eventBytes of [0xffffff - 1, 0xffffff, 0x1000000, 2 * 0xffffff - 1, 40_000_000]) {
    const builder = new BinlogBuilder({ checksum: false });
    builder.rows('insert', 7, 1, Buffer.alloc(eventBytes - 19 - 12, 1));
    builder.xid();
    assert.equal(builder.events[0]?.length, eventBytes);
    const framer = new PacketFramer(limits);
    const sink = new Collected();
    const bytes = builder.packets();
    for (let at = 0; at < bytes.length; at += 5_000_011) {
      framer.push(bytes.subarray(at, at + 5_000_011), sink);
    }
    assert.equal(sink.events.length, 2, `${eventBytes} bytes`);
    assert.ok(sink.events[0]?.equals(builder.events[0] ?? Buffer.alloc(0)), `${eventBytes} bytes`);
  }
});

test('hands over ERR and EOF packets', () => {
  const builder = new BinlogBuilder();
  builder.artificialRotate();
  const framer = new PacketFramer(limits);
  const sink = new Collected();
  framer.push(builder.packets(), sink);
  framer.push(builder.packet(errPayload(1236, 'Could not find first log file')), sink);
  framer.push(builder.packet(eofPayload()), sink);
  assert.equal(sink.events.length, 1);
  assert.deepEqual(sink.errors, [{ code: 1236, sqlState: 'HY000', text: 'Could not find first log file' }]);
  assert.equal(sink.ends, 1);
});

test('refuses a gap in the sequence ids', () => {
  const builder = new BinlogBuilder();
  builder.xid();
  builder.packets();
  builder.xid();
  const framer = new PacketFramer(limits);
  assert.throws(() => framer.push(builder.packets(), new Collected()), { code: 'UMBUS_SOURCE_PROTOCOL' });
});

test('counts sequence ids past 255', () => {
  const builder = new BinlogBuilder();
  for (let i = 0; i < 600; i++) builder.xid();
  const sink = new Collected();
  new PacketFramer(limits).push(builder.packets(), sink);
  assert.equal(sink.events.length, 600);
});

test('refuses an event above the limit before it takes memory for it', () => {
  const builder = new BinlogBuilder({ checksum: false });
  const event = builder.rows('insert', 7, 1, Buffer.alloc(100));
  event.writeUInt32LE(0x7fffffff, 9);
  const head = builder
    .packet(Buffer.concat([Buffer.alloc(1), event, Buffer.alloc(0xffffff)]))
    .subarray(0, 200);
  const framer = new PacketFramer({ maxEventBytes: 1000 });
  assert.throws(() => framer.push(head, new Collected()), { code: 'UMBUS_SOURCE_PROTOCOL' });
});

test('refuses packets of no known kind', () => {
  for (const payload of [
    Buffer.alloc(0),
    Buffer.from([1, 2, 3]),
    Buffer.alloc(20, 0xfe),
    Buffer.from([0xff]),
  ]) {
    const framer = new PacketFramer(limits);
    assert.throws(() => framer.push(new BinlogBuilder().packet(payload), new Collected()), {
      code: 'UMBUS_SOURCE_PROTOCOL',
    });
  }
});

test('begins anew after reset', () => {
  const framer = new PacketFramer(limits);
  const first = new BinlogBuilder();
  first.xid();
  const sink = new Collected();
  framer.push(first.packets().subarray(0, 10), sink);
  framer.reset();
  const second = new BinlogBuilder();
  second.xid();
  framer.push(second.packets(), sink);
  assert.deepEqual(sink.events, second.events);
});
