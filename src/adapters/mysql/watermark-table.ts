import { WATERMARK_TABLE } from '../../change/signal-tables.ts';
import { quoteName } from '../../sharding/key-range.ts';
import type { SqlSession } from './connect.ts';

/** Whether the table of watermarks is in this schema, as far as the account sees. Errors: UMBUS_SOURCE_*. */
export async function hasWatermarkTable(session: SqlSession, schema: string): Promise<boolean> {
  const rows = await session.query(
    'SELECT 1 AS there FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [schema, WATERMARK_TABLE],
  );
  return rows.length > 0;
}

/** The statement that writes a watermark now; its parameters are the data source, kind, token and packet. */
export function insertWatermarkSql(schema: string): string {
  return `INSERT INTO ${quoteName(schema)}.${quoteName(WATERMARK_TABLE)} (ds, kind, token, packet, create_time) VALUES (?, ?, ?, ?, NOW(6))`;
}
