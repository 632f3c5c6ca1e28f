import { isUmbusError } from '../../core/errors.ts';
import type { Check } from './check.ts';
import type { SqlRow, SqlSession } from './connect.ts';
import type { MysqlLogin, MysqlSourceOptions } from './options.ts';
import { replicaUuid } from './replica-uuid.ts';
import { type ServerFacts, textOf } from './server-facts.ts';
import { accountOf } from './source-error.ts';

/** The account as the server matched it, quoted for a GRANT. */
export async function currentAccount(session: SqlSession, options: MysqlLogin): Promise<string> {
  const [row] = await session.query('SELECT CURRENT_USER() AS account');
  const account = textOf(row, 'account');
  const at = account.lastIndexOf('@');
  if (at < 0) return accountOf(options);
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return `${quoted(account.slice(0, at))}@${quoted(account.slice(at + 1))}`;
}

/** Rows of a statement, or null when the account may not run it. Any other failure is thrown. */
async function allowed(session: SqlSession, sql: string): Promise<readonly SqlRow[] | null> {
  try {
    return await session.query(sql);
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_SOURCE_GRANT')) return null;
    throw error;
  }
}

function replicasStatement(facts: ServerFacts): string {
  const old =
    facts.identity.flavor === 'mariadb' || /^(5\.|8\.0\.([01]?\d|2[01])\b)/.test(facts.identity.version);
  return old ? 'SHOW SLAVE HOSTS' : 'SHOW REPLICAS';
}

/** Connected replicas, or null when the account may not see them. */
export function readReplicas(session: SqlSession, facts: ServerFacts): Promise<readonly SqlRow[] | null> {
  return allowed(session, replicasStatement(facts));
}

/** On MySQL listing replicas takes the very privilege; on MariaDB it takes another, so the account's grants are read. */
async function mayReplicate(
  session: SqlSession,
  facts: ServerFacts,
  replicas: readonly SqlRow[] | null,
): Promise<boolean> {
  if (facts.identity.flavor === 'mysql') return replicas !== null;
  const grants = (await session.query('SHOW GRANTS')).flatMap(row => Object.values(row).map(String));
  return grants.some(grant =>
    /^GRANT .*(ALL PRIVILEGES|REPLICATION SLAVE(?! ADMIN)).* ON \*\.\*/.test(grant),
  );
}

function grantCheck(privilege: string, has: boolean, why: string, account: string, on = '*.*'): Check {
  return {
    item: `grant ${privilege}`,
    ok: has,
    found: has ? 'granted' : 'missing',
    wanted: 'granted',
    why,
    statement: has ? null : `GRANT ${privilege} ON ${on} TO ${account}`,
  };
}

/** Looks at what the account may do: read the binlog, and list its files. */
export async function checkGrants(
  session: SqlSession,
  facts: ServerFacts,
  options: MysqlSourceOptions,
  replicas: readonly SqlRow[] | null,
): Promise<readonly Check[]> {
  const account = await currentAccount(session, options);
  const mayList =
    facts.variables.get('log_bin') !== 'ON' || (await allowed(session, 'SHOW BINARY LOGS')) !== null;
  return [
    grantCheck(
      'REPLICATION SLAVE',
      await mayReplicate(session, facts, replicas),
      'The server ships its binlog to accounts with this privilege alone.',
      account,
    ),
    grantCheck(
      'REPLICATION CLIENT',
      mayList,
      'The line lists binlog files to know whether its place is still there. On MariaDB the privilege is also called BINLOG MONITOR.',
      account,
    ),
  ];
}

/** Looks whether the schemas' tables may be read. One table tells for its schema. */
export async function checkSelect(
  session: SqlSession,
  options: MysqlLogin,
  tables: readonly { readonly schema: string; readonly table: string }[],
): Promise<readonly Check[]> {
  const refused = new Set<string>();
  const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;
  for (const { schema, table } of tables) {
    if (refused.has(schema)) continue;
    const rows = await allowed(session, `SELECT 1 FROM ${quoted(schema)}.${quoted(table)} LIMIT 0`);
    if (rows === null) refused.add(schema);
  }
  const account = await currentAccount(session, options);
  const why =
    'Whole tables are pulled and results compared with SELECT, and the server shows definitions of tables to those who have it: the line asks for them where the binlog does not name columns.';
  if (refused.size === 0) return [grantCheck('SELECT', true, why, account)];
  return [...refused].map(schema => grantCheck('SELECT', false, why, account, `${quoted(schema)}.*`));
}

/** Looks whether another replica, or the server itself, has the line's server id. */
export function checkServerId(
  facts: ServerFacts,
  options: MysqlSourceOptions,
  replicas: readonly SqlRow[] | null,
): Check {
  const found = String(options.serverId);
  const item = 'server id';
  const why = 'The server cuts the older of two replicas with one id, so they would cut each other for ever.';
  if (facts.serverId === options.serverId) {
    return {
      item,
      ok: false,
      found: `${found}, the server's own`,
      wanted: 'one of its own',
      why,
      statement: null,
    };
  }
  const same = (replicas ?? []).filter(
    row => Number(row['Server_Id'] ?? row['Server_id']) === options.serverId,
  );
  const foreign = same.some(row => {
    const uuid = textOf(row, 'Replica_UUID') || textOf(row, 'Slave_UUID');
    return uuid !== '' && uuid.toLowerCase() !== replicaUuid(options.serverId);
  });
  if (foreign) {
    return {
      item,
      ok: false,
      found: `${found}, in use by another replica`,
      wanted: 'one of its own',
      why,
      statement: null,
    };
  }
  if (same.length > 0) {
    return {
      item,
      ok: 'warn',
      found: `${found}, connected now`,
      wanted: 'this line alone',
      why,
      statement: null,
    };
  }
  const unseen = replicas === null;
  return {
    item,
    ok: unseen ? 'warn' : true,
    found: unseen ? `${found}; the account may not list replicas` : `${found}, free`,
    wanted: 'one of its own',
    why,
    statement: null,
  };
}

/** Looks how far the server's clock is from ours; `now` gives milliseconds since 1970. The shortest of three round trips counts. */
export async function checkClock(session: SqlSession, now: () => number): Promise<Check> {
  let best = { tripMs: Number.POSITIVE_INFINITY, aheadMs: 0 };
  for (let i = 0; i < 3; i += 1) {
    const sent = now();
    const [row] = await session.query('SELECT UNIX_TIMESTAMP(NOW(6)) * 1000 AS ms');
    const received = now();
    if (received - sent < best.tripMs) {
      best = { tripMs: received - sent, aheadMs: Number(row?.['ms']) - (sent + received) / 2 };
    }
  }
  const ahead = Math.round(best.aheadMs);
  return {
    item: 'clock',
    ok: Math.abs(ahead) <= 500 + best.tripMs || 'warn',
    found: `the server is ${Math.abs(ahead)} ms ${ahead < 0 ? 'behind' : 'ahead'}, measured to ±${Math.ceil(best.tripMs / 2)} ms`,
    wanted: 'within 500 ms',
    why: 'Latency is the difference of two clocks.',
    statement: null,
  };
}
