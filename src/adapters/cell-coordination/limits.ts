import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';

/** Largest value of a cell (`ports/coordination.ts`). */
const VALUE_BYTES_MAX = 512 * 1024;
/** Longest path or name, in bytes of UTF-8: what every store can hold as a key. */
const PATH_BYTES_MAX = 1_000;

/** Throws UMBUS_COORDINATION_REFUSED unless it is a path: parts between single slashes, none of them empty, `.` or `..`, without control characters. */
export function assertPath(path: string): void {
  const parts = path.split('/');
  const allowed = parts.every(part => part !== '' && part !== '.' && part !== '..' && !hasControl(part));
  if (allowed && Buffer.byteLength(path) <= PATH_BYTES_MAX) return;
  throw new UmbusError(
    'UMBUS_COORDINATION_REFUSED',
    `'${path.slice(0, 100)}' is not a path: it needs parts between single slashes, at most ${PATH_BYTES_MAX} bytes.`,
    { details: { path: path.slice(0, 100) } },
  );
}

/** As {@link assertPath}; '' is allowed too. */
export function assertPrefix(prefix: string): void {
  if (prefix !== '') assertPath(prefix);
}

/** Throws UMBUS_COORDINATION_REFUSED for a value that is too large. */
export function assertValue(path: string, value: Uint8Array): void {
  if (value.byteLength <= VALUE_BYTES_MAX) return;
  throw new UmbusError(
    'UMBUS_COORDINATION_REFUSED',
    `The value for ${path} has ${value.byteLength} bytes; at most ${VALUE_BYTES_MAX} fit.`,
    { details: { path, bytes: value.byteLength } },
  );
}

/** The error of a conditional write that found another version. */
export function conflict(path: string, expected: bigint | null, found: bigint): UmbusError {
  return new UmbusError(
    'UMBUS_COORDINATION_CONFLICT',
    `${path} has version ${found}, and the change was for version ${expected ?? 'any'}.`,
    { details: { path, version: found } },
  );
}

/** The error of every call after the close. */
export function closedError(): UmbusError {
  return new UmbusError('UMBUS_COORDINATION_CLOSED', 'Coordination was closed.');
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}
