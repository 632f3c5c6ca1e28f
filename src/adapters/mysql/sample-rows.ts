import type { Buffer } from 'node:buffer';
import { compileImages, ImageBuffer } from '../../binlog/result/compile-images.ts';
import { resultColumn } from '../../binlog/result/result-column.ts';
import type { TableMap } from '../../binlog/table-map-types.ts';
import { quoteName } from '../../sharding/key-range.ts';
import { withSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { ResultReader } from './result-reader.ts';
import { readTableDefinition } from './table-definition.ts';

/** Some rows of a table as a binlog would have them. */
export interface SampledTable {
  readonly map: TableMap;
  /** Row images, one after the other. */
  readonly images: Buffer;
}

/** Samples hold no more than about this. */
const SAMPLE_BYTES = 4 * 1024 * 1024;

/** Reads up to `limit` rows of a table, whichever the server finds first; null when there is no such table. Errors: UMBUS_SOURCE_*, UMBUS_BINLOG_TYPE, UMBUS_BINLOG_CHARSET. */
export async function sampleRows(
  login: MysqlLogin,
  schema: string,
  table: string,
  limit: number,
  signal?: AbortSignal,
): Promise<SampledTable | null> {
  const definition = await withSession(login, signal, session => readTableDefinition(session, schema, table));
  if (definition === null) return null;
  const columns = definition.definitions.map(resultColumn);
  const expressions = columns.map(({ map, select }) => select(quoteName(map.name ?? '')));
  await using reader = await ResultReader.open(login, signal);
  await reader.select(
    `SELECT ${expressions.join(', ')} FROM ${quoteName(schema)}.${quoteName(table)} LIMIT ${limit}`,
  );
  const images = new ImageBuffer();
  await reader.read(images, compileImages(columns), SAMPLE_BYTES, limit);
  return {
    map: {
      tableId: 0,
      schema,
      table,
      columns: columns.map(({ map }) => map),
      primaryKey: definition.primaryKey.map(name => columns.findIndex(({ map }) => map.name === name)),
      named: true,
    },
    images: images.bytes.subarray(0, images.length),
  };
}
