import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventType } from '../../../src/binlog/event-type.ts';
import { parseFormatDescription } from '../../../src/binlog/format-description.ts';
import { parseHeartbeat } from '../../../src/binlog/heartbeat.ts';
import { eventStart, unwrapEnd } from '../../../src/binlog/position.ts';
import { parseQuery } from '../../../src/binlog/query.ts';
import { fileNumberOf, parseRotate } from '../../../src/binlog/rotate.ts';
import { parseRowsHeader } from '../../../src/binlog/rows-header.ts';
import { errorOfServer } from '../../../src/binlog/server-error.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { capturedEvents } from '../../support/captures.ts';

function first(name: string, type: number): Buffer {
  const event = capturedEvents(name).find(each => each[4] === type);
  assert.ok(event !== undefined);
  return event;
}

test('format descriptions tell flavor, version and checksum', () => {
  const formats = ['mysql-9.7', 'mysql-9.7-no-checksum', 'mariadb-10.11', 'mariadb-10.11-no-checksum'].map(
    name => {
      const event = first(name, EventType.FORMAT_DESCRIPTION);
      return parseFormatDescription(event, 0, event.length);
    },
  );
  const maria = '10.11.19-MariaDB-0+deb12u1-log';
  assert.deepEqual(formats, [
    { serverVersion: '9.7.4-2', flavor: 'mysql', checksum: true },
    { serverVersion: '9.7.4-2', flavor: 'mysql', checksum: false },
    { serverVersion: maria, flavor: 'mariadb', checksum: true },
    { serverVersion: maria, flavor: 'mariadb', checksum: false },
  ]);
});

test('a format description of another form is refused', () => {
  const event = new BinlogBuilder().formatDescription();
  const broken: [offset: number, value: number][] = [
    [19, 3],
    [19 + 56, 13],
    [19 + 56 + EventType.TABLE_MAP, 6],
    [19 + 56 + EventType.WRITE_ROWS, 8],
    [event.length - 5, 2],
  ];
  for (const [offset, value] of broken) {
    const copy = Buffer.from(event);
    copy[offset] = value;
    assert.throws(() => parseFormatDescription(copy, 0, copy.length), { code: 'UMBUS_BINLOG_EVENT' });
  }
  assert.throws(() => parseFormatDescription(event, 0, 60), { code: 'UMBUS_BINLOG_TRUNCATED' });
});

test('a rotation has a file and an offset of 64 bits', () => {
  const body = Buffer.concat([Buffer.alloc(8), Buffer.from('bin.000002')]);
  body.writeBigUInt64LE(5_000_000_000n);
  assert.deepEqual(parseRotate(body, 0, body.length), { file: 'bin.000002', position: 5_000_000_000 });
  assert.throws(() => parseRotate(body, 0, 7), { code: 'UMBUS_BINLOG_TRUNCATED' });
  body.writeBigUInt64LE(1n << 60n);
  assert.throws(() => parseRotate(body, 0, body.length), { code: 'UMBUS_BINLOG_TRUNCATED' });
});

test('file numbers order files past six digits', () => {
  assert.equal(fileNumberOf('mysql-bin.000042'), 42);
  assert.equal(fileNumberOf('a.b.1234567'), 1_234_567);
  for (const name of ['', 'bin', 'bin.', 'bin.x1', 'bin.99999999999', 'bin.4294967296']) {
    assert.throws(() => fileNumberOf(name), { code: 'UMBUS_SOURCE_PROTOCOL' }, name);
  }
});

test('heartbeats of both versions name the file', () => {
  const event = first('mysql-9.7', EventType.HEARTBEAT);
  assert.deepEqual(parseHeartbeat(EventType.HEARTBEAT, event, 19, event.length - 4), {
    file: 'binlog.000002',
    position: null,
  });
  const fields = Buffer.concat([
    Buffer.from([1, 3]),
    Buffer.from('a.1'),
    Buffer.from([9, 2, 0, 0]),
    Buffer.from([2, 9, 254, 0, 0, 0, 0, 2, 0, 0, 0, 0]),
  ]);
  assert.deepEqual(parseHeartbeat(EventType.HEARTBEAT_V2, fields, 0, fields.length), {
    file: 'a.1',
    position: 0x2_0000_0000,
  });
  assert.throws(() => parseHeartbeat(EventType.HEARTBEAT_V2, fields, 0, 3), {
    code: 'UMBUS_BINLOG_TRUNCATED',
  });
});

test('statements of real servers are read with schema and touched schemas', () => {
  for (const name of ['mysql-9.7', 'mariadb-10.11']) {
    const queries = capturedEvents(name)
      .filter(event => event[4] === EventType.QUERY)
      .map(event => parseQuery(EventType.QUERY, event, 19, event.length - 4));
    assert.equal(queries[0]?.sql, 'create database shop');
    assert.ok(queries.every(query => query.schema === 'shop'));
    const touched = name === 'mysql-9.7' ? ['shop'] : [];
    assert.deepEqual(queries[0]?.schemas, touched);
  }
});

test('status variables of an unknown kind hide only what follows them', () => {
  const known = Buffer.from([0, 1, 2, 3, 4, 12, 2, 97, 0, 98, 0]);
  const builder = new BinlogBuilder();
  const both = builder.query('BEGIN', 'shop', { status: Buffer.concat([known, Buffer.from([250, 1])]) });
  assert.deepEqual(parseQuery(EventType.QUERY, both, 19, both.length - 4).schemas, ['a', 'b']);
  const hidden = builder.query('BEGIN', 'shop', { status: Buffer.concat([Buffer.from([250]), known]) });
  assert.deepEqual(parseQuery(EventType.QUERY, hidden, 19, hidden.length - 4), {
    schema: 'shop',
    schemas: [],
    errorCode: 0,
    sqlMode: 0,
    clientCollation: null,
    serverCollation: null,
    sql: 'BEGIN',
  });
});

test('a statement event cut anywhere is an error with a code or a shorter statement', () => {
  const event = new BinlogBuilder().query('BEGIN', 'shop', { status: Buffer.from([12, 1, 97, 0]) });
  const sqlAt = event.length - 4 - 5;
  for (let end = 19; end < sqlAt; end++) {
    assert.throws(
      () => parseQuery(EventType.QUERY, event, 19, end),
      { code: 'UMBUS_BINLOG_TRUNCATED' },
      `${end}`,
    );
  }
});

test('row events of versions 1 and 2 begin alike', () => {
  const header = (builder: BinlogBuilder, operation: 'insert' | 'update' | 'delete') => {
    const event = builder.rows(operation, 0x1_0000_0002, 10, Buffer.from([7]));
    return parseRowsHeader(event, 0, event.length - 4);
  };
  assert.deepEqual(header(new BinlogBuilder(), 'update'), {
    operation: 'update',
    tableId: 0x1_0000_0002,
    flags: 1,
    columnCount: 10,
    presentAt: 30,
    presentAfterAt: 32,
    rowsAt: 34,
  });
  assert.deepEqual(header(new BinlogBuilder({ flavor: 'mariadb' }), 'delete'), {
    operation: 'delete',
    tableId: 0x1_0000_0002,
    flags: 1,
    columnCount: 10,
    presentAt: 28,
    presentAfterAt: 28,
    rowsAt: 30,
  });
});

test('a row event of another kind, or cut short, is an error with a code', () => {
  const event = new BinlogBuilder().rows('insert', 1, 9, Buffer.alloc(0));
  for (let end = 19; end < event.length - 4; end++) {
    assert.throws(() => parseRowsHeader(event, 0, end), { code: 'UMBUS_BINLOG_TRUNCATED' }, `${end}`);
  }
  event[4] = EventType.PARTIAL_UPDATE_ROWS;
  assert.throws(() => parseRowsHeader(event, 0, event.length - 4), { code: 'UMBUS_BINLOG_EVENT' });
});

test('offsets are followed past 4 GB', () => {
  const G4 = 2 ** 32;
  assert.equal(unwrapEnd(1000, 100, 900), 1000);
  assert.equal(unwrapEnd(50, 100, G4 - 50), G4 + 50);
  assert.equal(unwrapEnd(500, 100, 3 * G4 + 300), 3 * G4 + 500);
  assert.throws(() => unwrapEnd(900, 100, 1000), { code: 'UMBUS_SOURCE_PROTOCOL' });
  assert.throws(() => unwrapEnd(1050, 100, 1000), { code: 'UMBUS_SOURCE_PROTOCOL' });
});

test('an event in a run is placed by its low 32 bits', () => {
  const builder = new BinlogBuilder({ position: 2 ** 32 - 10 });
  const [a, b] = [builder.xid(), builder.xid()];
  const events = Buffer.concat([a, b]);
  const start = 2 ** 32 - 10;
  assert.equal(eventStart(events, 0, start), start);
  assert.equal(eventStart(events, a.length, start), start + a.length);
  assert.throws(() => eventStart(events, events.length - 5, start), { code: 'UMBUS_BINLOG_TRUNCATED' });
});

test('errors of the server have the code that says what to do', () => {
  const codes: [code: number, text: string, expected: string][] = [
    [1236, 'Could not find first log file name in binary log index file', 'UMBUS_SOURCE_POSITION_GONE'],
    [
      1236,
      'A replica with the same server_uuid/server_id as this replica has connected',
      'UMBUS_SOURCE_SERVER_ID',
    ],
    [1236, 'log event entry exceeded max_allowed_packet', 'UMBUS_SOURCE_SETTING'],
    [1236, 'Replica can not handle replication events with the checksum', 'UMBUS_SOURCE_PROTOCOL'],
    [1236, 'I/O error reading log event', 'UMBUS_SOURCE_PROTOCOL'],
    [4052, 'A slave with the same server_uuid/server_id is already connected', 'UMBUS_SOURCE_SERVER_ID'],
    [1045, 'Access denied', 'UMBUS_SOURCE_AUTH'],
    [1227, 'Access denied; you need REPLICATION SLAVE', 'UMBUS_SOURCE_GRANT'],
    [1053, 'Server shutdown in progress', 'UMBUS_SOURCE_DISCONNECTED'],
    [9999, 'Something else', 'UMBUS_SOURCE_PROTOCOL'],
  ];
  for (const [code, text, expected] of codes) {
    const error = errorOfServer({ code, sqlState: 'HY000', text }, 'bin.000001:4');
    assert.equal(error.code, expected);
    assert.ok(error.message.includes(text) && error.message.includes('bin.000001:4'));
  }
});
