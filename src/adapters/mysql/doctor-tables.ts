import { textCodec } from '../../binlog/rows/text-value.ts';
import { type Check, listed, type Subscription } from './check.ts';
import type { SqlSession } from './connect.ts';
import { checkSelect } from './doctor-account.ts';
import type { MysqlSourceOptions } from './options.ts';
import { textOf } from './server-facts.ts';

/** A type of MariaDB that is not known. */
const TYPES = new Set(['xmltype']);

interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** The tables that a line subscribes to, as a session sees them. */
export async function subscribedTables(
  session: SqlSession,
  subscription: Subscription,
): Promise<readonly TableName[]> {
  if (subscription.schemas.length === 0) return [];
  const rows = await session.query(
    `SELECT table_schema AS s, table_name AS t FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema IN (?) ORDER BY 1, 2`,
    [subscription.schemas],
  );
  return rows
    .map(row => ({ schema: textOf(row, 's'), table: textOf(row, 't') }))
    .filter(({ schema, table }) => subscription.subscribed(schema, table));
}

function checkTables(subscription: Subscription, tables: readonly TableName[]): readonly Check[] {
  const why = 'A schema without tables that the account can see gives no messages.';
  return subscription.schemas.map(schema => {
    const count = tables.filter(table => table.schema === schema).length;
    return {
      item: `schema ${schema}`,
      ok: count > 0 || 'warn',
      found: count === 1 ? '1 subscribed table' : `${count} subscribed tables`,
      wanted: 'at least one',
      why,
      statement: null,
    };
  });
}

async function checkPrimaryKeys(
  session: SqlSession,
  schemas: readonly string[],
  tables: readonly TableName[],
): Promise<Check> {
  const rows = await session.query(
    `SELECT DISTINCT table_schema AS s, table_name AS t FROM information_schema.statistics
      WHERE index_name = 'PRIMARY' AND table_schema IN (?)`,
    [schemas],
  );
  const keyed = new Set(rows.map(row => `${textOf(row, 's')}.${textOf(row, 't')}`));
  const without = tables.map(({ schema, table }) => `${schema}.${table}`).filter(name => !keyed.has(name));
  return {
    item: 'primary keys',
    ok: without.length === 0 || 'warn',
    found: without.length === 0 ? 'every table has one' : `none in ${listed(without)}`,
    wanted: 'one in every table',
    why: 'Without a key a consumer finds the row of an update by its before image alone.',
    statement: null,
  };
}

async function checkColumns(
  session: SqlSession,
  schemas: readonly string[],
  subscription: Subscription,
): Promise<readonly Check[]> {
  const rows = await session.query(
    `SELECT c.table_schema AS s, c.table_name AS t, c.column_name AS n, c.data_type AS type, c.character_set_name AS charset
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
      WHERE t.table_type = 'BASE TABLE' AND c.table_schema IN (?) AND (c.character_set_name IS NOT NULL OR c.data_type IN (?))
      ORDER BY 1, 2, c.ordinal_position`,
    [schemas, [...TYPES]],
  );
  const columns = rows
    .filter(row => subscription.subscribed(textOf(row, 's'), textOf(row, 't')))
    .map(row => ({
      name: `${textOf(row, 's')}.${textOf(row, 't')}.${textOf(row, 'n')}`,
      type: textOf(row, 'type').toLowerCase(),
      charset: textOf(row, 'charset').toLowerCase(),
    }));
  const foreign = columns
    .filter(({ charset }) => charset !== '' && charset !== 'binary' && !isDecoded(charset))
    .map(({ name, charset }) => `${name} (${charset})`);
  const asBytes = columns.filter(({ type }) => TYPES.has(type)).map(({ name, type }) => `${name} (${type})`);
  return [
    {
      item: 'character sets',
      ok: foreign.length === 0 || 'warn',
      found: foreign.length === 0 ? 'all decoded' : `not decoded yet: ${listed(foreign)}`,
      wanted: 'any of MySQL 9 and MariaDB 11',
      why: 'A table with such a column is parked until it can be decoded; the others go on.',
      statement: null,
    },
    {
      item: 'column types',
      ok: asBytes.length === 0 || 'warn',
      found: asBytes.length === 0 ? 'all decoded' : `as other types: ${listed(asBytes)}`,
      wanted: 'no XMLTYPE columns',
      why: 'The binlog does not tell this type from others, so its values come as what they look like.',
      statement: null,
    },
  ];
}

/** Whether text of a character set is decoded. `utf8`: the old name of utf8mb3. */
function isDecoded(charset: string): boolean {
  return charset === 'utf8' || textCodec(charset) !== null;
}

/** Looks at the tables that a line subscribes to: that they exist, may be read, have keys, and can be decoded. */
export async function checkSubscription(
  session: SqlSession,
  options: MysqlSourceOptions,
  subscription: Subscription,
): Promise<readonly Check[]> {
  const { schemas } = subscription;
  if (schemas.length === 0) return [];
  const tables = await subscribedTables(session, subscription);
  return [
    ...(await checkSelect(session, options, tables)),
    ...checkTables(subscription, tables),
    await checkPrimaryKeys(session, schemas, tables),
    ...(await checkColumns(session, schemas, subscription)),
  ];
}
