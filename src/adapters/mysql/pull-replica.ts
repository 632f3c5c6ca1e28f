import { setTimeout as delay } from 'node:timers/promises';
import { WATERMARK_TABLE } from '../../change/signal-tables.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import { quoteName } from '../../sharding/key-range.ts';
import type { SqlSession } from './connect.ts';
import type { KeptSession } from './kept-session.ts';
import type { MysqlLogin } from './options.ts';
import { textOf } from './server-facts.ts';

/** A replica of the source, for reading rows. */
export interface PullReplica {
  readonly login: MysqlLogin;
  /** How long a watermark may take to come there. */
  readonly timeoutMs: number;
}

const LOOK_MS = 20;
/** Among which a watermark is looked for that has just come; the table has no index for it. */
const NEWEST_ROWS = 1000;
/** The table is not there, or its schema: it comes with the watermark. */
const MISSING = new Set([1049, 1146]);

/**
 * Refuses a replica that may show a transaction before one that its source committed earlier: a watermark there would not say that all before it is there too. Errors: UMBUS_SOURCE_SETTING,
 * UMBUS_SOURCE_*.
 */
export async function assertInOrder(session: SqlSession): Promise<void> {
  const rows = await session.query("SHOW GLOBAL VARIABLES LIKE '%preserve_commit_order'");
  const workers = await session.query("SHOW GLOBAL VARIABLES LIKE '%parallel_workers'");
  const parallel = workers.some(row => Number(textOf(row, 'Value')) > 1);
  if (!parallel || !rows.some(row => textOf(row, 'Value').toUpperCase() === 'OFF')) return;
  throw new UmbusError(
    'UMBUS_SOURCE_SETTING',
    'The replica that pulls read from commits in another order than its source: set replica_preserve_commit_order = ON there.',
  );
}

/** Waits until a watermark has come to a replica, by the session that asks it. Errors: UMBUS_PULL_REPLICA when it takes too long; UMBUS_SOURCE_*; the signal's reason. */
export async function untilThere(
  asking: KeptSession,
  replica: PullReplica,
  watermark: { readonly schema: string; readonly ds: string; readonly token: string },
  signal: AbortSignal,
): Promise<void> {
  const { schema, ds, token } = watermark;
  const newest = `SELECT ds, token FROM ${quoteName(schema)}.${quoteName(WATERMARK_TABLE)} ORDER BY id DESC LIMIT ${NEWEST_ROWS}`;
  const sql = `SELECT 1 AS there FROM (${newest}) AS newest WHERE ds = ? AND token = ? LIMIT 1`;
  await untilFound(replica, 'A watermark of a pull', async () => {
    signal.throwIfAborted();
    return (await asking.use(session => isThere(session, sql, [ds, token]))) ? true : null;
  });
}

/** Looks on a replica until something of the source is there; `what`: as a sentence begins with it. Errors: UMBUS_PULL_REPLICA when it takes too long; those of `look`. */
export async function untilFound<T>(
  { login: { host, port, user }, timeoutMs }: PullReplica,
  what: string,
  look: () => Promise<T | null>,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > until) {
      throw new UmbusError(
        'UMBUS_PULL_REPLICA',
        `${what} did not come to the replica ${host}:${port} within ${timeoutMs} ms, or '${user}' may not see it there.`,
        { details: { host, port } },
      );
    }
    await delay(LOOK_MS);
  }
}

async function isThere(session: SqlSession, sql: string, values: readonly unknown[]): Promise<boolean> {
  try {
    return (await session.query(sql, values)).length > 0;
  } catch (error) {
    if (isUmbusError(error) && MISSING.has(Number(error.details['errno']))) return false;
    throw error;
  }
}
