import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUmbusError, messageOf } from '../../../src/core/errors.ts';
import { parseCondition } from '../../../src/sharding/condition.ts';

test('a plain expression passes as it is', () => {
  for (const text of [
    "status = 'paid' AND (created >= '2026-01-01' OR total > 10.5)",
    'id IN (1, 2, 3) AND NOT deleted',
    "name LIKE 'O''Hara%' ESCAPE '!'",
    '`order` IS NULL OR `a``b` BETWEEN 1 AND 2',
    "MOD(id, 16) = 3 AND COALESCE(city, '') <> ''",
    "note = 'it\\'s; -- fine' AND t.`select` = 1",
    "label = 'a /* b */ c'",
  ]) {
    assert.equal(parseCondition(` ${text} `), text);
  }
});

test('what is no plain expression is refused with its place', () => {
  for (const [text, column, why] of [
    ['', 1, 'empty'],
    ['id = 1; DROP TABLE t', 7, "';'"],
    ['id = 1 -- rest', 7, 'comment'],
    ['id = 1 /* hidden */ OR 1', 7, 'comment'],
    ['id = /*! 1 */ 2', 5, 'comment'],
    ['id = 1 # rest', 7, 'comment'],
    ['id IN (SELECT id FROM t)', 8, 'SELECT'],
    ['SLEEP(5) = 0', 1, 'SLEEP'],
    ['GET_LOCK (1, 2)', 1, 'GET_LOCK'],
    ["`f`('x') = 1", 1, 'function'],
    ['LOAD_FILE(name) IS NULL', 1, 'LOAD_FILE'],
    ['id = @x', 6, 'variables'],
    ['@@version = 1', 1, 'variables'],
    ['id = ?', 6, "'?'"],
    ["name = 'open", 8, 'quote'],
    ["name = 'open\\'", 8, 'quote'],
    ['(id = 1', 7, 'parenthesis'],
    ['id = 1) OR (1 = 1', 7, 'parenthesis'],
    ['id = 1 INTO OUTFILE 1', 8, 'INTO'],
    ['id = 1 LIMIT 1', 8, 'LIMIT'],
  ] as const) {
    try {
      parseCondition(text);
    } catch (error) {
      assert.ok(isUmbusError(error, 'UMBUS_PULL_CONDITION'), text);
      assert.ok(messageOf(error).includes(`character ${column}`), `${text}: ${messageOf(error)}`);
      assert.ok(messageOf(error).includes(why), `${text}: ${messageOf(error)}`);
      continue;
    }
    assert.fail(`'${text}' passed.`);
  }
});
