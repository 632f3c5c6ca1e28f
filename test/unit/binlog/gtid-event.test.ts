import assert from 'node:assert/strict';
import { test } from 'node:test';
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
