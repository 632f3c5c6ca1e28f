import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line, ResultSettings } from '../../../src/config/line.ts';
import { resultPlacing } from '../../../src/config/result-placing.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { resultTopic, schemaTopic } from '../../../topologies/topics.ts';

function lineOf(result: Partial<ResultSettings>): Pick<Line, 'ds' | 'schemas' | 'topics'> {
  const whole: ResultSettings = { partitions: null, placeBy: 'table', placeColumns: {}, format: 'json' };
  const schema = {
    tables: ['*'],
    exclude: [],
    beforeImage: [],
    logical: {},
    initial: 'none' as const,
    masks: [],
  };
  return {
    ds: 'shop',
    schemas: { crm: { ...schema, result: whole }, store: { ...schema, result: { ...whole, ...result } } },
    topics: { partitions: 4, retentionMs: null, retentionBytes: null },
  };
}

test('a result topic has the partitions of its schema, or as many as the topic it is made from', () => {
  const line = lineOf({ partitions: 12, placeBy: 'primary-key' });
  const partitions = (schema: string) => [
    schemaTopic(line, schema).partitions,
    resultTopic(line, schema).partitions,
    resultPlacing(line)(schema).partitions,
  ];
  assert.deepEqual(partitions('store'), [4, 12, 12]);
  assert.deepEqual(partitions('crm'), [4, 4, 4]);
  assert.deepEqual(
    ['store', 'crm'].map(schema => resultPlacing(line)(schema).placeBy),
    ['primary-key', 'table'],
  );
});

test('the columns that place the rows of a table are those of the first pattern that matches it', () => {
  const placeColumns = { orders: ['customer', 'id'], 'order*': ['customer'], '?': ['x'] };
  const { columns } = resultPlacing(lineOf({ placeColumns }))('store');
  assert.deepEqual(
    ['orders', 'order_lines', 'a', 'Orders', 'customers'].map(table => columns(table)),
    [['customer', 'id'], ['customer'], ['x'], null, null],
  );
});

test('a schema that the line does not have is a fault', () => {
  assert.throws(
    () => resultPlacing(lineOf({}))('other'),
    error => isUmbusError(error, 'UMBUS_INTERNAL'),
  );
});
