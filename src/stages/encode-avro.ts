import type { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';
import { encodeFrames, stampSchemaId } from '../ums/avro-frame.ts';
import { type RowEncoder, rowEncoder } from '../ums/avro-rows.ts';
import {
  BATCH_SCHEMA,
  HEARTBEAT_SCHEMA,
  type NamedSchema,
  recordSubject,
  rowSchema,
  TERMINATION_SCHEMA,
} from '../ums/avro-schema.ts';
import { avroRecordType } from '../ums/avro-type.ts';
import { SYSTEM_FIELDS } from '../ums/message.ts';
import type { UmsBatch, UmsField, UmsMessage } from '../ums/types.ts';
import type { AppendOutput } from './append-options.ts';

/** Encoders kept; the one that came first makes room. */
const KEPT = 4096;

/** A message as Avro records that lack only the id of their schema. */
export interface AvroOutput {
  readonly output: AppendOutput;
  /** `<topic>-<full name of the record>`. */
  readonly subject: string;
  readonly schema: NamedSchema;
  /** One for each row, in the order of the message; one for the begin or the end of a full pull. */
  readonly frames: readonly Buffer[];
}

/**
 * Makes Avro records of UMS messages (ums-schema/README.md, "Avro"): what comes out depends on the message alone. Errors: UMBUS_TOPOLOGY_PROCESS for a value that
 * the schema of its table does not hold, which names the table and no value.
 */
export function createAvroEncoder(ds: string): (output: AppendOutput) => AvroOutput {
  const kept = new Map<string, RowEncoder>();
  const encoderOf = ({ schema }: UmsMessage, output: AppendOutput): RowEncoder => {
    const { fields, primaryKey = [] } = schema;
    const { wide = [] } = output;
    // All that the schema is made from; the namespace would make a new one of each version.
    const id = JSON.stringify([output.schema, output.table, fields, primaryKey, wide]);
    const known = kept.get(id);
    if (known !== undefined) return known;
    const columns = fields.slice(SYSTEM_FIELDS.length);
    const made = rowEncoder({ ds, schema: output.schema, table: output.table, columns, primaryKey, wide });
    if (kept.size >= KEPT) {
      for (const first of kept.keys()) {
        kept.delete(first);
        break;
      }
    }
    kept.set(id, made);
    return made;
  };
  return output => {
    // The appender's own bytes.
    const message = JSON.parse(output.value.toString('utf8')) as UmsMessage;
    try {
      const { schema, frames } = encoded(message, output, () => encoderOf(message, output));
      return { output, subject: recordSubject(output.topic, schema), schema, frames };
    } catch {
      // No cause: the text of avsc quotes the value.
      throw new UmbusError(
        'UMBUS_TOPOLOGY_PROCESS',
        `A message of table ${output.schema}.${output.table} does not fit the Avro schema of its columns.`,
        { details: { schema: output.schema, table: output.table } },
      );
    }
  };
}

/** The records of a message with the id that the registry gave to their schema. Sets it in place. */
export function withSchemaId({ output, frames }: AvroOutput, id: number): readonly AppendOutput[] {
  stampSchemaId(frames, id);
  return frames.map(value => ({ ...output, value }));
}

/** What the rows of a table are encoded with, as {@link createAvroEncoder} has it. */
export function rowSchemaOf(
  ds: string,
  table: { readonly schema: string; readonly table: string },
  columns: readonly UmsField[],
  primaryKey: readonly string[],
  wide: readonly string[],
): NamedSchema {
  return rowSchema({ ds, ...table, columns, primaryKey, wide });
}

const terminationType = avroRecordType(TERMINATION_SCHEMA.text);
const heartbeatType = avroRecordType(HEARTBEAT_SCHEMA.text);
const batchType = avroRecordType(BATCH_SCHEMA.text);

function encoded(
  message: UmsMessage,
  output: AppendOutput,
  encoder: () => RowEncoder,
): { readonly schema: NamedSchema; readonly frames: readonly Buffer[] } {
  const { schema, payload } = message;
  const batchId = schema.batchId ?? 0;
  switch (message.protocol.type) {
    case 'data_increment_data':
    case 'data_initial_data': {
      if (schema.batch !== undefined) return batchRecord(schema.batch, batchId, output);
      const rows = encoder();
      const tuples = payload.map(({ tuple }) => tuple);
      return { schema: rows.schema, frames: rows.encode(tuples, batchId, output.value.length) };
    }
    case 'data_increment_termination': {
      const records = payload.map(({ tuple: [time] }) => ({
        ums_ts_: time,
        ums_batch_id_: batchId,
        ums_reason_: schema.reason ?? null,
        ums_next_: schema.next === undefined ? null : JSON.stringify(schema.next),
        ums_uid_: schema.uid ?? null,
        ums_renamed_to_: schema.renamedTo ?? null,
        ums_renamed_part_: schema.renamedPart ?? null,
      }));
      return {
        schema: TERMINATION_SCHEMA,
        frames: encodeFrames(terminationType, records, output.value.length),
      };
    }
    case 'data_increment_heartbeat': {
      const records = payload.map(({ tuple: [id, time] }) => ({
        ums_id_: id,
        ums_ts_: time,
        ums_batch_id_: batchId,
      }));
      return {
        schema: HEARTBEAT_SCHEMA,
        frames: encodeFrames(heartbeatType, records, output.value.length),
      };
    }
  }
}

function batchRecord(
  { state, pull, whole, rows }: UmsBatch,
  batchId: number,
  output: AppendOutput,
): { readonly schema: NamedSchema; readonly frames: readonly Buffer[] } {
  const record = {
    ums_batch_id_: batchId,
    ums_state_: state,
    ums_pull_: pull,
    ums_whole_: whole,
    ums_rows_: rows === undefined ? null : String(rows),
  };
  return { schema: BATCH_SCHEMA, frames: encodeFrames(batchType, [record], output.value.length) };
}
