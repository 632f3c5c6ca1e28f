import { HEARTBEAT_TABLE, signalTableStatements } from '../../change/signal-tables.ts';
import { isUmbusError } from '../../core/errors.ts';
import { beatError } from './beat-error.ts';
import { type Check, PROBE_DS } from './check.ts';
import type { SqlSession } from './connect.ts';
import { currentAccount } from './doctor-account.ts';
import type { MysqlSourceOptions } from './options.ts';
import { readBinlogEnd, type ServerFacts, textOf } from './server-facts.ts';

/** Events that are looked through for the probe; others may write at the same time. */
const PROBE_EVENTS = 2000;

/**
 * Looks whether the source takes heartbeats: the table, the privileges, and whether a row that is inserted comes into the binlog (a server may filter schemas out of it, `binlog-do-db`).
 * Inserts one row, which lines ignore, and deletes it.
 */
export async function checkSignals(
  session: SqlSession,
  facts: ServerFacts,
  options: MysqlSourceOptions,
  schema: string,
): Promise<readonly Check[]> {
  const table = `\`${schema.replaceAll('`', '``')}\`.\`${HEARTBEAT_TABLE}\``;
  const account = await currentAccount(session, options);
  const grant = `GRANT SELECT, INSERT, DELETE ON \`${schema.replaceAll('`', '``')}\`.* TO ${account}`;
  const end = await endOf(session, facts);
  const refused = await probe(session, table, schema);
  const denied = refused === 'UMBUS_SOURCE_GRANT';
  // A server looks at privileges first, so who may not insert does not hear that there is no table.
  const missing = refused === 'UMBUS_HEARTBEAT_TABLE' || (denied && !(await isSeen(session, schema)));
  const statements = signalTableStatements(schema);
  const checks: Check[] = [
    {
      item: 'heartbeat table',
      ok: !missing,
      found: missing
        ? `missing, or ${denied ? 'not to be seen' : 'another one'}`
        : `${schema}.${HEARTBEAT_TABLE}`,
      wanted: `${schema}.${HEARTBEAT_TABLE}`,
      why: 'Heartbeats are rows of this table, which travel the way of the data.',
      statement: missing
        ? [statements.schema, statements.heartbeat, statements.watermark, grant].join(';\n')
        : null,
    },
  ];
  if (missing) return checks;
  checks.push({
    item: 'grant INSERT, DELETE',
    ok: !denied,
    found: denied ? 'missing' : 'granted',
    wanted: 'granted',
    why: 'The line inserts heartbeats and deletes old ones.',
    statement: denied ? grant : null,
  });
  if (denied) return checks;
  if (refused !== null) return [...checks, writable(refused)];
  checks.push(await cameBack(session, end, schema));
  return checks;
}

function writable(code: string): Check {
  return {
    item: 'heartbeats',
    ok: 'warn',
    found: code === 'UMBUS_HEARTBEAT_READ_ONLY' ? 'the server is read-only' : code,
    wanted: 'a server that takes writes',
    why: 'A line of a replica gets the heartbeats that are written to its primary; this account cannot beat here.',
    statement: null,
  };
}

/** The end of the binlog; null where the account may not see it, or there is none. */
async function endOf(
  session: SqlSession,
  facts: ServerFacts,
): Promise<{ readonly file: string; readonly position: number } | null> {
  try {
    return await readBinlogEnd(session, facts);
  } catch (error) {
    if (isUmbusError(error)) return null;
    throw error;
  }
}

/** The code of what keeps a row from being inserted and deleted; null for nothing. */
async function probe(session: SqlSession, table: string, schema: string): Promise<string | null> {
  try {
    await session.query(
      `INSERT INTO ${table} (DS_NAME, SCHEMA_NAME, TABLE_NAME, PACKET, CREATE_TIME, UPDATE_TIME) VALUES (?, '', '', '{}', NOW(), NOW())`,
      [PROBE_DS],
    );
    await session.query(`DELETE FROM ${table} WHERE DS_NAME = ?`, [PROBE_DS]);
    return null;
  } catch (cause) {
    const error = beatError(cause, schema);
    if (!isUmbusError(error)) throw error;
    return error.code;
  }
}

/** Whether the account sees the table for heartbeats. */
async function isSeen(session: SqlSession, schema: string): Promise<boolean> {
  const rows = await session.query(
    'SELECT 1 AS seen FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [schema, HEARTBEAT_TABLE],
  );
  return rows.length > 0;
}

async function cameBack(
  session: SqlSession,
  end: Awaited<ReturnType<typeof endOf>>,
  schema: string,
): Promise<Check> {
  const about = {
    item: 'heartbeat in binlog',
    wanted: 'a row that is inserted comes back',
    why: `A server may leave schemas out of its binlog (binlog-do-db, binlog-ignore-db): what is written to ${schema} would never be seen, nor how late the line is.`,
    statement: null,
  };
  if (end === null)
    return { ...about, ok: 'warn', found: 'not looked at: the account may not see the binlog' };
  const file = end.file.replaceAll("'", "''");
  const events = await session.query(
    `SHOW BINLOG EVENTS IN '${file}' FROM ${end.position} LIMIT ${PROBE_EVENTS}`,
  );
  const wanted = `${schema}.${HEARTBEAT_TABLE}`.toLowerCase();
  const seen = events.some(row => textOf(row, 'Info').toLowerCase().includes(wanted));
  if (seen) return { ...about, ok: true, found: 'it came back' };
  const full = events.length >= PROBE_EVENTS;
  return {
    ...about,
    ok: full ? 'warn' : false,
    found: full ? 'not found among the events of a busy server' : 'it did not come',
  };
}
