import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceError } from '../../../src/adapters/mysql/source-error.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';

const login = { host: 'db', port: 3306, user: "o'brien", password: 'top-secret', tls: null };

const cases: readonly { readonly error: object; readonly code: ErrorCode }[] = [
  { error: { code: 'ECONNREFUSED', errno: -111 }, code: 'UMBUS_SOURCE_UNREACHABLE' },
  { error: { code: 'ENOTFOUND' }, code: 'UMBUS_SOURCE_UNREACHABLE' },
  { error: { code: 'ETIMEDOUT' }, code: 'UMBUS_SOURCE_UNREACHABLE' },
  { error: { code: 'PROTOCOL_CONNECTION_LOST' }, code: 'UMBUS_SOURCE_UNREACHABLE' },
  { error: { code: 'ER_CON_COUNT_ERROR', errno: 1040 }, code: 'UMBUS_SOURCE_UNREACHABLE' },
  { error: { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }, code: 'UMBUS_SOURCE_AUTH' },
  { error: { code: 'ER_HOST_NOT_PRIVILEGED', errno: 1130 }, code: 'UMBUS_SOURCE_AUTH' },
  {
    error: {
      message:
        'Server requests authentication using unknown plugin client_ed25519. See docs of auth plugins.',
    },
    code: 'UMBUS_SOURCE_AUTH',
  },
  { error: { code: 'ER_SPECIFIC_ACCESS_DENIED_ERROR', errno: 1227 }, code: 'UMBUS_SOURCE_GRANT' },
  { error: { code: 'ER_TABLEACCESS_DENIED_ERROR', errno: 1142 }, code: 'UMBUS_SOURCE_GRANT' },
  { error: { code: 'ER_PARSE_ERROR', errno: 1064 }, code: 'UMBUS_SOURCE_PROTOCOL' },
];

for (const { error, code } of cases) {
  test(`${JSON.stringify(error)} is ${code}`, () => {
    const cause = Object.assign(new Error('as the server says'), error);
    const found = sourceError(cause, login, 'connecting');
    assert.equal(found.code, code);
    assert.equal(found.cause, cause);
    assert.ok(found.message.includes('db:3306'), found.message);
    assert.ok(!found.message.includes('top-secret'));
  });
}

test('quotes the account of a GRANT', () => {
  const denied = Object.assign(new Error('denied'), { errno: 1227 });
  assert.match(sourceError(denied, login, 'reading').message, /TO 'o''brien'@'%'/);
});
