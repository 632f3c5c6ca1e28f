import { SqlReader } from '../binlog/sql-tokens.ts';
import { emptiedByServer } from '../binlog/statement.ts';

/** What a statement did to the rows of whole tables, which no row event says. */
export type Emptied =
  | {
      readonly reason: 'truncate' | 'drop';
      /** Null: the session's default schema. */
      readonly schema: string | null;
      readonly table: string;
    }
  /** DROP DATABASE: every table of the schema. */
  | { readonly reason: 'drop'; readonly schema: string; readonly table: null };

/**
 * Finds the tables that a statement empties: TRUNCATE TABLE, DROP TABLE, DROP DATABASE and MariaDB's CREATE OR REPLACE TABLE, and what the
 * server says of a MEMORY table after a restart. Any other text gives none;
 * temporary tables are left out, since they are not in the binlog.
 */
export function emptiedTables(sql: string): readonly Emptied[] {
  const reader = new SqlReader(sql);
  switch (reader.next().word) {
    case 'TRUNCATE':
      reader.skip('TABLE');
      return tables(reader, 'truncate');
    case 'DELETE': {
      const emptied = emptiedByServer(sql);
      return emptied === null ? [] : [{ reason: 'truncate', ...emptied }];
    }
    case 'DROP':
      return dropped(reader);
    case 'CREATE':
      if (!reader.skip('OR') || !reader.skip('REPLACE') || !reader.skip('TABLE')) return [];
      return tables(reader, 'drop').slice(0, 1);
    default:
      return [];
  }
}

function dropped(reader: SqlReader): readonly Emptied[] {
  if (reader.skip('TABLE') || reader.skip('TABLES')) {
    if (reader.skip('IF')) reader.skip('EXISTS');
    return tables(reader, 'drop');
  }
  if (!reader.skip('DATABASE') && !reader.skip('SCHEMA')) return [];
  if (reader.skip('IF')) reader.skip('EXISTS');
  const { name } = reader.next();
  return name === null ? [] : [{ reason: 'drop', schema: name, table: null }];
}

/** Names with or without a schema, divided by commas. */
function tables(reader: SqlReader, reason: 'truncate' | 'drop'): Emptied[] {
  const emptied: Emptied[] = [];
  do {
    const name = reader.tableName();
    if (name === null) break;
    emptied.push({ reason, ...name });
  } while (reader.skip(','));
  return emptied;
}
