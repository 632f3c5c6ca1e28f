import { isUmbusError } from '../../core/errors.ts';
import type { SqlRow, SqlSession } from './connect.ts';
import type { ServerFacts } from './server-facts.ts';

/** A server that is a replica, as it tells of itself. */
export interface ReplicaStatus {
  /** Null while it does not replicate. */
  readonly secondsBehind: number | null;
}

/** What is known of a server's kind. */
interface Identified {
  readonly identity: Pick<ServerFacts['identity'], 'flavor' | 'version'>;
}

/** What a server copies from, a row for each channel, as it tells itself; none for a server that copies nothing. Errors: UMBUS_SOURCE_GRANT for an account that may not see it, UMBUS_SOURCE_*. */
export function sourcesOf(
  session: SqlSession,
  { identity: { flavor, version } }: Identified,
): Promise<readonly SqlRow[]> {
  return session.query(statementOf(flavor, version));
}

/** How far a replica is behind its own source: the latest of its channels. Null for a server that is none, or an account that may not see it. */
export async function replicaStatus(
  session: SqlSession,
  { identity: { flavor, version } }: Identified,
): Promise<ReplicaStatus | null> {
  let rows: readonly SqlRow[];
  try {
    rows = await sourcesOf(session, { identity: { flavor, version } });
  } catch (error) {
    // Without the privilege it is not known; whoever needs it asks `umbus check`.
    if (isUmbusError(error, 'UMBUS_SOURCE_GRANT')) return null;
    throw error;
  }
  if (rows.length === 0) return null;
  const behind = rows.map(row => row['Seconds_Behind_Source'] ?? row['Seconds_Behind_Master'] ?? null);
  const known = behind.filter(seconds => seconds !== null).map(Number);
  return { secondsBehind: known.length === rows.length ? Math.max(...known) : null };
}

/** MySQL has renamed the statement in 8.0.22 and dropped the old one in 8.4; MariaDB tells of all channels with one word more. */
function statementOf(flavor: 'mysql' | 'mariadb', version: string): string {
  if (flavor === 'mariadb') return 'SHOW ALL SLAVES STATUS';
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  const renamed = major > 8 || (major === 8 && (minor > 0 || patch >= 22));
  return renamed ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
}
