import { createHash } from 'node:crypto';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { SqlRow } from './connect.ts';
import { textOf } from './server-facts.ts';

/** Longest name of a lock (MySQL reference, GET_LOCK). */
const LOCK_NAME_MAX = 64;
/**
 * The server, or a proxy before it, gives no named locks: Percona XtraDB Cluster in strict mode and Vitess (1105), MariaDB with Galera before it could (1235, ER_NOT_SUPPORTED_YET), what knows no such
 * function (1305, ER_SP_DOES_NOT_EXIST; 1046, ER_NO_DB_ERROR, without a default schema).
 */
const REFUSED = new Set([1046, 1105, 1235, 1305]);

/** Who asks for the lock. */
export interface BeatLockOptions {
  readonly ds: string;
  /** A holder that has been silent for so long is cut. */
  readonly silentMs: number;
  /** A statement on the session that is to hold it. */
  readonly ask: (sql: string, values?: readonly unknown[]) => Promise<readonly SqlRow[]>;
  /** How old the newest heartbeat of the line is, in milliseconds. */
  readonly newestAgeMs: () => Promise<number>;
}

/**
 * Takes the lock of a line's heartbeats for a session. Gives null, or UMBUS_HEARTBEAT_UNLOCKED where such a lock cannot be had, or counts on one node alone. Errors: UMBUS_HEARTBEAT_HELD,
 * UMBUS_SOURCE_*.
 */
export async function takeBeatLock(options: BeatLockOptions): Promise<UmbusError | null> {
  const { ds, silentMs, ask } = options;
  const name = lockName(ds);
  let first: Taken;
  try {
    first = await take(options, name, 0);
  } catch (error) {
    const errno = isUmbusError(error) ? error.details['errno'] : undefined;
    if (typeof errno !== 'number' || !REFUSED.has(errno)) throw error;
    return unlocked(`It refuses GET_LOCK: ${messageOf(error)}`, error);
  }
  if (first.got) return await aloneOnItsNode(options);
  if (first.holder !== '' && (await options.newestAgeMs()) >= silentMs) {
    // Nobody hears of it: its process or its network is gone. One of the same account may be cut without a privilege.
    await ask(`KILL ${BigInt(first.holder)}`).catch(() => []);
    if ((await take(options, name, 1)).got) return await aloneOnItsNode(options);
  }
  throw new UmbusError(
    'UMBUS_HEARTBEAT_HELD',
    `Session ${first.holder} of the source beats for ${ds} already.`,
    {
      details: { session: first.holder },
    },
  );
}

interface Taken {
  readonly got: boolean;
  readonly holder: string;
}

async function take({ ask }: BeatLockOptions, name: string, seconds: number): Promise<Taken> {
  const [row] = await ask('SELECT GET_LOCK(?, ?) AS got, IS_USED_LOCK(?) AS holder', [name, seconds, name]);
  return { got: textOf(row, 'got') === '1', holder: textOf(row, 'holder') };
}

/** In a Galera cluster a lock is that of one node: a session on another one gets it as well. */
async function aloneOnItsNode({ ask }: BeatLockOptions): Promise<UmbusError | null> {
  const [row] = await ask("SHOW SESSION VARIABLES LIKE 'wsrep_on'");
  if (textOf(row, 'Value') !== 'ON') return null;
  return unlocked('It is a node of a Galera cluster, where GET_LOCK counts on one node alone');
}

function unlocked(why: string, cause?: unknown): UmbusError {
  const text = `The source does not say who beats. ${why}${why.endsWith('.') ? '' : '.'}`;
  return new UmbusError('UMBUS_HEARTBEAT_UNLOCKED', text, cause === undefined ? {} : { cause });
}

/** The lock of a line. Names are short, so a long one is made of a hash. */
function lockName(ds: string): string {
  const name = `umbus.heartbeat.${ds}`;
  if (name.length <= LOCK_NAME_MAX) return name;
  return `umbus.heartbeat.${createHash('sha256').update(ds).digest('hex').slice(0, 40)}`;
}
