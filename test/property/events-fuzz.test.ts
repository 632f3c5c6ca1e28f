/** Damaged events: whatever their bytes are, each parser ends, reads nothing outside of the event, and gives a value or a coded error. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventType } from '../../src/binlog/event-type.ts';
import { parseFormatDescription } from '../../src/binlog/format-description.ts';
import { parseGtidEvent } from '../../src/binlog/gtid-event.ts';
import { parseGtidList, parsePreviousGtids } from '../../src/binlog/gtid-lists.ts';
import { parseGtidSet } from '../../src/binlog/gtid-set.ts';
import { encodeGtidSet } from '../../src/binlog/gtid-set-bytes.ts';
import { parseHeartbeat } from '../../src/binlog/heartbeat.ts';
import { inflatedEvent, payloadEvents, plainTypeOf } from '../../src/binlog/inflate-event.ts';
import { parseQuery } from '../../src/binlog/query.ts';
import { parseRotate } from '../../src/binlog/rotate.ts';
import { MULTI_BYTE_NAMES, SINGLE_BYTE_NAMES } from '../../src/binlog/rows/charset-names.ts';
import { plainBytes } from '../../src/binlog/rows/compressed.ts';
import { parseJsonPath } from '../../src/binlog/rows/json-path.ts';
import { textCodec } from '../../src/binlog/rows/text-value.ts';
import { parseRowsHeader } from '../../src/binlog/rows-header.ts';
import { emptiedByServer, statementFacts } from '../../src/binlog/statement.ts';
import { parseTableMap } from '../../src/binlog/table-map.ts';
import { droppedSchema, tableEffects } from '../../src/change/table-effects.ts';
import { UmbusError } from '../../src/core/errors.ts';
import { viewOf } from '../../src/ums/tuple-buffer.ts';
import { capturedEvents } from '../support/captures.ts';

const HEADER_BYTES = 19;
const captured = ['mysql-9.7', 'mariadb-10.11'].flatMap(name =>
  capturedEvents(name).map(event => Buffer.from(event.subarray(0, event.length - 4))),
);
const UUID = '8a878081-e54d-11f1-9ecd-02fc00000001';

/** What a parser of the event's type makes of `[start, end)`, header and all; undefined where there is none. */
function parsed(bytes: Buffer, start: number, end: number): unknown {
  const type = bytes.readUInt8(start + 4);
  const body = start + HEADER_BYTES;
  switch (type) {
    case EventType.QUERY:
    case EventType.EXECUTE_LOAD_QUERY:
      return parseQuery(type, bytes, body, end);
    case EventType.ROTATE:
      return parseRotate(bytes, body, end);
    case EventType.FORMAT_DESCRIPTION:
      return parseFormatDescription(bytes, body, end);
    case EventType.HEARTBEAT:
    case EventType.HEARTBEAT_V2:
      return parseHeartbeat(type, bytes, body, end);
    case EventType.PREVIOUS_GTIDS:
      return parsePreviousGtids(bytes, body, end).toString();
    case EventType.MARIADB_GTID_LIST:
      return parseGtidList(bytes, body, end).toString();
    case EventType.TABLE_MAP:
      return parseTableMap(bytes.subarray(body, end));
    case EventType.TRANSACTION_PAYLOAD:
      return payloadEvents(bytes, body, end).map(each => each.toString('hex'));
    default:
      if (plainTypeOf(type) !== null) return inflatedEvent(bytes, start, end).toString('hex');
      return parseGtidEvent(bytes, start, end) ?? parseRowsHeader(bytes, start, end);
  }
}

/** The outcome as text: the value, or the code of the error. `around`: the byte that stands before and behind the event. */
function outcome(event: Uint8Array, around: number): string {
  const bytes = Buffer.concat([Buffer.alloc(5, around), event, Buffer.alloc(40, around)]);
  try {
    const value = parsed(bytes, 5, 5 + event.length);
    return (
      JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? ''
    );
  } catch (error) {
    assert.ok(error instanceof UmbusError, `not a coded error: ${error}`);
    return error.code;
  }
}

function check(event: Uint8Array): void {
  assert.equal(outcome(event, 0x00), outcome(event, 0xff), 'bytes outside of the event were read');
}

test('events of real servers, cut and with other bytes in them, give values or coded errors', () => {
  for (const event of captured) check(event);
  const flips = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...captured), flips, fc.nat(600), (event, each, cut) => {
      const damaged = Buffer.from(event);
      for (const [at, byte] of each) {
        const place = HEADER_BYTES + (at % Math.max(1, damaged.length - HEADER_BYTES));
        if (place < damaged.length) damaged[place] = byte;
      }
      check(damaged);
      check(damaged.subarray(0, Math.max(HEADER_BYTES, damaged.length - (cut % damaged.length))));
    }),
    { numRuns: 4000 },
  );
});

test('events of every type with random bodies give values or coded errors', () => {
  const types = [...new Set(Object.values(EventType))];
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.array(fc.constantFrom(0, 1, 2, 3, 7, 16, 127, 128, 251, 252, 253, 254, 255), { maxLength: 60 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...types), body, (type, bytes) => {
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt8(type, 4);
      check(Buffer.concat([header, Uint8Array.from(bytes)]));
    }),
    { numRuns: 6000 },
  );
});

test('sets of tagged GTIDs come back from the bytes that they are made into, and damaged ones give coded errors', () => {
  const set = parseGtidSet('mysql', `${UUID}:1-4:7:foo:1-3,${UUID.replace('8a', 'ff')}:bar:9`);
  const good = encodeGtidSet(set);
  assert.equal(parsePreviousGtids(good, 0, good.length).toString(), set.toString());
  const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(flips, fc.nat(good.length), (each, cut) => {
      const bytes = Buffer.from(good);
      for (const [at, byte] of each) bytes[at] = byte;
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt8(EventType.PREVIOUS_GTIDS, 4);
      check(Buffer.concat([header, bytes]));
      check(Buffer.concat([header, bytes.subarray(0, cut)]));
    }),
    { numRuns: 2000 },
  );
});

test('statements of any text are judged in time', () => {
  const word = fc.constantFrom(
    'DELETE',
    'FROM',
    'ROLLBACK',
    'TO',
    'SAVEPOINT',
    'XA',
    'END',
    '`',
    "'",
    '"',
    '/*',
    '*/',
    '.',
    ',',
    '--',
    '`a`.`b`',
    ' ',
    '\n',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(word).map(all => all.join(' ')),
      ),
      sql => {
        assert.equal(typeof statementFacts(sql).subject, 'string');
        emptiedByServer(sql);
        tableEffects(sql, 's', 's');
        droppedSchema(sql);
      },
    ),
    { numRuns: 3000 },
  );
});

test('paths of JSON differences and compressed values of any bytes give values or none', () => {
  const path = fc.array(fc.constantFrom('$', '.', '[', ']', '"', '\\', '0', '9', 'a', '-', ' ', 'last'), {
    maxLength: 14,
  });
  fc.assert(
    fc.property(path, legs => void parseJsonPath(legs.join(''))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(0x00, 0x81, 0x8a, 0x8c, 0xff),
      (bytes, head) => {
        const value = Buffer.concat([Buffer.from([head]), bytes]);
        const plain = plainBytes(value, 0, value.length);
        assert.ok(plain === null || plain.length < 2 ** 24);
      },
    ),
    { numRuns: 3000 },
  );
});

test('text of every character set is JSON or refused, and keeps to its room', () => {
  const names = ['latin1', 'ascii', 'utf8mb3', 'utf8mb4', ...SINGLE_BYTE_NAMES, ...MULTI_BYTE_NAMES];
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 40 }), (charset, text) => {
      const codec = textCodec(charset) ?? assert.fail(charset);
      const b = Buffer.from(text);
      const room = Math.min(codec.size(b, 0, b.length), 6 * b.length + 2);
      const w = Buffer.alloc(room + 8, 0xee);
      const end = codec.write(b, viewOf(b), 0, b.length, w, viewOf(w), 0);
      const decoded = codec.decode(b);
      assert.equal(end >= 0, decoded !== null, `${charset}: the two ways to read it do not agree`);
      if (end >= 0) assert.equal(JSON.parse(w.toString('utf8', 0, end)), decoded, charset);
      assert.ok(end <= room && w.subarray(room).every(byte => byte === 0xee), `${end} of ${room}`);
    }),
    { numRuns: 6000 },
  );
});
