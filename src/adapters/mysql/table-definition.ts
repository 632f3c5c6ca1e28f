import type { ColumnDefinition } from '../../binlog/result/result-column.ts';
import type { SourceIndex, SourceTable } from '../../sharding/split-key.ts';
import type { SqlRow, SqlSession } from './connect.ts';

/** A table as information_schema tells it now. */
export interface TableDefinition extends SourceTable {
  readonly definitions: readonly ColumnDefinition[];
  /** Names of the primary key's columns in key order; [] without one. */
  readonly primaryKey: readonly string[];
  /** The server's own estimate; 0 when it has none. */
  readonly rowsEstimate: number;
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);
const numberOrNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value);

/** Reads a base table's definition; null when there is none of that name, or the account may not see it. Errors: UMBUS_SOURCE_*. */
export async function readTableDefinition(
  session: SqlSession,
  schema: string,
  table: string,
): Promise<TableDefinition | null> {
  const [found] = await session.query(
    `SELECT table_rows AS estimate FROM information_schema.tables
      WHERE table_schema = ? AND table_name = ? AND table_type = 'BASE TABLE'`,
    [schema, table],
  );
  if (found === undefined) return null;
  const columns = await session.query(
    `SELECT column_name AS name, data_type AS dataType, column_type AS columnType, is_nullable AS nullable,
            character_set_name AS charset, collation_name AS collation, numeric_precision AS digits,
            numeric_scale AS scale, datetime_precision AS fraction, character_octet_length AS octets
       FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
    [schema, table],
  );
  const parts = await session.query(
    `SELECT index_name AS name, non_unique AS repeats, column_name AS columnName, sub_part AS part
       FROM information_schema.statistics WHERE table_schema = ? AND table_name = ?
      ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index`,
    [schema, table],
  );
  const indexes = indexesOf(parts);
  return {
    schema,
    table,
    columns: columns.map(row => ({
      name: text(row['name']),
      dataType: text(row['dataType']).toLowerCase(),
      nullable: text(row['nullable']) === 'YES',
      charset: textOrNull(row['charset']),
      collation: textOrNull(row['collation']),
    })),
    definitions: columns.map(definitionOf),
    indexes,
    primaryKey: indexes.find(({ name }) => name === 'PRIMARY')?.columns.map(({ name }) => name ?? '') ?? [],
    rowsEstimate: Number(found['estimate'] ?? 0),
  };
}

function definitionOf(row: SqlRow): ColumnDefinition {
  return {
    name: text(row['name']),
    dataType: text(row['dataType']).toLowerCase(),
    columnType: text(row['columnType']),
    nullable: text(row['nullable']) === 'YES',
    charset: textOrNull(row['charset']),
    precision: numberOrNull(row['digits']),
    scale: numberOrNull(row['scale']),
    fraction: numberOrNull(row['fraction']),
    octets: numberOrNull(row['octets']),
  };
}

function indexesOf(parts: readonly SqlRow[]): SourceIndex[] {
  const columns = new Map<string, { name: string | null; whole: boolean }[]>();
  const unique = new Map<string, boolean>();
  for (const row of parts) {
    const index = text(row['name']);
    const own = columns.get(index) ?? [];
    columns.set(index, own);
    unique.set(index, Number(row['repeats']) === 0);
    own.push({ name: textOrNull(row['columnName']), whole: row['part'] === null });
  }
  return [...columns].map(([name, own]) => ({ name, unique: unique.get(name) ?? false, columns: own }));
}
