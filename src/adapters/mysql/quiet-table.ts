import { isUmbusError, UmbusError } from '../../core/errors.ts';
import { quoteName } from '../../sharding/key-range.ts';
import { connectSql, type SqlSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { accountOf } from './source-error.ts';

/** Whoever wants to change the table waits behind the one who waits for its lock, so nobody waits for it for long. */
const LOCK_WAIT_S = 3;
/** ER_LOCK_WAIT_TIMEOUT */
const LOCK_WAIT_TIMEOUT = 1205;

/**
 * Does something while a lock keeps others from changing rows of a table; null when the lock was not to be had within three seconds, because of a transaction that goes on for longer. The lock ends with the work. Errors:
 * UMBUS_SOURCE_GRANT, UMBUS_SOURCE_*; those of the work.
 */
export async function whileQuiet<T>(
  login: MysqlLogin,
  { schema, table }: { readonly schema: string; readonly table: string },
  work: () => Promise<T>,
): Promise<T | null> {
  const session = await connectSql(login);
  try {
    await session.query(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_S}`);
    if (!(await isLocked(session, login, schema, table))) return null;
    const done = await work();
    await session.query('UNLOCK TABLES');
    return done;
  } finally {
    // The lock ends with its session.
    session.destroy();
  }
}

async function isLocked(
  session: SqlSession,
  login: MysqlLogin,
  schema: string,
  table: string,
): Promise<boolean> {
  try {
    await session.query(`LOCK TABLES ${quoteName(schema)}.${quoteName(table)} READ`);
    return true;
  } catch (error) {
    if (isUmbusError(error) && Number(error.details['errno']) === LOCK_WAIT_TIMEOUT) return false;
    if (!isUmbusError(error, 'UMBUS_SOURCE_GRANT')) throw error;
    throw new UmbusError(
      'UMBUS_SOURCE_GRANT',
      `The account '${login.user}' may not lock ${schema}.${table}, which has no key and is to be read while nothing of it changes. Run: GRANT SELECT, LOCK TABLES ON ${quoteName(schema)}.* TO ${accountOf(login)};`,
      { cause: error, details: error.details },
    );
  }
}
