import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../src/binlog/column-type.ts';
import { BinlogBuilder, type TableSpec, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver } from '../../support/extract-driver.ts';

const orders: TableSpec = {
  tableId: 100,
  schema: 'shop',
  table: 'orders',
  columns: [{ name: 'id', type: ColumnType.LONG }],
  primaryKey: [0],
};
const row = (id: number): Buffer => Buffer.from([0, id, 0, 0, 0]);

test('events that the server leaves out before a transaction or a table map leave gaps that are no fault', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1));
  builder.position += 100;
  builder.gtid();
  builder.query('BEGIN');
  builder.position += 50;
  builder.tableMap(orders);
  builder.rows('insert', 100, 1, row(2));
  builder.xid();
  const [run] = new ExtractDriver().open().bytes(builder.packets()).commit().runs;
  assert.equal(run?.next, builder.position);
});

const misplaced: readonly (readonly [what: string, add: (builder: BinlogBuilder) => void])[] = [
  ['a row event', builder => builder.rows('insert', 100, 1, row(2))],
  ['the end of a transaction', builder => builder.xid()],
  ['a statement', builder => builder.query('ALTER TABLE orders ADD n INT')],
];

for (const [what, add] of misplaced) {
  test(`${what} that says it lies further on than the event before it ends is refused, and moves no place`, () => {
    const builder = new BinlogBuilder().begin();
    const driver = new ExtractDriver().open().bytes(builder.packets());
    transaction(builder, orders, row(1));
    builder.gtid();
    builder.query('BEGIN');
    builder.tableMap(orders);
    builder.position += 65_536;
    add(builder);
    assert.throws(() => driver.bytes(builder.packets()), {
      code: 'UMBUS_SOURCE_PROTOCOL',
      retryable: true,
    });
    assert.throws(() => driver.commit(), { code: 'UMBUS_SOURCE_PROTOCOL' });
    assert.equal(driver.runs.length, 0, 'what came before is read again');
  });
}
