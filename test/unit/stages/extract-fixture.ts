import { ColumnType } from '../../../src/binlog/column-type.ts';
import { BinlogBuilder, type TableSpec } from '../../support/binlog-builder.ts';

/** A subscribed table. */
export const orders: TableSpec = {
  tableId: 100,
  schema: 'shop',
  table: 'orders',
  columns: [{ name: 'id', type: ColumnType.LONG }],
  primaryKey: [0],
};
/** A table that nobody subscribes. */
export const hidden: TableSpec = { ...orders, tableId: 200, schema: 'other' };
/** The image of a row of either. */
export const row = (id: number): Buffer => Buffer.from([0, id, 0, 0, 0]);

/** What a server sends when it is asked for the first file of `builder` from `position` on. */
export function resumed(builder: BinlogBuilder, position: number): Buffer {
  const dump = new BinlogBuilder({ position });
  dump.begin();
  const rest = builder.events.filter(
    (event, i) =>
      i > 1 && (event.readUInt32LE(13) - event.length >= position || i > builder.events.length - 8),
  );
  return Buffer.concat([
    dump.packets(),
    ...rest.map(event => dump.packet(Buffer.concat([Buffer.alloc(1), event]))),
  ]);
}
