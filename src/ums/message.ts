import { Buffer } from 'node:buffer';
import { recordMemory } from '../core/memory-pool.ts';
import type { UmsBatch, UmsField, UmsMessageType, UmsNextVersion, UmsTerminationReason } from './types.ts';

/** The version of UMS that umbus writes. */
export const UMS_VERSION = '1.3';

const systemField = (name: string, type: UmsField['type']): UmsField => ({
  name,
  type,
  nullable: false,
  encoded: false,
});

const TIME_FIELD = systemField('ums_ts_', 'datetime');

/** The columns in front of a row's own. */
export const SYSTEM_FIELDS: readonly UmsField[] = [
  systemField('ums_id_', 'long'),
  TIME_FIELD,
  systemField('ums_op_', 'string'),
  systemField('ums_uid_', 'string'),
];

/** Names that no column of a source table may have. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(SYSTEM_FIELDS.map(field => field.name));

/** Rows of a table that was never pulled. */
const STREAM = { type: 'data_increment_data', id: 0 } as const;

/** What comes before the tuples of a data message: the envelope up to and with `"payload":[`. */
export function dataHeader(
  namespace: string,
  columns: readonly UmsField[],
  primaryKey: readonly string[],
  batch: { readonly type: 'data_increment_data' | 'data_initial_data'; readonly id: number } = STREAM,
  innerVersion = 0,
): Buffer {
  const schema = {
    namespace,
    batchId: batch.id,
    innerVersion,
    fields: [...SYSTEM_FIELDS, ...columns],
    ...(primaryKey.length > 0 ? { primaryKey } : {}),
  };
  return Buffer.from(
    `{"protocol":${protocol(batch.type)},"schema":${JSON.stringify(schema)},"payload":[`,
    'utf8',
  );
}

/** A data message: the header and tuples as TupleBuffer has them, each followed by a comma. Copies; at least one tuple. */
export function dataMessage(header: Buffer, tuples: Buffer): Buffer {
  const message = recordMemory.take(header.length + tuples.length + 1);
  header.copy(message, 0);
  tuples.copy(message, header.length);
  message[message.length - 2] = 93;
  message[message.length - 1] = 125;
  return message;
}

/** The end of a version of a table. */
export interface Termination {
  readonly namespace: string;
  /** Its `ums_ts_`. */
  readonly time: string;
  readonly reason: UmsTerminationReason;
  /** See `UmsMessage.schema.uid`. */
  readonly uid: string;
  /** Of the table's latest full pull; default 0. */
  readonly batchId?: number;
  /** See `UmsMessage.schema.renamedTo`. */
  readonly renamedTo?: string;
  /** See `UmsMessage.schema.renamedPart`. */
  readonly renamedPart?: string;
  /** The columns that the next version begins with, for readers of one partition who may see no row of it; null to leave them out. */
  readonly next?: UmsNextVersion | null;
}

/** The message that ends a version. */
export function terminationMessage(end: Termination): Buffer {
  const { namespace, time, reason, uid, batchId = 0, renamedTo, renamedPart, next } = end;
  const schema = {
    namespace,
    batchId,
    fields: [TIME_FIELD],
    reason,
    uid,
    ...(renamedTo === undefined ? {} : { renamedTo }),
    ...(renamedPart === undefined ? {} : { renamedPart }),
    ...(next == null ? {} : { next }),
  };
  return Buffer.from(
    `{"protocol":${protocol('data_increment_termination')},"schema":${JSON.stringify(schema)},"payload":[{"tuple":[${JSON.stringify(time)}]}]}`,
    'utf8',
  );
}

/** The message that says that a full pull begins, has ended, or will not end: no row, and what it is in `schema.batch`. */
export function batchMessage(namespace: string, batchId: number, batch: UmsBatch): Buffer {
  const schema = { namespace, batchId, fields: SYSTEM_FIELDS, batch };
  return Buffer.from(
    `{"protocol":${protocol('data_initial_data')},"schema":${JSON.stringify(schema)},"payload":[]}`,
    'utf8',
  );
}

/** A heartbeat behind all rows that the source wrote before it: its `ums_id_` and `ums_ts_`. */
export function heartbeatMessage(namespace: string, id: string, time: string): Buffer {
  const [idField, timeField] = SYSTEM_FIELDS;
  const schema = { namespace, batchId: 0, fields: [idField, timeField] };
  return Buffer.from(
    `{"protocol":${protocol('data_increment_heartbeat')},"schema":${JSON.stringify(schema)},"payload":[{"tuple":["${id}",${JSON.stringify(time)}]}]}`,
    'utf8',
  );
}

/** The key of a heartbeat's record: `<milliseconds>|<milliseconds of its round>|<status>|<ds>` takes the place of `<milliseconds>|<ds>`. */
export function heartbeatKey(
  namespace: string,
  beat: { readonly timeMs: number; readonly roundMs: number },
  status: HeartbeatStatus,
  ds: string,
): Buffer {
  const { timeMs, roundMs } = beat;
  return Buffer.from(
    `data_increment_heartbeat.${namespace}.${timeMs}|${roundMs}|${status}|${ds}.wh_placeholder`,
    'utf8',
  );
}

/** Whether the table's rows are published (`ok`) or parked (`abort`). */
export type HeartbeatStatus = 'ok' | 'abort';

/**
 * The key of a message's record: `<type>.<namespace>.<milliseconds>|<ds>.wh_placeholder`, ten parts. `timeMs` is the time
 * of the first tuple in milliseconds since 1970-01-01 UTC.
 */
export function messageKey(type: UmsMessageType, namespace: string, timeMs: number, ds: string): Buffer {
  return Buffer.from(`${type}.${namespace}.${timeMs}|${ds}.wh_placeholder`, 'utf8');
}

function protocol(type: UmsMessageType): string {
  return JSON.stringify({ type, version: UMS_VERSION });
}
