import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGtidList, parsePreviousGtids } from '../../../src/binlog/gtid-lists.ts';
import { parseGtidSet } from '../../../src/binlog/gtid-set.ts';
import { capturedEvents } from '../../support/captures.ts';

const A = '470c2388-e54c-11f1-b9a5-02fc00000001';
const B = '570c2388-e54c-11f1-b9a5-02fc00000002';

test('a GTID set of MySQL prints as the server prints it', () => {
  const same = [`${A}:1-5:7`, `${A}:1-16:sometag:1`, `${A}:tag:1-3:7`, `${A}:1,${B}:2-9`, ''];
  for (const text of same) assert.equal(parseGtidSet('mysql', text).toString(), text);
  const other: Record<string, string> = {
    [`${B}:1,\n${A.toUpperCase()}:1-2`]: `${A}:1-2,${B}:1`,
    [`${A}:5:1-3:4`]: `${A}:1-5`,
    [`${A}:1-3:Tag:1,${A}:4`]: `${A}:1-4:tag:1`,
  };
  for (const [text, printed] of Object.entries(other)) {
    assert.equal(parseGtidSet('mysql', text).toString(), printed);
  }
});

test('a GTID position of MariaDB keeps one transaction a domain', () => {
  assert.equal(parseGtidSet('mariadb', '1-2-5, 0-1-100').toString(), '0-1-100,1-2-5');
  assert.equal(parseGtidSet('mariadb', '').toString(), '');
});

test('text that is no GTID set is refused', () => {
  for (const text of ['x', `${A}:0`, `${A}:5-3`, `${A}:1-99999999999999999999`, `${A}:1:2x`, '0-1-1']) {
    assert.throws(() => parseGtidSet('mysql', text), { code: 'UMBUS_SOURCE_PROTOCOL' }, text);
  }
  for (const text of ['0-1', '0-1-x', `${A}:1`, '0-1-99999999999999999999']) {
    assert.throws(() => parseGtidSet('mariadb', text), { code: 'UMBUS_SOURCE_PROTOCOL' }, text);
  }
});

test('sets contain their subsets and add up', () => {
  const set = parseGtidSet('mysql', `${A}:1-5:8-9:tag:1,${B}:3`);
  for (const text of ['', `${A}:2-3:9`, `${A}:tag:1`, `${B}:3`]) {
    assert.ok(set.containsAll(parseGtidSet('mysql', text)), text);
  }
  for (const text of [`${A}:5-8`, `${A}:other:1`, `${A}:tag:1-2`, '670c2388-e54c-11f1-b9a5-02fc00000001:1']) {
    assert.ok(!set.containsAll(parseGtidSet('mysql', text)), text);
  }
  set.addAll(parseGtidSet('mysql', `${A}:6-7:12:tag:2`));
  assert.equal(set.toString(), `${A}:1-9:12:tag:1-2,${B}:3`);
  const position = parseGtidSet('mariadb', '0-1-5,1-1-7');
  assert.ok(position.containsAll(parseGtidSet('mariadb', '0-2-4')));
  assert.ok(!position.containsAll(parseGtidSet('mariadb', '2-1-1')));
  position.addAll(parseGtidSet('mariadb', '0-2-6,1-2-3'));
  assert.equal(position.toString(), '0-2-6,1-1-7');
});

test('the lists that begin files of real servers are read', () => {
  const previous = capturedEvents('mysql-9.7').filter(event => event[4] === 35);
  assert.deepEqual(
    previous.map(event => parsePreviousGtids(event, 19, event.length - 4).toString()),
    ['', `${A}:1-16:sometag:1`],
  );
  const lists = capturedEvents('mariadb-10.11').filter(event => event[4] === 163);
  assert.deepEqual(
    lists.map(event => parseGtidList(event, 19, event.length - 4).toString()),
    ['', '0-11-16'],
  );
});

test('a list that ends too early or has a bad interval is refused', () => {
  const [, event] = capturedEvents('mysql-9.7').filter(each => each[4] === 35);
  assert.ok(event !== undefined);
  for (let end = 20; end < event.length - 4; end++) {
    assert.throws(() => parsePreviousGtids(event, 19, end), { code: 'UMBUS_BINLOG_TRUNCATED' }, `${end}`);
  }
});

test('a MariaDB position tells the domains in which another is behind', () => {
  const beyond = (position: string, other: string): string =>
    parseGtidSet('mariadb', position).beyond(parseGtidSet('mariadb', other)).toString();
  assert.equal(beyond('0-1-5,1-1-3', '0-2-5,1-1-9,4-1-1'), '');
  assert.equal(beyond('0-1-5,1-1-3', '0-2-4'), '0-1-5,1-1-3');
  assert.equal(beyond('', ''), '');
});
