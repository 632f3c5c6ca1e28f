import { Buffer } from 'node:buffer';
import { type ErrorCode, isUmbusError, messageOf } from '../core/errors.ts';
import type { Headers } from '../ports/log.ts';
import type { RecordPlace } from './events.ts';

/** Prefix of the input record's own headers in a dead-letter record. */
export const INPUT_HEADER_PREFIX = 'in.';

/** The code of an error: its own, else the one of the place where it was thrown. */
export function codeOf(error: unknown, otherwise: ErrorCode): ErrorCode {
  return isUmbusError(error) ? error.code : otherwise;
}

/** A message for logs: that of a coded error, else only the class, because a foreign message may quote a payload. */
export function safeMessageOf(error: unknown): string {
  if (isUmbusError(error)) return error.message;
  return `A function of the topology threw ${error instanceof Error ? error.name : `a ${typeof error}`}.`;
}

/**
 * Headers of a dead-letter record: the input's under `in.`, then `dead.topology dead.stage dead.task dead.topic dead.partition
 * dead.offset dead.code dead.message dead.at` as text. `dead.message` is the whole message: the record holds the payload anyway.
 */
export function deadHeaders(
  input: Headers,
  place: RecordPlace,
  error: unknown,
  code: ErrorCode,
  nowMs: number,
): Headers {
  const headers: Record<string, Uint8Array> = {};
  for (const [name, value] of Object.entries(input)) headers[`${INPUT_HEADER_PREFIX}${name}`] = value;
  const texts: Readonly<Record<string, string>> = {
    'dead.topology': place.topology,
    'dead.stage': place.stage,
    'dead.task': place.task,
    'dead.topic': place.topic,
    'dead.partition': String(place.partition),
    'dead.offset': String(place.offset),
    'dead.code': code,
    'dead.message': messageOf(error),
    'dead.at': new Date(nowMs).toISOString(),
  };
  for (const [name, value] of Object.entries(texts)) headers[name] = Buffer.from(value, 'utf8');
  return headers;
}
