import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { EVENT_HEADER_BYTES, EventType } from '../../../src/binlog/event-type.ts';
import { parseGtidEvent } from '../../../src/binlog/gtid-event.ts';
import { capturedEvents } from '../../support/captures.ts';

function gtids(name: string): ReturnType<typeof parseGtidEvent>[] {
  return capturedEvents(name)
    .map(event => parseGtidEvent(event, 0, event.length - 4))
    .filter(event => event !== null);
}

test('GTID events of MySQL give source, number, tag and commit time', () => {
  const all = gtids('mysql-9.7');
  const uuid = '470c2388-e54c-11f1-b9a5-02fc00000001';
  assert.equal(all.length, 18);
  assert.deepEqual(all[0], {
    flavor: 'mysql',
    uuid,
    tag: '',
    gno: 1,
    committedMicros: 0x660bf9a1f2edc,
  });
  const tagged = all.find(event => event?.flavor === 'mysql' && event.tag !== '');
  assert.deepEqual(tagged, {
    flavor: 'mysql',
    uuid,
    tag: 'sometag',
    gno: 1,
    committedMicros: 0x660bf9a1f7ca7,
  });
});

test('GTID events of MariaDB give domain, server and number, and whether a COMMIT follows', () => {
  const all = gtids('mariadb-10.11');
  assert.deepEqual(all[0], {
    flavor: 'mariadb',
    domain: 0,
    serverId: 11,
    sequence: 1,
    standalone: true,
    committedMicros: null,
  });
  assert.equal(all[2]?.flavor === 'mariadb' && all[2].standalone, false);
});

test('a GTID event cut short is an error with a code, never a wrong number', () => {
  for (const name of ['mysql-9.7', 'mariadb-10.11']) {
    for (const event of capturedEvents(name)) {
      const whole = parseGtidEvent(event, 0, event.length - 4);
      if (whole === null) continue;
      assert.throws(() => parseGtidEvent(event, 0, 30), { code: 'UMBUS_BINLOG_TRUNCATED' });
    }
  }
});

test('a tagged GTID event with a byte of the uuid beyond 255 is an error, never another uuid', () => {
  const tagged = capturedEvents('mysql-9.7').find(event => event[4] === EventType.GTID_TAGGED);
  assert.ok(tagged !== undefined);
  const bytes = Buffer.from(tagged);
  // The first byte of the uuid, 0x47, is a number of one byte: 0x47 << 1.
  const at = bytes.indexOf(Buffer.from([0x47 << 1]), EVENT_HEADER_BYTES);
  const longer = Buffer.concat([bytes.subarray(0, at), Buffer.from([0x01, 0x05]), bytes.subarray(at + 1)]);
  assert.throws(() => parseGtidEvent(longer, 0, longer.length - 4), {
    code: 'UMBUS_BINLOG_TRUNCATED',
    message: /a byte beyond 255/,
  });
});
