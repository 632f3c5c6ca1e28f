import type { SqlSession } from '../../../src/adapters/mysql/connect.ts';

/** A column as the server has it now. */
export interface SeenColumn {
  readonly name: string;
  /** `int`, `varchar`. */
  readonly type: string;
  /** With all that belongs to it: `int(10) unsigned`. */
  readonly whole: string;
  readonly inPrimaryKey: boolean;
}

/** A table as the server has it now. */
export interface SeenTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SeenColumn[];
}

/** The tables of some schemas, in the order of their names. */
export async function seenTables(
  session: SqlSession,
  schemas: readonly string[],
): Promise<readonly SeenTable[]> {
  const rows = await session.query(
    `SELECT c.table_schema AS s, c.table_name AS t, column_name AS n, data_type AS d, column_type AS w, column_key AS k
       FROM information_schema.columns c JOIN information_schema.tables b ON b.table_schema = c.table_schema AND b.table_name = c.table_name
      WHERE c.table_schema IN (?) AND b.table_schema IN (?) AND b.table_type = 'BASE TABLE' ORDER BY c.table_schema, c.table_name, ordinal_position`,
    [schemas, schemas],
  );
  const tables = new Map<string, SeenTable & { readonly columns: SeenColumn[] }>();
  for (const row of rows) {
    const [schema, name] = [String(row['s']), String(row['t'])];
    const key = `${schema}.${name}`;
    const table = tables.get(key) ?? { schema, name, columns: [] };
    tables.set(key, table);
    table.columns.push({
      name: String(row['n']),
      type: String(row['d']).toLowerCase(),
      whole: String(row['w']),
      inPrimaryKey: row['k'] === 'PRI',
    });
  }
  return [...tables.values()];
}

/** A name in backquotes. */
export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** A table's full name in backquotes. */
export const fullName = ({ schema, name }: Pick<SeenTable, 'schema' | 'name'>): string =>
  `${quoted(schema)}.${quoted(name)}`;
