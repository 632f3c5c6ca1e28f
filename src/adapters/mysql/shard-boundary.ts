import type { Buffer } from 'node:buffer';
import type { RowDataPacket } from 'mysql2/promise';
import { keyLiteral } from '../../sharding/key-column.ts';
import type { KeyLiterals } from '../../sharding/key-range.ts';
import type { SplitKey } from '../../sharding/split-key.ts';
import type { SqlSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { sourceError } from './source-error.ts';

/**
 * The key that a statement of `boundarySql` gives, as literals; null for no row. The session is one with PULL_SESSION_SQL, so that text comes in the bytes of its column.
 * Errors: UMBUS_SOURCE_*, UMBUS_PULL_KEY.
 */
export async function readKey(
  session: SqlSession,
  login: MysqlLogin,
  key: SplitKey,
  sql: string,
): Promise<KeyLiterals | null> {
  let rows: RowDataPacket[][];
  try {
    [rows] = await session.driver.query<RowDataPacket[][]>({
      sql,
      rowsAsArray: true,
      typeCast: field => field.buffer(),
    });
  } catch (error) {
    throw sourceError(error, login, 'cutting a table into shards');
  }
  const [row] = rows;
  // typeCast gives buffers, and null for NULL alone, which no key column is.
  return row === undefined
    ? null
    : key.columns.map((column, i) => keyLiteral(column, row[i] as unknown as Buffer));
}
