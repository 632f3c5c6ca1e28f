import { isUmbusError } from '../../core/errors.ts';
import type { DescribedTable, DescribedTables, DescribeRequest } from '../../ports/change-source.ts';
import { type SqlSession, withSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { readBinlogEnd, readFacts, textOf } from './server-facts.ts';

/** A definition that is under way is waited for no longer than this. */
const LOCK_WAIT_S = 10;

/**
 * The definitions of base tables, as SHOW CREATE TABLE gives them. The statement waits for the metadata lock of the table, which every change of its definition holds until it
 * is both in force and in the binlog: so what it shows is what the binlog says up to some place before its end, which is asked for afterwards.
 * Errors: those of {@link withSession}; UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING for the end of the binlog.
 */
export function describeTables(
  login: MysqlLogin,
  { schemas, also }: DescribeRequest,
  signal: AbortSignal,
): Promise<DescribedTables> {
  return withSession(login, signal, async session => {
    const facts = await readFacts(session);
    await session.query(
      `SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION lock_wait_timeout = ${LOCK_WAIT_S}`,
    );
    const rows =
      schemas.length === 0
        ? []
        : await session.query(
            `SELECT table_schema AS s, table_name AS t FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema IN (?) ORDER BY 1, 2`,
            [schemas],
          );
    const names = rows.map(row => ({ schema: textOf(row, 's'), table: textOf(row, 't') }));
    const listed = names.some(name => name.schema === also?.schema && name.table === also.table);
    if (also !== null && !listed) names.push(also);
    const tables: DescribedTable[] = [];
    for (const name of names) tables.push({ ...name, sql: await definitionOf(session, name) });
    const defaults =
      schemas.length === 0
        ? []
        : await session.query(
            'SELECT schema_name AS s, default_character_set_name AS c FROM information_schema.schemata WHERE schema_name IN (?)',
            [schemas],
          );
    return {
      tables,
      schemas: defaults.map(row => ({ schema: textOf(row, 's'), charset: textOf(row, 'c') })),
      end: await readBinlogEnd(session, facts),
    };
  });
}

async function definitionOf(
  session: SqlSession,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<string | null> {
  const quoted = [schema, table].map(name => `\`${name.replaceAll('`', '``')}\``).join('.');
  try {
    const [row] = await session.query(`SHOW CREATE TABLE ${quoted}`);
    const sql = textOf(row, 'Create Table');
    return sql === '' ? null : sql;
  } catch (error) {
    // Gone meanwhile, or not to be seen. A lock that is not given in time is an error that passes.
    if (
      isUmbusError(error, 'UMBUS_SOURCE_GRANT') ||
      (isUmbusError(error) && isGone(error.details['errno']))
    ) {
      return null;
    }
    throw error;
  }
}

/** ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE, ER_TABLEACCESS_DENIED_ERROR. */
function isGone(errno: unknown): boolean {
  return errno === 1049 || errno === 1146 || errno === 1142;
}
