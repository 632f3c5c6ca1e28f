import { messageOf, UmbusError } from '../../core/errors.ts';

/** Error codes of the protocol: org.apache.zookeeper.KeeperException.Code. */
export const code = {
  connectionLoss: -4,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
} as const;

/** A request whose session ended before its answer came: it may have been done or not. */
export class SessionOver extends Error {}

/** The protocol's code of an error; null for others. */
export function codeOf(error: unknown): number | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null;
}

/** Whether a request may be sent again after this error, once there is a connection. It may have been done. */
export function passes(error: unknown): boolean {
  if (error instanceof SessionOver) return true;
  const found = codeOf(error);
  return found === code.connectionLoss || found === code.sessionExpired;
}

/** The error of an adapter's call for what the server refused. */
export function refusal(path: string, cause: unknown): UmbusError {
  return new UmbusError('UMBUS_COORDINATION_REFUSED', `ZooKeeper refused ${path}: ${messageOf(cause)}`, {
    cause,
    details: { path },
  });
}

/** The error of a call that found no server for too long. */
export function unreachable(servers: readonly string[], cause: unknown): UmbusError {
  const why = cause === null ? 'no connection was made' : messageOf(cause);
  return new UmbusError(
    'UMBUS_COORDINATION_UNREACHABLE',
    `No ZooKeeper server of ${servers.join(', ')} can be used: ${why}.`,
    { cause, details: { servers: servers.join(',') } },
  );
}
