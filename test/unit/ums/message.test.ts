import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { readUms } from '../../../src/consumer/index.ts';
import { dataHeader, dataMessage, messageKey, terminationMessage } from '../../../src/ums/message.ts';
import { namespaceOf, resultTopicOf } from '../../../src/ums/namespace.ts';

const namespace = namespaceOf('shop', { schema: 'store', table: 'orders' }, 3);

test('the namespace has seven parts, and the result topic the schema', () => {
  assert.equal(namespace, 'mysql.shop.store.orders.3.0.0');
  assert.equal(resultTopicOf('shop', 'store'), 'shop.store.result');
});

test('a data message is its header and tuples, and a consumer can read it', () => {
  const header = dataHeader(
    namespace,
    [{ name: 'a"b', type: 'int', nullable: true, encoded: false }],
    ['a"b'],
  );
  const tuples = Buffer.from(
    '{"tuple":["1","2026-01-01 00:00:00.000","i","100000000000000000011",5]},{"tuple":["2","2026-01-01 00:00:00.000","d","100000000000000000021",null]},',
  );
  const message = readUms(dataMessage(header, tuples));
  assert.deepEqual(message.protocol, { type: 'data_increment_data', version: '1.3' });
  assert.equal(message.schema.namespace, namespace);
  assert.equal(message.schema.batchId, 0);
  assert.deepEqual(message.schema.primaryKey, ['a"b']);
  assert.deepEqual(
    message.schema.fields.map(({ name, type, nullable }) => [name, type, nullable]),
    [
      ['ums_id_', 'long', false],
      ['ums_ts_', 'datetime', false],
      ['ums_op_', 'string', false],
      ['ums_uid_', 'string', false],
      ['a"b', 'int', true],
    ],
  );
  assert.deepEqual(
    message.payload.map(({ tuple }) => tuple[4]),
    [5, null],
  );
});

test('a table without a primary key has none in its messages', () => {
  assert.ok(!dataHeader(namespace, [], []).includes('primaryKey'));
});

test('a termination says why, and a consumer can read it', () => {
  const message = readUms(
    terminationMessage({ namespace, time: '2026-01-01 00:00:00.000', reason: 'truncate', uid: '5' }),
  );
  assert.equal(message.protocol.type, 'data_increment_termination');
  assert.equal(message.schema.reason, 'truncate');
  assert.deepEqual(message.payload, [{ tuple: ['2026-01-01 00:00:00.000'] }]);
});

test('the key is that of DBUS', () => {
  assert.equal(
    messageKey('data_increment_data', namespace, 1_577_810_117_698, 'shop').toString(),
    'data_increment_data.mysql.shop.store.orders.3.0.0.1577810117698|shop.wh_placeholder',
  );
});
