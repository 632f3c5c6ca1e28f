import { isUmbusError, messageOf, UmbusError } from '../core/errors.ts';
import type { SchemaRegistry } from '../ports/schema-registry.ts';
import { schemaIdOf } from '../ums/avro-frame.ts';
import { datumOf, type RowDecoder, rowDecoder } from '../ums/avro-rows.ts';
import { BATCH_SCHEMA, HEARTBEAT_SCHEMA, TERMINATION_SCHEMA } from '../ums/avro-schema.ts';
import { avroRecordType } from '../ums/avro-type.ts';
import { SYSTEM_FIELDS, UMS_VERSION } from '../ums/message.ts';
import {
  batchStates,
  terminationReasons,
  type UmsBatch,
  type UmsMessage,
  type UmsMessageType,
  type UmsNextVersion,
} from '../ums/types.ts';
import { invalidUms, type MessagePlace } from './invalid.ts';
import { parseKey, type UmsNamespace } from './namespace.ts';

/** A record of a result topic in Avro: its key says which table and version, its value is one row. */
export interface AvroRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array;
}

/** Reads records of result topics in Avro. */
export interface AvroReader {
  /**
   * The record as a message with one row, or with none where a full pull begins or ends, as `readUms` gives one of JSON, so that `rows` and tables take both. The registry is asked once for each schema.
   * Errors: UMBUS_UMS_INVALID; UMBUS_REGISTRY_UNKNOWN_SCHEMA and UMBUS_REGISTRY_UNREACHABLE (retryable), all with the record's place when it is given.
   */
  read(record: AvroRecord, place?: MessagePlace | null): Promise<UmsMessage>;
}

/** What one schema's values become: all of the message but what the key says. */
type ReadValue = (value: Uint8Array) => {
  readonly types: readonly UmsMessageType[];
  readonly schema: Omit<UmsMessage['schema'], 'namespace'>;
  readonly payload: UmsMessage['payload'];
};

const [ID_FIELD, TIME_FIELD] = SYSTEM_FIELDS;

/** Makes a reader with the registry that the line writes with. */
export function createAvroReader(registry: Pick<SchemaRegistry, 'schema'>): AvroReader {
  const known = new Map<number, ReadValue>();
  const readerOf = async (id: number, place: MessagePlace | null): Promise<ReadValue> => {
    const reader = known.get(id);
    if (reader !== undefined) return reader;
    const made = valueReader(await asked(registry, id, place), place);
    known.set(id, made);
    return made;
  };
  return {
    async read({ key, value }, place = null) {
      const id = schemaIdOf(value);
      if (id === null) throw invalidUms('it is not in Confluent wire format', place);
      if (key === null) throw invalidUms('a record in Avro needs a key, and has none', place);
      const reader = await readerOf(id, place);
      const { type, namespace } = parseKey(key);
      const { types, schema, payload } = valueWith(reader, value, place);
      const known = types.find(each => each === type);
      if (known === undefined) throw invalidUms('its key and its schema differ in the message type', place);
      return {
        protocol: { type: known, version: UMS_VERSION },
        schema: { namespace: textOf(namespace), ...schema },
        payload,
      };
    },
  };
}

async function asked(
  registry: Pick<SchemaRegistry, 'schema'>,
  id: number,
  place: MessagePlace | null,
): Promise<string> {
  try {
    return await registry.schema(id);
  } catch (error) {
    if (!isUmbusError(error) || place === null) throw error;
    const { topic, partition, offset } = place;
    throw new UmbusError(error.code, `${error.message} (Record ${topic}/${partition}@${offset}.)`, {
      cause: error,
      details: { ...error.details, ...place },
    });
  }
}

function valueReader(schema: string, place: MessagePlace | null): ReadValue {
  let rows: RowDecoder | null;
  try {
    const name = fullNameOf(schema);
    if (name === TERMINATION_SCHEMA.name) return terminations(schema);
    if (name === HEARTBEAT_SCHEMA.name) return heartbeats(schema);
    if (name === BATCH_SCHEMA.name) return batches(schema);
    rows = rowDecoder(schema);
  } catch (cause) {
    throw invalidUms(`its schema is not one of Avro that can be read: ${messageOf(cause)}`, place, cause);
  }
  if (rows === null) throw invalidUms('its schema is not one of UMS', place);
  const { fields, table, decode } = rows;
  const primaryKey = table.primaryKey.length === 0 ? {} : { primaryKey: table.primaryKey };
  return value => {
    const { tuple, batchId } = decode(value);
    return {
      types: ['data_increment_data', 'data_initial_data'],
      schema: { batchId, fields, ...primaryKey },
      payload: [{ tuple }],
    };
  };
}

function terminations(schema: string): ReadValue {
  const type = avroRecordType(schema);
  const fields = TIME_FIELD === undefined ? [] : [TIME_FIELD];
  return value => {
    const { ums_ts_, ums_batch_id_, ums_reason_, ums_next_, ums_uid_, ums_renamed_to_, ums_renamed_part_ } =
      type.fromBuffer(datumOf(value));
    // A producer's own text, of the form that ums.schema.json gives it.
    const next: UmsNextVersion | null = typeof ums_next_ === 'string' ? JSON.parse(ums_next_) : null;
    const reason = terminationReasons.find(each => each === ums_reason_);
    return {
      types: ['data_increment_termination'],
      schema: {
        batchId: Number(ums_batch_id_),
        fields,
        ...(reason !== undefined && { reason }),
        ...(typeof ums_uid_ === 'string' && { uid: ums_uid_ }),
        ...(typeof ums_renamed_to_ === 'string' && { renamedTo: ums_renamed_to_ }),
        ...(typeof ums_renamed_part_ === 'string' && { renamedPart: ums_renamed_part_ }),
        ...(next !== null && { next }),
      },
      payload: [{ tuple: [String(ums_ts_)] }],
    };
  };
}

function heartbeats(schema: string): ReadValue {
  const type = avroRecordType(schema);
  const fields = ID_FIELD === undefined || TIME_FIELD === undefined ? [] : [ID_FIELD, TIME_FIELD];
  return value => {
    const { ums_id_, ums_ts_, ums_batch_id_ } = type.fromBuffer(datumOf(value));
    return {
      types: ['data_increment_heartbeat'],
      schema: { batchId: Number(ums_batch_id_), fields },
      payload: [{ tuple: [String(ums_id_), String(ums_ts_)] }],
    };
  };
}

function batches(schema: string): ReadValue {
  const type = avroRecordType(schema);
  return value => {
    const { ums_batch_id_, ums_state_, ums_pull_, ums_whole_, ums_rows_ } = type.fromBuffer(datumOf(value));
    const state = batchStates.find(each => each === ums_state_);
    if (state === undefined) throw new TypeError('A full pull has no such state.');
    const batch: UmsBatch = {
      state,
      pull: String(ums_pull_),
      whole: ums_whole_ === true,
      ...(ums_rows_ !== null && { rows: Number(ums_rows_) }),
    };
    return {
      types: ['data_initial_data'],
      schema: { batchId: Number(ums_batch_id_), fields: SYSTEM_FIELDS, batch },
      payload: [],
    };
  };
}

/** Without a cause: what avsc throws may quote the value. */
function valueWith(read: ReadValue, value: Uint8Array, place: MessagePlace | null): ReturnType<ReadValue> {
  try {
    return read(value);
  } catch {
    throw invalidUms('its bytes do not fit the schema that it names', place);
  }
}

function fullNameOf(schema: string): string {
  const parsed: unknown = JSON.parse(schema);
  if (typeof parsed !== 'object' || parsed === null) return '';
  const { namespace, name } = parsed as { readonly namespace?: unknown; readonly name?: unknown };
  return `${namespace}.${name}`;
}

function textOf(namespace: UmsNamespace): string {
  const { source, ds, schema, table, version, databasePartition, tablePartition } = namespace;
  return [source, ds, schema, table, version, databasePartition, tablePartition].join('.');
}
