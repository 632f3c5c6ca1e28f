import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import type { ResultReader } from '../../src/adapters/mysql/result-reader.ts';
import { readTableDefinition, type TableDefinition } from '../../src/adapters/mysql/table-definition.ts';
import { compileImages, ImageBuffer } from '../../src/binlog/result/compile-images.ts';
import { resultColumn } from '../../src/binlog/result/result-column.ts';
import { compileRows } from '../../src/binlog/rows/compile.ts';
import { type KeyRange, quoteName, WHOLE_TABLE } from '../../src/sharding/key-range.ts';
import { chooseSplitKey } from '../../src/sharding/split-key.ts';
import { fromClause, rowsSql } from '../../src/sharding/split-plan.ts';
import { TupleBuffer, viewOf } from '../../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../../src/ums/tuple-prefix.ts';
import { UTC } from '../../src/ums/zone.ts';
import type { Server } from './servers.ts';

/** How to log in to a test's server. */
export function loginOf({ host, port, user, password }: Pick<Server, 'host' | 'port' | 'user' | 'password'>) {
  return { host, port, user, password, tls: null };
}

/** A table's definition; fails when it is not there. */
export async function definitionOf(server: Server, schema: string, table: string): Promise<TableDefinition> {
  await using session = await connectSql(loginOf(server));
  return (await readTableDefinition(session, schema, table)) ?? assert.fail(`${schema}.${table}`);
}

/** The rows of a range as a full pull reads them: the text of each tuple behind its system columns. */
export async function pulledTuples(
  reader: ResultReader,
  definition: TableDefinition,
  range: KeyRange = WHOLE_TABLE,
): Promise<string[]> {
  const { schema, table, definitions, primaryKey } = definition;
  const columns = definitions.map(resultColumn);
  const key = chooseSplitKey(definition);
  const expressions = columns.map(({ map, select }) => select(quoteName(map.name ?? '')));
  await reader.select(rowsSql(fromClause(schema, table, key), key, range, expressions, null, null));
  const write = compileImages(columns);
  const images = new ImageBuffer(16);
  while (await reader.read(images, write, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY));
  const writer = compileRows(
    {
      tableId: 0,
      schema,
      table,
      columns: columns.map(({ map }) => map),
      primaryKey: primaryKey.map(name => columns.findIndex(({ map }) => map.name === name)),
      named: true,
    },
    { zone: UTC },
  );
  const prefix = new TuplePrefix();
  prefix.file(1, 1);
  prefix.time(0, -1);
  prefix.event(4, 'i');
  const tuples: string[] = [];
  const out = new TupleBuffer();
  const bytes = images.bytes.subarray(0, images.length);
  for (let o = 0; o < bytes.length; ) {
    out.clear();
    o = writer.rows(bytes, viewOf(bytes), o, bytes.length, out, prefix, 1, Number.POSITIVE_INFINITY);
    tuples.push(columnsText(out.bytes.toString('utf8', 0, out.length - 1)));
  }
  assert.equal(tuples.length, images.rows);
  return tuples;
}

/** What follows the four system columns in the text of a tuple. */
export function columnsText(tuple: string): string {
  return tuple.replace(/^\{"tuple":\["\d+","[^"]*","[iudb]","\d+",?/, '');
}

/** The same of a message with one row. */
export function messageColumns(message: Uint8Array): string {
  const text = Buffer.from(message).toString('utf8');
  return columnsText(text.slice(text.lastIndexOf('{"tuple":'), -2));
}
