import assert from 'node:assert/strict';
import test from 'node:test';
import { parseKey, parseNamespace } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';

const orders = {
  source: 'mysql',
  ds: 'shop',
  schema: 'store',
  table: 'orders',
  version: 12,
  databasePartition: '0',
  tablePartition: '0',
};
const namespace = 'mysql.shop.store.orders.12.0.0';

test('takes a namespace apart', () => {
  assert.deepEqual(parseNamespace(namespace), orders);
});

test('finds a table name with dots between schema and version', () => {
  assert.deepEqual(parseNamespace('mysql.shop.store.a.b.c.12.0.0'), { ...orders, table: 'a.b.c' });
});

const keys = [
  {
    form: 'data with the data source',
    key: `data_increment_data.${namespace}.1577810117698|shop.wh_placeholder`,
    rest: {
      type: 'data_increment_data',
      timestampMs: 1577810117698,
      roundMs: null,
      status: null,
      ds: 'shop',
    },
  },
  {
    form: 'data without it',
    key: `data_increment_data.${namespace}.1577810117698.wh_placeholder`,
    rest: { type: 'data_increment_data', timestampMs: 1577810117698, roundMs: null, status: null, ds: null },
  },
  {
    form: 'a heartbeat of four parts',
    key: `data_increment_heartbeat.${namespace}.1700|1600|ok|shop.wh_placeholder`,
    rest: { type: 'data_increment_heartbeat', timestampMs: 1700, roundMs: 1600, status: 'ok', ds: 'shop' },
  },
  {
    form: 'a heartbeat of three parts',
    key: `data_increment_heartbeat.${namespace}.1700|1600|waiting.wh_placeholder`,
    rest: { type: 'data_increment_heartbeat', timestampMs: 1700, roundMs: 1600, status: 'waiting', ds: null },
  },
] as const;

for (const { form, key, rest } of keys) {
  test(`reads the key of ${form}`, () => {
    assert.deepEqual(parseKey(key), { ...rest, namespace: orders });
    assert.deepEqual(parseKey(new TextEncoder().encode(key)), parseKey(key));
  });
}

for (const bad of [
  '',
  'wh_placeholder',
  namespace,
  `x.${namespace}.wh_placeholder`,
  `x.${namespace}.abc.wh_placeholder`,
  `x.${namespace}.1|2|ok|shop|more.wh_placeholder`,
  `x.${namespace}.1|.wh_placeholder`,
  'x.mysql.shop.store.12.0.0.1.wh_placeholder',
  'x.mysql.shop..orders.12.0.0.1.wh_placeholder',
]) {
  test(`refuses the key "${bad}"`, () => {
    assert.throws(
      () => parseKey(bad),
      error => isUmbusError(error, 'UMBUS_UMS_INVALID'),
    );
  });
}
