import { UmbusError } from '../core/errors.ts';
import { NOTICE_TYPE, type SchemaNotice } from '../ums/schema-notice.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import type { MessagePlace } from './invalid.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });
const numbers = ['version', 'innerVersion'] as const;
const texts = ['ds', 'schema', 'table', 'reason', 'verdict', 'rows', 'uid', 'ts'] as const;
const lists = ['statements', 'changes'] as const;

/**
 * Reads a record value of `<ds>_schema`. Members, reasons, kinds and verdicts that it does not know are kept and not looked at. Notices of version 1.0 and later 1.x.
 * Errors: UMBUS_UMS_INVALID; the text names the member and, when `place` is given, the record.
 */
export function readSchemaNotice(value: Uint8Array, place: MessagePlace | null = null): SchemaNotice {
  let notice: unknown;
  try {
    notice = JSON.parse(decoder.decode(value));
  } catch {
    throw invalidNotice('it is not JSON in UTF-8', place);
  }
  const fault = faultOf(notice);
  if (fault !== null) throw invalidNotice(fault, place);
  // faultOf has looked at every member that a reader cannot do without.
  return notice as SchemaNotice;
}

/** The columns of a table as of a row or any other place in the order of `ums_uid_`: those of the last notice that holds there; null when there were none. `notices`: of one table, in order. */
export function schemaAsOf(notices: Iterable<SchemaNotice>, uid: string | bigint): TableSchema | null {
  let found: TableSchema | null = null;
  for (const notice of notices) if (BigInt(notice.uid) <= BigInt(uid)) found = notice.after;
  return found;
}

function invalidNotice(fault: string, place: MessagePlace | null): UmbusError {
  const where = place === null ? '' : ` at ${place.topic}/${place.partition}@${place.offset}`;
  return new UmbusError('UMBUS_UMS_INVALID', `The record${where} is not a schema notice: ${fault}.`, {
    details: place === null ? {} : { ...place },
  });
}

function faultOf(notice: unknown): string | null {
  if (!isObject(notice)) return 'it is not an object';
  const { protocol } = notice;
  if (!isObject(protocol) || protocol['type'] !== NOTICE_TYPE) return `protocol.type is not ${NOTICE_TYPE}`;
  if (typeof protocol['version'] !== 'string' || !/^1\.\d+$/.test(protocol['version'])) {
    return 'protocol.version is not 1.x';
  }
  for (const name of numbers) if (!Number.isInteger(notice[name])) return `${name} is not a whole number`;
  for (const name of texts) if (typeof notice[name] !== 'string') return `${name} is not text`;
  for (const name of lists) if (!Array.isArray(notice[name])) return `${name} is not an array`;
  for (const name of ['before', 'after']) {
    if (notice[name] !== null && !isSchema(notice[name])) return `${name} is not a table's columns`;
  }
  const { from, uid } = notice;
  if (!isObject(from) || typeof from['file'] !== 'string') return 'from is not a place';
  return typeof uid === 'string' && /^\d+$/.test(uid) ? null : 'uid is not digits';
}

function isSchema(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value['columns']) || !Array.isArray(value['primaryKey']))
    return false;
  return value['columns'].every(column => isObject(column) && typeof column['name'] === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
