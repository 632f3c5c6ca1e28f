import { Socket } from 'node:net';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2';
import type { Connection as PromiseConnection } from 'mysql2/promise';
import { assert } from '../../core/assert.ts';
import { UmbusError } from '../../core/errors.ts';
import { CONNECT_TIMEOUT_MS, type MysqlLogin } from './options.ts';
import { ReadTap } from './read-tap.ts';
import { sourceError } from './source-error.ts';

/** A row as the driver gives it; 64-bit integers beyond 2^53, decimals and dates are text. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A logged-in session that answers one statement at a time. Disposing it says goodbye to the server. */
export interface SqlSession extends AsyncDisposable {
  /** Rows of one statement; of several in one text, all rows in order; none for a statement that gives none. Errors: UMBUS_SOURCE_* by cause. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly SqlRow[]>;
  /** The driver's connection, for results in another form than rows of values. */
  readonly driver: PromiseConnection;
  /** The driver's socket, for taking it over; a TLS socket when TLS is on. */
  readonly socket: Socket;
  /** What the socket reads, where {@link connectTapped} could have it; null else. */
  readonly tap: ReadTap | null;
  /** Cuts the connection at once; a waiting query fails. */
  destroy(): void;
}

function isRow(value: unknown): value is SqlRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function driverOptions(login: MysqlLogin): ConnectionOptions {
  const { tls } = login;
  return {
    host: login.host,
    port: login.port,
    user: login.user,
    password: login.password,
    connectTimeout: login.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    multipleStatements: true,
    supportBigNumbers: true,
    dateStrings: true,
    charset: 'utf8mb4',
    ...(tls === null
      ? {}
      : {
          ssl: {
            ...(tls.ca === null ? {} : { ca: tls.ca }),
            ...(tls.cert === null ? {} : { cert: tls.cert }),
            ...(tls.key === null ? {} : { key: tls.key }),
            rejectUnauthorized: tls.verify,
            verifyIdentity: tls.verify,
          },
        }),
  };
}

function socketOf(driver: Connection): Socket {
  // The driver's types leave its socket out, its documentation does not.
  const { stream } = driver as unknown as { readonly stream: unknown };
  assert(stream instanceof Socket, 'The MySQL driver does not give its socket.');
  return stream;
}

async function login(driver: Connection, signal: AbortSignal | undefined): Promise<void> {
  let abort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      driver.once('connect', () => resolve());
      driver.once('error', reject);
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** The driver forgets a waiting statement when its connection is destroyed; the socket's end answers for it. */
function query(
  driver: Connection,
  socket: Socket,
  sql: string,
  values: readonly unknown[],
): Promise<readonly SqlRow[]> {
  return new Promise((resolve, reject) => {
    const lost = () =>
      reject(new UmbusError('UMBUS_SOURCE_DISCONNECTED', 'The session was closed while a statement ran.'));
    socket.once('close', lost);
    driver.query(sql, [...values], (error, result: unknown) => {
      socket.off('close', lost);
      if (error !== null) reject(error);
      else resolve((Array.isArray(result) ? result : []).flat().filter(isRow));
    });
  });
}

/**
 * Connects and logs in, with TLS when `options.tls` is set. The signal covers connecting alone.
 * Errors: UMBUS_SOURCE_UNREACHABLE, UMBUS_SOURCE_AUTH; the signal's reason when it aborts.
 */
export function connectSql(options: MysqlLogin, signal?: AbortSignal): Promise<SqlSession> {
  return connect(options, signal, null);
}

/** The same for a session through which much is read once its socket is taken over; TLS has buffers of its own. */
export function connectTapped(options: MysqlLogin, signal?: AbortSignal): Promise<SqlSession> {
  signal?.throwIfAborted();
  return connect(options, signal, options.tls === null ? new ReadTap(options.host, options.port) : null);
}

async function connect(
  options: MysqlLogin,
  signal: AbortSignal | undefined,
  tap: ReadTap | null,
): Promise<SqlSession> {
  signal?.throwIfAborted();
  const given = tap === null ? {} : { stream: () => tap.socket };
  const driver = createConnection({ ...driverOptions(options), ...given });
  // A session that is cut while idle reports it here; the next statement fails by itself.
  driver.on('error', () => {});
  try {
    await login(driver, signal);
  } catch (error) {
    driver.destroy();
    socketOf(driver).destroy();
    signal?.throwIfAborted();
    throw sourceError(error, options, 'connecting');
  }
  const socket = socketOf(driver);
  return {
    driver: driver.promise(),
    socket,
    tap,
    async query(sql, values = []) {
      try {
        return await query(driver, socket, sql, values);
      } catch (error) {
        throw sourceError(error, options, `running "${sql.slice(0, 80)}"`);
      }
    },
    destroy: () => {
      driver.destroy();
      socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return;
      // A server notes sessions that end without a goodbye as aborted.
      await new Promise<void>(resolve => {
        socket.once('close', () => resolve());
        driver.end(() => resolve());
      });
      driver.destroy();
      socket.destroy();
    },
  };
}

/** Connects, runs `work`, and says goodbye. When the signal aborts the connection is cut and its reason is thrown. */
export async function withSession<T>(
  options: MysqlLogin,
  signal: AbortSignal | undefined,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  await using session = await connectSql(options, signal);
  const abort = () => session.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await work(session);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
