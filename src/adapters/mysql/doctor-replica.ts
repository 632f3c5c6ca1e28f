import { isUmbusError, type UmbusError } from '../../core/errors.ts';
import { type Check, listed, PROBE_DS, type Subscription } from './check.ts';
import { type SqlRow, type SqlSession, withSession } from './connect.ts';
import { checkSelect, currentAccount } from './doctor-account.ts';
import { subscribedTables } from './doctor-tables.ts';
import { KeptSession } from './kept-session.ts';
import type { MysqlLogin } from './options.ts';
import { assertInOrder, type PullReplica, untilThere } from './pull-replica.ts';
import { type ReplicaStatus, replicaStatus, sourcesOf } from './replica-status.ts';
import { readFacts, type ServerFacts } from './server-facts.ts';

/** What is looked for on a replica. */
export interface ReplicaLook extends Subscription {
  readonly signals: string;
  /** Token of a row that was written as watermarks are; null where none could be written. */
  readonly mark: string | null;
  /** Whether the table of watermarks is in the source. */
  readonly made: boolean;
  readonly signal?: AbortSignal;
}

/** Longer than so long the probe is not waited for. */
const MOST_WAIT_MS = 10_000;

/** Looks whether a replica can be read by pulls: that it answers, copies this source in order and is not late, shows the tables, and gets what is written to the schema of watermarks. `session`: of the source. */
export async function checkReplica(
  session: SqlSession,
  replica: PullReplica,
  look: ReplicaLook,
): Promise<readonly Check[]> {
  const { login } = replica;
  const place = `${login.host}:${login.port}`;
  const source = await readFacts(session);
  const wantedTables = await subscribedTables(session, look);
  try {
    return await withSession(login, look.signal, async reading => {
      const facts = await readFacts(reading);
      const copies = await checkCopies(reading, facts, source, login);
      return [
        connected(place, true, `${facts.identity.flavor} ${facts.identity.version} at ${place}`),
        ...copies.checks,
        ...(copies.status === null ? [] : [lagCheck(copies.status, replica.timeoutMs)]),
        await orderCheck(reading, facts),
        ...(await tableChecks(reading, login, look, wantedTables)),
        await markCheck(replica, look),
      ];
    });
  } catch (error) {
    if (!isUmbusError(error)) throw error;
    return [{ ...connected(place, false, error.message), code: error.code, why: error.remedy }];
  }
}

function connected(place: string, ok: boolean, found: string): Check {
  return {
    item: 'replica',
    ok,
    found,
    wanted: `a login at ${place}`,
    why: 'Full pulls read rows, keys and definitions there (pull.replica).',
    statement: null,
  };
}

/** Whose copy it is, as it tells itself. */
async function checkCopies(
  reading: SqlSession,
  facts: ServerFacts,
  source: ServerFacts,
  login: MysqlLogin,
): Promise<{ readonly checks: readonly Check[]; readonly status: ReplicaStatus | null }> {
  const about = {
    item: 'replica of the source',
    wanted: `a replica of the server ${source.serverId}`,
    why: 'Rows that are read there must be those of the source.',
    statement: null,
  };
  if (facts.identity.id === source.identity.id && facts.serverId === source.serverId) {
    const why =
      'Pulls then burden the source as they do without pull.replica: leave it out, or name another server.';
    return { checks: [{ ...about, ok: 'warn', found: 'it is the source itself', why }], status: null };
  }
  let rows: readonly SqlRow[];
  try {
    rows = await sourcesOf(reading, facts);
  } catch (error) {
    if (!isUmbusError(error, 'UMBUS_SOURCE_GRANT')) throw error;
    const account = await currentAccount(reading, login);
    const privilege = facts.identity.flavor === 'mariadb' ? 'SLAVE MONITOR' : 'REPLICATION CLIENT';
    const found = 'not to be seen by the account';
    const statement = `GRANT ${privilege} ON *.* TO ${account}`;
    return { checks: [{ ...about, ok: 'warn', found, statement }], status: null };
  }
  if (rows.length === 0) {
    const why = `${about.why} Watermarks never come to a server that copies nothing: let it replicate, or name another one.`;
    const check: Check = {
      ...about,
      ok: false,
      code: 'UMBUS_PULL_REPLICA',
      found: 'it copies no server',
      why,
    };
    return { checks: [check], status: null };
  }
  const status = await replicaStatus(reading, facts);
  const direct = rows.some(row => isOf(row, source));
  if (direct) return { checks: [{ ...about, ok: true, found: about.wanted }], status };
  const ids = rows.map(row => String(row['Source_Server_Id'] ?? row['Master_Server_Id'] ?? '?'));
  const why = `${about.why} It may copy the source by way of others: then the watermark below comes, later. Else name another one.`;
  return { checks: [{ ...about, ok: 'warn', found: `it copies the server ${ids.join(', ')}`, why }], status };
}

function isOf(row: SqlRow, { identity, serverId }: ServerFacts): boolean {
  const uuid = row['Source_UUID'] ?? row['Master_UUID'];
  if (typeof uuid === 'string' && uuid !== '') return uuid.toLowerCase() === identity.id.toLowerCase();
  return Number(row['Source_Server_Id'] ?? row['Master_Server_Id']) === serverId;
}

function lagCheck({ secondsBehind }: ReplicaStatus, timeoutMs: number): Check {
  const late = secondsBehind === null || secondsBehind * 1000 >= timeoutMs;
  return {
    item: 'replica lag',
    ok: !late,
    ...(late && { code: 'UMBUS_PULL_REPLICA' as const }),
    found: secondsBehind === null ? 'it does not replicate now' : `${secondsBehind} s behind`,
    wanted: `less than ${Math.round(timeoutMs / 1000)} s (pull.replica.timeout)`,
    why: late
      ? 'A pull waits so long for its watermark to come there, and ends then. Look at its replication, or raise pull.replica.timeout.'
      : 'Each shard waits for its watermark to come there.',
    statement: null,
  };
}

async function orderCheck(reading: SqlSession, facts: ServerFacts): Promise<Check> {
  const about = {
    item: 'replica commit order',
    wanted: 'that of its source',
    why: 'A watermark that is there says that all before it is there too.',
  };
  try {
    await assertInOrder(reading);
    return { ...about, ok: true, found: 'that of its source', statement: null };
  } catch (error) {
    if (!isUmbusError(error, 'UMBUS_SOURCE_SETTING')) throw error;
    const old = /^(5\.|8\.0\.([01]?\d|2[0-5])\b)/.test(facts.identity.version);
    const [what, name] = old
      ? ['SLAVE', 'slave_preserve_commit_order']
      : ['REPLICA', 'replica_preserve_commit_order'];
    const statement = `STOP ${what} SQL_THREAD; SET GLOBAL ${name} = ON; START ${what} SQL_THREAD`;
    return { ...about, ok: false, code: error.code, found: `another: ${name} is OFF`, statement };
  }
}

/** Whether the replica shows what the source shows. */
async function tableChecks(
  reading: SqlSession,
  login: MysqlLogin,
  look: ReplicaLook,
  wantedTables: readonly { readonly schema: string; readonly table: string }[],
): Promise<readonly Check[]> {
  const seen = await subscribedTables(reading, look);
  const names = new Set(seen.map(({ schema, table }) => `${schema}.${table}`));
  const missing = wantedTables
    .map(({ schema, table }) => `${schema}.${table}`)
    .filter(name => !names.has(name));
  const account = await currentAccount(reading, login);
  const grants = await checkSelect(reading, login, seen);
  return [
    {
      item: 'replica tables',
      ok: missing.length === 0,
      ...(missing.length > 0 && { code: 'UMBUS_PULL_TABLE' as const }),
      found: missing.length === 0 ? `all ${wantedTables.length}` : `it does not show ${listed(missing)}`,
      wanted: 'all tables of the line',
      why:
        missing.length === 0
          ? 'Rows and definitions are read there.'
          : 'They are left out of its replication (replicate-do-db and the like), have not come yet, or its account may not see them.',
      statement: missing.length === 0 ? null : `GRANT SELECT ON *.* TO ${account}`,
    },
    ...grants.map(check => ({
      ...check,
      item: `replica ${check.item}`,
      ...(check.ok !== true && { code: 'UMBUS_SOURCE_GRANT' as const }),
    })),
  ];
}

/** Whether a row that was written to the source as watermarks are comes to the replica, and can be seen there. */
async function markCheck(replica: PullReplica, { signals, mark, made, signal }: ReplicaLook): Promise<Check> {
  const about = {
    item: 'watermark on replica',
    wanted: 'a row that is written to the source comes',
    why: 'A pull reads nothing before its watermark is there.',
    statement: null,
  };
  if (!made) {
    const found = 'not looked at: the table of watermarks is not there before the first pull';
    return { ...about, ok: 'warn', found };
  }
  if (mark === null)
    return { ...about, ok: 'warn', found: 'not looked at: none could be written to the source' };
  const timeoutMs = Math.min(replica.timeoutMs, MOST_WAIT_MS);
  const begun = performance.now();
  await using asking = new KeptSession(replica.login, async () => {});
  const until = signal ?? new AbortController().signal;
  try {
    await untilThere(
      asking,
      { ...replica, timeoutMs },
      { schema: signals, ds: PROBE_DS, token: mark },
      until,
    );
    return { ...about, ok: true, found: `it came within ${Math.ceil(performance.now() - begun)} ms` };
  } catch (error) {
    if (!isUmbusError(error)) throw error;
    return await refused(error, { ...about, ok: false, code: error.code }, replica.login, signals, asking);
  }
}

async function refused(
  error: UmbusError,
  about: Omit<Check, 'found'>,
  login: MysqlLogin,
  signals: string,
  asking: KeptSession,
): Promise<Check> {
  if (error.code !== 'UMBUS_SOURCE_GRANT') return { ...about, found: error.message, why: error.remedy };
  const account = await asking.use(session => currentAccount(session, login));
  const statement = `GRANT SELECT ON \`${signals.replaceAll('`', '``')}\`.* TO ${account}`;
  return { ...about, found: 'the account may not see it', statement };
}
