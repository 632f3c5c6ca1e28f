import { type ErrorCode, isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { MysqlLogin } from './options.ts';

/** Access denied for the user, its host, or for want of an account; see the server error reference of MySQL and MariaDB. */
const AUTH_ERRORS = new Set([1045, 1130, 1251, 1275, 1524, 1698, 1862, 2059, 3118]);
/** Access denied to a database, a table, a column, or for want of a global privilege. */
const GRANT_ERRORS = new Set([1044, 1142, 1143, 1227, 1370]);
/** Server gone, shutting down, too many connections, connection killed: the same call may succeed later. */
const AWAY_ERRORS = new Set([
  1040, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1317, 1927, 3169,
]);

interface DriverError {
  readonly errno: number | null;
  readonly code: string;
}

function driverError(error: unknown): DriverError {
  if (typeof error !== 'object' || error === null) return { errno: null, code: '' };
  const errno = 'errno' in error && typeof error.errno === 'number' && error.errno > 0 ? error.errno : null;
  return { errno, code: 'code' in error && typeof error.code === 'string' ? error.code : '' };
}

/** The code for a server's error number, or null when the number says nothing about access or reachability. */
export function codeOfServerError(errno: number): ErrorCode | null {
  if (AUTH_ERRORS.has(errno)) return 'UMBUS_SOURCE_AUTH';
  if (GRANT_ERRORS.has(errno)) return 'UMBUS_SOURCE_GRANT';
  if (AWAY_ERRORS.has(errno)) return 'UMBUS_SOURCE_UNREACHABLE';
  return null;
}

/** The account as it stands in a GRANT statement. */
export function accountOf(login: MysqlLogin): string {
  return `'${login.user.replaceAll("'", "''")}'@'%'`;
}

/** The statement that gives what a replica needs. Right for MySQL and MariaDB: each knows all three names. */
export function replicationGrant(login: MysqlLogin): string {
  return `GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO ${accountOf(login)}`;
}

/**
 * Says by its cause why the server could not be reached, refused the login, or refused a statement. `doing` continues "while":
 * "reading the server's settings". Errors that are umbus's own pass through.
 */
export function sourceError(error: unknown, login: MysqlLogin, doing: string): UmbusError {
  if (isUmbusError(error)) return error;
  const { errno, code } = driverError(error);
  const place = `${login.host}:${login.port}`;
  const details = { host: login.host, port: login.port, errno };
  const text = messageOf(error);
  if (/auth\w* plugin|auth\w* using unknown plugin/i.test(text) || code.startsWith('AUTH_SWITCH')) {
    const method = /plugin '?(\w+)/.exec(text)?.[1] ?? 'a method';
    return new UmbusError(
      'UMBUS_SOURCE_AUTH',
      `${place} wants user '${login.user}' to log in by ${method}, which is not supported; use caching_sha2_password, sha256_password or mysql_native_password.`,
      { cause: error, details },
    );
  }
  const known = errno === null ? null : codeOfServerError(errno);
  switch (known) {
    case 'UMBUS_SOURCE_AUTH':
      return new UmbusError(known, `${place} refused user '${login.user}' while ${doing}: ${text}.`, {
        cause: error,
        details,
      });
    case 'UMBUS_SOURCE_GRANT':
      return new UmbusError(
        known,
        `User '${login.user}' lacks a privilege on ${place} while ${doing}: ${text}. Run: ${replicationGrant(login)};`,
        { cause: error, details },
      );
    case 'UMBUS_SOURCE_UNREACHABLE':
      return new UmbusError(known, `${place} does not serve us now, while ${doing}: ${text}.`, {
        cause: error,
        details,
      });
    default:
  }
  if (errno !== null && errno >= 1000 && errno < 20_000) {
    return new UmbusError('UMBUS_SOURCE_PROTOCOL', `${place} answered an error while ${doing}: ${text}.`, {
      cause: error,
      details,
    });
  }
  return new UmbusError('UMBUS_SOURCE_UNREACHABLE', `${place} cannot be reached while ${doing}: ${text}.`, {
    cause: error,
    details,
  });
}
