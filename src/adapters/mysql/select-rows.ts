import type { Buffer } from 'node:buffer';
import type { RowDataPacket } from 'mysql2/promise';
import type { UmsValue } from '../../ums/types.ts';
import type { SqlSession } from './connect.ts';

/** One column as information_schema tells it. */
interface SourceColumn {
  readonly name: string;
  readonly dataType: string;
}

/** A table's rows as the server itself answers, in the values that UMS uses. */
export interface SelectedTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly UmsValue[])[];
}

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** FLOAT is asked for as DOUBLE and BIT as a number, since the server's text of the first is rounded and of the second is bytes. */
function expression(column: SourceColumn): string {
  const name = quoted(column.name);
  switch (column.dataType) {
    case 'float':
      // MySQL 5.6 cannot cast to DOUBLE.
      return `(${name} + 0e0)`;
    case 'bit':
      return `cast(${name} as unsigned)`;
    default:
      return name;
  }
}

const numeric = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'year', 'double']);
const binary = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);

/** The UMS value of a column's text as the server sent it; the rules of ums-schema/README.md. */
function umsValue(column: SourceColumn, unsigned: boolean, bitWidth: number, bytes: Buffer): UmsValue {
  if (binary.has(column.dataType)) return bytes.toString('base64');
  const text = bytes.toString('utf8');
  if (column.dataType === 'float') return Math.fround(Number(text));
  if (column.dataType === 'int' && unsigned) return text;
  if (column.dataType === 'bit') return bitWidth < 32 ? Number(text) : text;
  return numeric.has(column.dataType) ? Number(text) : text;
}

/**
 * Reads a whole table through one ordinary SELECT, in UTC. For comparing a result topic with its source; the rows are held in memory.
 * Errors: those of the driver.
 */
export async function selectTable(
  session: SqlSession,
  schema: string,
  table: string,
): Promise<SelectedTable> {
  await session.query("SET time_zone = '+00:00', NAMES utf8mb4");
  const columns = await session.query(
    `SELECT column_name AS name, data_type AS dataType, column_type AS columnType
       FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
    [schema, table],
  );
  const facts = columns.map(column => ({
    name: String(column['name']),
    dataType: String(column['dataType']).toLowerCase(),
    unsigned: String(column['columnType']).includes('unsigned'),
    bitWidth: Number(/\((\d+)\)/.exec(String(column['columnType']))?.[1] ?? 1),
  }));
  const sql = `SELECT ${facts.map(expression).join(', ')} FROM ${quoted(schema)}.${quoted(table)}`;
  const [rows] = await session.driver.query<RowDataPacket[][]>({
    sql,
    rowsAsArray: true,
    typeCast: field => field.buffer(),
  });
  return {
    columns: facts.map(fact => fact.name),
    rows: rows.map(row =>
      facts.map((fact, i) => {
        const bytes: unknown = row[i];
        return bytes === null || bytes === undefined
          ? null
          : umsValue(fact, fact.unsigned, fact.bitWidth, bytes as Buffer);
      }),
    ),
  };
}

/** The base tables of a schema, by name. */
export async function baseTables(
  session: Pick<SqlSession, 'query'>,
  schema: string,
): Promise<readonly string[]> {
  const rows = await session.query(
    `SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY table_name`,
    [schema],
  );
  return rows.map(row => String(row['name']));
}
