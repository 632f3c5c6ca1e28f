import { SqlReader } from '../binlog/sql-tokens.ts';
import { emptiedByServer } from '../binlog/statement.ts';
import { type AlterStatement, readAlter } from './alter-statement.ts';

/** A table as a statement names it. */
export interface StatementTable {
  /** Null: the session's default schema. */
  readonly schema: string | null;
  readonly table: string;
}

/** What a statement does to whole tables, which no row event says. */
export type TableStatement =
  | { readonly kind: 'truncate' | 'drop'; readonly tables: readonly StatementTable[] }
  | { readonly kind: 'drop-schema'; readonly schema: string }
  /** `replace`: MariaDB's CREATE OR REPLACE, which drops a table of that name first. */
  | { readonly kind: 'create'; readonly table: StatementTable; readonly replace: boolean }
  /** One after the other: a name that one step frees, the next may take. */
  | {
      readonly kind: 'rename';
      readonly steps: readonly { readonly from: StatementTable; readonly to: StatementTable }[];
    }
  | AlterStatement;

/**
 * Reads a statement of the binlog: TRUNCATE, DROP, CREATE, RENAME and ALTER of tables, and DROP DATABASE. What the server says of a MEMORY table that it has emptied after a restart counts as TRUNCATE.
 * Null for any other text, and for temporary tables, views and the like,
 * whose rows are not in the binlog. Looks no further than names and the words that matter, so there is no SQL grammar here that could be wrong about a column.
 */
export function tableStatement(sql: string): TableStatement | null {
  const reader = new SqlReader(sql);
  switch (reader.next().word) {
    case 'TRUNCATE':
      reader.skip('TABLE');
      return withTables('truncate', tables(reader));
    case 'DELETE': {
      const emptied = emptiedByServer(sql);
      return emptied === null ? null : { kind: 'truncate', tables: [emptied] };
    }
    case 'DROP':
      return dropped(reader);
    case 'CREATE':
      return created(reader);
    case 'RENAME':
      return reader.skip('TABLE') || reader.skip('TABLES') ? renamed(reader) : null;
    case 'ALTER':
      return readAlter(reader);
    default:
      return null;
  }
}

function dropped(reader: SqlReader): TableStatement | null {
  if (reader.skip('TABLE') || reader.skip('TABLES')) {
    skipIfExists(reader);
    return withTables('drop', tables(reader));
  }
  if (!reader.skip('DATABASE') && !reader.skip('SCHEMA')) return null;
  skipIfExists(reader);
  const { name } = reader.next();
  return name === null ? null : { kind: 'drop-schema', schema: name };
}

function created(reader: SqlReader): TableStatement | null {
  const replace = reader.skip('OR') && reader.skip('REPLACE');
  if (!reader.skip('TABLE')) return null;
  if (reader.skip('IF')) {
    reader.skip('NOT');
    reader.skip('EXISTS');
  }
  const table = reader.tableName();
  return table === null ? null : { kind: 'create', table, replace };
}

/** `a TO b, c TO d`; MariaDB may have `IF EXISTS` in front, and `WAIT n` or `NOWAIT` behind a name. */
function renamed(reader: SqlReader): TableStatement | null {
  skipIfExists(reader);
  const steps: { from: StatementTable; to: StatementTable }[] = [];
  do {
    const from = reader.tableName();
    while (!reader.done && !reader.skip('TO')) reader.next();
    const to = reader.tableName();
    if (from === null || to === null) break;
    steps.push({ from, to });
  } while (reader.skip(','));
  return steps.length === 0 ? null : { kind: 'rename', steps };
}

/** Names divided by commas. */
function tables(reader: SqlReader): readonly StatementTable[] {
  const named: StatementTable[] = [];
  do {
    const name = reader.tableName();
    if (name === null) break;
    named.push(name);
  } while (reader.skip(','));
  return named;
}

function withTables(kind: 'truncate' | 'drop', named: readonly StatementTable[]): TableStatement | null {
  return named.length === 0 ? null : { kind, tables: named };
}

function skipIfExists(reader: SqlReader): void {
  if (reader.skip('IF')) reader.skip('EXISTS');
}
