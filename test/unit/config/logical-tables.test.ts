import assert from 'node:assert/strict';
import test from 'node:test';
import { logicalName } from '../../../src/config/logical-tables.ts';
import { maskRules } from '../../../src/config/mask-rules.ts';
import { resultPlacing } from '../../../src/config/result-placing.ts';
import { beforeImage, subscription } from '../../../src/config/subscription.ts';
import { NO_FUNCTIONS } from '../../../src/masking/mask-spec.ts';
import { namespaceOf, OWN_NAME, publishedName } from '../../../src/ums/namespace.ts';

const logical = { orders: ['orders_????', 'orders_old'], all_orders: ['orders_*'] };
const schema = {
  tables: ['*'],
  exclude: ['orders_2020'],
  beforeImage: ['orders'],
  logical,
  initial: 'none',
  masks: [],
  result: {
    partitions: null,
    placeBy: 'primary-key',
    placeColumns: { orders: ['customer'] },
    format: 'json',
  },
} as const;
const line = {
  schemas: { shop: schema },
  topics: { partitions: 4, retentionMs: null, retentionBytes: null },
};

test('a table has the name of the first logical table that matches it, else its own', () => {
  const nameOf = logicalName(line);
  const names = ['orders_2025', 'orders_old', 'orders_archive', 'orders', 'customers'];
  assert.deepEqual(
    names.map(name => nameOf('shop', name)),
    ['orders', 'orders', 'all_orders', 'orders', 'customers'],
  );
  assert.equal(nameOf('crm', 'orders_2025'), 'orders_2025');
});

test('without logical tables every table has its own name, by one function', () => {
  assert.equal(logicalName({ schemas: { shop: { logical: {} }, crm: {} } }), OWN_NAME);
});

test('tables are chosen by their own names, and before images and placing columns by the logical one', () => {
  const subscribed = subscription(line);
  assert.ok(subscribed('shop', 'orders_2025'));
  assert.ok(!subscribed('shop', 'orders_2020'));
  assert.ok(beforeImage(line)('shop', 'orders_2025'));
  assert.ok(!beforeImage(line)('shop', 'customers'));
  assert.deepEqual(resultPlacing(line)('shop').columns('orders_2025'), ['customer']);
  assert.equal(resultPlacing(line)('shop').columns('customers'), null);
});

test('a mask concerns a table by its logical name, and by its own, so that nothing masked comes into the open', () => {
  const mask = { type: 'null' } as const;
  const masks = {
    shop: [
      { pattern: 'orders.phone', mask },
      { pattern: 'orders_2025.mail', mask },
    ],
  };
  const rules = maskRules(masks, {}, NO_FUNCTIONS, 0, logicalName(line));
  const masked = (table: string): boolean[] =>
    ['phone', 'mail'].map(column => (rules.of('shop', table)?.ruleOf(column) ?? null) !== null);
  assert.deepEqual(masked('orders_2025'), [true, true]);
  assert.deepEqual(masked('orders_2026'), [true, false]);
  assert.deepEqual(masked('customers'), [false, false]);
});

test('the name of a table is one part of the namespace whatever signs it has', () => {
  const nameOf = () => 'orders';
  const parts = ['orders', 'orders_2025', 'orders.2025', '0', '*', 'a%2Eb', 'a|b'].map(table =>
    namespaceOf('web', publishedName(nameOf, { schema: 'shop', table }), 3),
  );
  const begin = 'mysql.web.shop.orders.3.0';
  assert.deepEqual(parts, [
    `${begin}.0`,
    `${begin}.orders_2025`,
    `${begin}.orders%2E2025`,
    `${begin}.%30`,
    `${begin}.%2A`,
    `${begin}.a%252Eb`,
    `${begin}.a%7Cb`,
  ]);
});
