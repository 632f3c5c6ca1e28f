import {
  batchStates,
  terminationReasons,
  type UmsField,
  type UmsMessage,
  type UmsMessageType,
  type UmsType,
} from '../ums/types.ts';
import { invalidUms, type MessagePlace } from './invalid.ts';
import { parseNamespace } from './namespace.ts';

/** The fields that every message of a type begins with, in this order (ums-schema/README.md, "System columns"). */
const systemFields: Readonly<Record<UmsMessageType, readonly (readonly [string, UmsType])[]>> = {
  data_increment_data: [
    ['ums_id_', 'long'],
    ['ums_ts_', 'datetime'],
    ['ums_op_', 'string'],
    ['ums_uid_', 'string'],
  ],
  data_initial_data: [
    ['ums_id_', 'long'],
    ['ums_ts_', 'datetime'],
    ['ums_op_', 'string'],
    ['ums_uid_', 'string'],
  ],
  data_increment_heartbeat: [
    ['ums_id_', 'long'],
    ['ums_ts_', 'datetime'],
  ],
  data_increment_termination: [['ums_ts_', 'datetime']],
};

/** How many of a message's fields are system columns. */
export function systemFieldCount(type: UmsMessageType): number {
  return systemFields[type].length;
}

/** What `typeof` gives for a JSON value of a type. */
const jsonTypes: Readonly<Record<UmsType, 'string' | 'number' | 'boolean'>> = {
  string: 'string',
  int: 'number',
  long: 'string',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  date: 'string',
  datetime: 'string',
  decimal: 'string',
  binary: 'string',
  raw: 'string',
  jsonobject: 'string',
};

const reasons: readonly string[] = terminationReasons;
const versionText = /^1\.([3-9]|[1-9][0-9]+)$/;
const idText = /^(0|[1-9][0-9]*)$/;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a record value of a result topic. Checks the whole message: envelope, system columns, and each value against the type and
 * nullability of its field. Members it does not know are kept and not looked at. Messages of UMS 1.3 and later 1.x versions.
 * Errors: UMBUS_UMS_INVALID; the text names the member and, when `place` is given, the record.
 */
export function readUms(value: Uint8Array, place: MessagePlace | null = null): UmsMessage {
  let message: unknown;
  try {
    message = JSON.parse(decoder.decode(value));
  } catch (cause) {
    // The parser's own text quotes the message, and with it values.
    throw invalidUms('it is not JSON in UTF-8', place, cause instanceof TypeError ? cause : undefined);
  }
  const fault = faultOf(message);
  if (fault !== null) throw invalidUms(fault, place);
  // faultOf has looked at every member that the type names.
  return message as UmsMessage;
}

function faultOf(message: unknown): string | null {
  if (!isRecord(message)) return 'it is not an object';
  const { protocol, schema, payload } = message;
  if (!isRecord(protocol)) return 'protocol is not an object';
  if (!isMessageType(protocol['type'])) return 'protocol.type is not one of the four message types';
  if (typeof protocol['version'] !== 'string' || !versionText.test(protocol['version'])) {
    return 'protocol.version is not 1.3 or a later 1.x';
  }
  if (!isRecord(schema)) return 'schema is not an object';
  const schemaFault = faultOfSchema(schema, protocol['type']);
  if (schemaFault !== null) return schemaFault;
  // faultOfSchema has just checked each field.
  return faultOfPayload(payload, schema['fields'] as readonly UmsField[]);
}

function faultOfSchema(schema: Record<string, unknown>, type: UmsMessageType): string | null {
  const {
    namespace,
    batchId,
    innerVersion,
    fields,
    primaryKey,
    reason,
    uid,
    renamedTo,
    renamedPart,
    next,
    batch,
  } = schema;
  if (typeof namespace !== 'string' || !isNamespace(namespace)) {
    return 'schema.namespace is not seven parts with a version';
  }
  if (batchId !== undefined && !isCount(batchId)) return 'schema.batchId is not a whole number';
  if (innerVersion !== undefined && !isCount(innerVersion))
    return 'schema.innerVersion is not a whole number';
  if (!Array.isArray(fields)) return 'schema.fields is not an array';
  const columnsFault = faultOfColumns(fields, primaryKey, 'schema');
  if (columnsFault !== null) return columnsFault;
  for (const [index, [name, umsType]] of systemFields[type].entries()) {
    const field: unknown = fields[index];
    if (!isField(field) || field.name !== name || field.type !== umsType || field.nullable) {
      return `schema.fields[${index}] is not ${name} of type ${umsType}, not nullable`;
    }
  }
  if (reason !== undefined && (typeof reason !== 'string' || !reasons.includes(reason))) {
    return `schema.reason is not one of ${reasons.join(', ')}`;
  }
  if (batch !== undefined && !isBatch(batch)) return 'schema.batch is not what a full pull says of itself';
  if (uid !== undefined && (typeof uid !== 'string' || !idText.test(uid))) return 'schema.uid is not digits';
  if (renamedTo !== undefined && typeof renamedTo !== 'string') return 'schema.renamedTo is not a name';
  if (renamedPart !== undefined && typeof renamedPart !== 'string') return 'schema.renamedPart is not a name';
  if (next === undefined) return null;
  if (!isRecord(next) || !Array.isArray(next['fields'])) return 'schema.next has no fields';
  return faultOfColumns(next['fields'], next['primaryKey'], 'schema.next');
}

function faultOfColumns(fields: readonly unknown[], primaryKey: unknown, where: string): string | null {
  const names = new Set<string>();
  for (const [index, field] of fields.entries()) {
    if (!isField(field)) return `${where}.fields[${index}] lacks a name, a known type, nullable or encoded`;
    if (names.has(field.name)) return `${where}.fields[${index}] repeats a name`;
    names.add(field.name);
  }
  if (primaryKey !== undefined) {
    if (!Array.isArray(primaryKey) || primaryKey.length === 0) {
      return `${where}.primaryKey is not an array of names`;
    }
    if (!primaryKey.every(name => typeof name === 'string' && names.has(name))) {
      return `${where}.primaryKey names a column that ${where}.fields lacks`;
    }
  }
  return null;
}

function faultOfPayload(payload: unknown, fields: readonly UmsField[]): string | null {
  if (!Array.isArray(payload)) return 'payload is not an array';
  const checks = fields.map(checkOf);
  for (const [row, item] of payload.entries()) {
    const tuple: unknown = isRecord(item) ? item['tuple'] : undefined;
    if (!Array.isArray(tuple) || tuple.length !== checks.length) {
      return `payload[${row}].tuple does not have one value for each field`;
    }
    for (const [column, check] of checks.entries()) {
      if (!check(tuple[column])) {
        return `payload[${row}].tuple[${column}] is not what field ${fields[column]?.name} takes`;
      }
    }
  }
  return null;
}

function checkOf(field: UmsField): (value: unknown) => boolean {
  if (field.name === 'ums_id_' || field.name === 'ums_uid_') {
    return value => typeof value === 'string' && idText.test(value);
  }
  if (field.name === 'ums_op_') {
    return value => value === 'i' || value === 'u' || value === 'd' || value === 'b';
  }
  const jsonType = jsonTypes[field.type];
  const { nullable } = field;
  const isText = field.type === 'string';
  return value => {
    if (typeof value === jsonType) return true;
    return value === null ? nullable : isRecord(value) && isMark(value, isText);
  };
}

/** Nothing known of the column, or bytes that are no text of their character set. */
function isMark(value: Record<string, unknown>, isText: boolean): boolean {
  const { base64, charset } = value;
  if (base64 === undefined) return Object.keys(value).length === 0;
  return isText && typeof base64 === 'string' && typeof charset === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMessageType(value: unknown): value is UmsMessageType {
  return typeof value === 'string' && Object.hasOwn(systemFields, value);
}

function isField(value: unknown): value is UmsField {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    value['name'] !== '' &&
    typeof value['type'] === 'string' &&
    Object.hasOwn(jsonTypes, value['type']) &&
    typeof value['nullable'] === 'boolean' &&
    typeof value['encoded'] === 'boolean'
  );
}

function isNamespace(text: string): boolean {
  try {
    parseNamespace(text);
    return true;
  } catch {
    // The reader's own text, with the record's place, says the same.
    return false;
  }
}

function isBatch(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { state, pull, whole } = value;
  const known = batchStates.some(each => each === state);
  return known && typeof pull === 'string' && typeof whole === 'boolean';
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
