import { randomUUID } from 'node:crypto';
import { signalTableStatements, WATERMARK_TABLE } from '../../change/signal-tables.ts';
import { isUmbusError } from '../../core/errors.ts';
import { quoteName } from '../../sharding/key-range.ts';
import { type Check, PROBE_DS, type Subscription } from './check.ts';
import { type SqlSession, withSession } from './connect.ts';
import { currentAccount } from './doctor-account.ts';
import { checkReplica } from './doctor-replica.ts';
import type { MysqlLogin } from './options.ts';
import type { PullReplica } from './pull-replica.ts';
import { hasWatermarkTable, insertWatermarkSql } from './watermark-table.ts';

/** What {@link examinePulls} needs besides the source. */
export interface ExaminePullsOptions extends Subscription {
  /** Where rows are read; null: in the source. */
  readonly replica: PullReplica | null;
  /** Schema of umbus's own tables. */
  readonly signals: string;
  /** Whether the line file asks for pulls: what they lack must change then, and is a warning else. */
  readonly needed: boolean;
  readonly signal?: AbortSignal;
}

const MISSING = new Set([1049, 1146]);

/**
 * Looks whether full pulls can do their work: write watermarks into the source, and read the replica that the line names. Changes nothing; with a replica it inserts a row that lines ignore, looks whether it comes there, and
 * deletes it where it may. Errors: UMBUS_SOURCE_UNREACHABLE, UMBUS_SOURCE_AUTH of the source; what a replica lacks is a check that is not ok.
 */
export function examinePulls(source: MysqlLogin, options: ExaminePullsOptions): Promise<readonly Check[]> {
  const { replica, signals, needed, signal } = options;
  return withSession(source, signal, async session => {
    const watermarks = await checkWatermarks(session, source, signals, needed);
    if (replica === null) return [watermarks];
    const made = await hasWatermarkTable(session, signals);
    const mark = made ? await writeMark(session, signals) : null;
    try {
      return [watermarks, ...(await checkReplica(session, replica, { ...options, mark, made }))];
    } finally {
      if (mark !== null) await removeMark(session, signals);
    }
  });
}

/** Asks the server what the insert of a watermark would do, for which it takes the privilege and does nothing. */
async function checkWatermarks(
  session: SqlSession,
  source: MysqlLogin,
  schema: string,
  needed: boolean,
): Promise<Check> {
  const statements = signalTableStatements(schema);
  const about = {
    item: 'pull watermarks',
    wanted: `INSERT into ${schema}.${WATERMARK_TABLE}`,
    why: 'Full pulls write a row here before and after they read others, which says where these stand in the stream.',
    statement: null,
  };
  const grant = `GRANT SELECT, INSERT, DELETE ON ${quoteName(schema)}.* TO ${await currentAccount(session, source)}`;
  const lacking = {
    ...about,
    ok: needed ? (false as const) : ('warn' as const),
    code: 'UMBUS_SOURCE_GRANT' as const,
  };
  try {
    await session.query(`EXPLAIN ${insertWatermarkSql(schema)}`, [PROBE_DS, 'check', '', '']);
    return { ...about, ok: true, found: 'granted' };
  } catch (error) {
    if (!isUmbusError(error)) throw error;
    if (error.code === 'UMBUS_SOURCE_GRANT') {
      const all = [statements.schema, statements.watermark, grant].join(';\n');
      return { ...lacking, found: 'missing', statement: all };
    }
    if (!MISSING.has(Number(error.details['errno']))) throw error;
  }
  const mayMake = await mayCreate(session, schema);
  const found = `the table is not there yet${mayMake ? '; the account may make it' : ', and the account may not make it'}`;
  if (mayMake) return { ...about, ok: true, found };
  return { ...lacking, found, statement: [statements.schema, statements.watermark, grant].join(';\n') };
}

/** Whether grants name the privileges to make a table in a schema, and to write to it. Roles are not followed. */
async function mayCreate(session: SqlSession, schema: string): Promise<boolean> {
  const grants = (await session.query('SHOW GRANTS')).flatMap(row => Object.values(row).map(String));
  const own = grants.filter(grant => {
    const [, on = ''] = /^GRANT .* ON (\S+) TO /.exec(grant) ?? [];
    return on === '*.*' || on.toLowerCase() === `${quoteName(schema)}.*`.toLowerCase();
  });
  const has = (privilege: string): boolean =>
    own.some(grant => new RegExp(`^GRANT (?:.*, )?(?:ALL PRIVILEGES|${privilege})(?:,| ON )`).test(grant));
  return has('CREATE') && has('INSERT');
}

/** Writes a row as watermarks are, and gives its token; null where it cannot be written. */
async function writeMark(session: SqlSession, schema: string): Promise<string | null> {
  const token = randomUUID();
  try {
    await session.query(insertWatermarkSql(schema), [PROBE_DS, 'check', token, '']);
    return token;
  } catch (error) {
    if (isUmbusError(error)) return null;
    throw error;
  }
}

async function removeMark(session: SqlSession, schema: string): Promise<void> {
  try {
    await session.query(`DELETE FROM ${quoteName(schema)}.${quoteName(WATERMARK_TABLE)} WHERE ds = ?`, [
      PROBE_DS,
    ]);
  } catch (error) {
    // Pulls need no privilege to delete, so the row may have to stay.
    if (!isUmbusError(error)) throw error;
  }
}
