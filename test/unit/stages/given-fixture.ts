/** Runs of a table whose columns the binlog does not name, and nobody knows. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { RawRun } from '../../../src/change/raw-run.ts';
import { shownColumns } from '../../../src/columns/shown-columns.ts';
import { descriptionText, type TableColumns } from '../../../src/columns/table-columns.ts';
import type { UmsMessage } from '../../../src/ums/types.ts';
import { BinlogBuilder, type TableSpec, tableMapBody } from '../../support/binlog-builder.ts';
import { image, le } from '../rows/rows-fixture.ts';
import { insert, runOf, table } from './append-fixture.ts';

/** `shop.orders` with as many INT columns as its rows have values; the first is the key. */
function spec(count: number): TableSpec {
  const columns = Array.from({ length: count }, (_, i) => ({ name: `c${i}`, type: 3, nullable: i > 0 }));
  return table('orders', 7, { columns });
}

/** A run that inserts a row, and says of the columns only since when they are not known. */
export function unknownRun(
  since: string,
  position: number,
  values: readonly number[],
  why = 'a reason',
): RawRun {
  const builder = new BinlogBuilder({ position }).begin();
  insert(builder, spec(values.length), image(...values.map(value => le(value, 4))));
  const run = runOf(builder);
  const map = tableMapBody({ ...spec(values.length), metadata: false });
  const columns = descriptionText({ unknown: { since, why } });
  const fingerprint = createHash('sha256').update(map).update(columns).digest().subarray(0, 8);
  return {
    ...run,
    tables: run.tables.map(each => ({ ...each, map, columns, fingerprint: Buffer.from(fingerprint) })),
  };
}

/** Columns of `shop.orders` as a statement says them. */
export function columnsOf(definition: string): TableColumns {
  const columns = shownColumns(`CREATE TABLE orders (${definition})`);
  if (columns === null) throw new Error(`Not understood: ${definition}`);
  return columns;
}

/** Columns and rows of each message that has rows. */
export function rowsIn(messages: readonly UmsMessage[]): unknown[] {
  return messages
    .filter(({ protocol }) => protocol.type === 'data_increment_data')
    .map(({ schema, payload }) => [
      schema.fields
        .slice(4)
        .map(({ name }) => name)
        .join(),
      ...payload.map(({ tuple }) => tuple.slice(4)),
    ]);
}
