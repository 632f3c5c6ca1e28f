/** UMS as Avro: the schema of each table's rows, and those of all else that result topics have (ums-schema/README.md, "Avro"). */
import { avroFieldName, avroName } from './avro-name.ts';
import type { UmsField, UmsType } from './types.ts';

/** What the schema of a table's rows is made from. */
export interface RowShape {
  readonly ds: string;
  readonly schema: string;
  readonly table: string;
  /** Without system columns, in the order of a tuple. */
  readonly columns: readonly UmsField[];
  /** [] without one. */
  readonly primaryKey: readonly string[];
  /** Columns of UMS type `long` whose values go beyond a signed 64-bit integer: BIGINT UNSIGNED and BIT(64). */
  readonly wide: readonly string[];
}

/** A schema with its full name. */
export interface NamedSchema {
  /** Namespace and name, such as `shop.store.orders`. */
  readonly name: string;
  /** JSON. Equal shapes give equal text. */
  readonly text: string;
}

/** A column as the property `umbus` of its field says it. */
export interface AvroColumn {
  readonly name: string;
  readonly type: UmsType;
  readonly nullable: boolean;
  readonly encoded: boolean;
}

/** A table as the property `umbus` of its record says it. */
export interface AvroTable {
  readonly schema: string;
  readonly table: string;
  readonly primaryKey: readonly string[];
}

/** Fields in front of a row's columns, in this order. */
export const AVRO_SYSTEM_FIELDS = [
  { name: 'ums_id_', type: 'long' },
  { name: 'ums_ts_', type: 'string' },
  { name: 'ums_op_', type: 'string' },
  { name: 'ums_uid_', type: 'string' },
  { name: 'ums_batch_id_', type: 'int', default: 0 },
] as const;

const SYSTEM_NAMES: ReadonlySet<string> = new Set(AVRO_SYSTEM_FIELDS.map(field => field.name));

/** Avro types by UMS type. What has no exact counterpart is text, as in JSON. */
const AVRO_TYPES: Readonly<Record<UmsType, string>> = {
  string: 'string',
  int: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  date: 'string',
  datetime: 'string',
  decimal: 'string',
  binary: 'bytes',
  raw: 'string',
  jsonobject: 'string',
};

/**
 * The schema of a table's rows. Columns that may be missing from rows written before or after an ALTER TABLE are unions with null, default null: all but those of the
 * primary key.
 */
export function rowSchema(shape: RowShape): NamedSchema {
  const { ds, schema, table, columns, primaryKey, wide } = shape;
  const key = new Set(primaryKey);
  const text = new Set(wide);
  const namespace = `${avroName(ds)}.${avroName(schema)}`;
  const about: AvroTable = { schema, table, primaryKey };
  const record = {
    type: 'record',
    name: avroName(table),
    namespace,
    doc: `Changes of rows of ${schema}.${table}.`,
    umbus: about,
    fields: [
      ...AVRO_SYSTEM_FIELDS,
      ...columns.map(({ name, type, nullable, encoded }) => {
        const avroType = type === 'long' && text.has(name) ? 'string' : AVRO_TYPES[type];
        const column: AvroColumn = { name, type, nullable, encoded };
        const field = { name: avroFieldName(name, SYSTEM_NAMES), umbus: column };
        return key.has(name) && !nullable
          ? { ...field, type: avroType }
          : { ...field, type: ['null', avroType], default: null };
      }),
    ],
  };
  return { name: `${namespace}.${record.name}`, text: JSON.stringify(record) };
}

/** Schema of `data_increment_termination`; equal to ums-schema/ums-termination.avsc (a test compares them). */
export const TERMINATION_SCHEMA: NamedSchema = named({
  type: 'record',
  name: 'UmsTermination',
  namespace: 'umbus',
  doc: 'A version of a table has ended. The record key says which.',
  fields: [
    { name: 'ums_ts_', type: 'string', doc: 'When, in the time zone of the line.' },
    { name: 'ums_batch_id_', type: 'int', default: 0 },
    {
      name: 'ums_reason_',
      type: ['null', 'string'],
      default: null,
      doc: 'truncate, drop: the rows are gone. rename: they go on under another name. schema: they stay, and later ones have other columns. reload: they stay, and some are others in the source.',
    },
    {
      name: 'ums_next_',
      type: ['null', 'string'],
      default: null,
      doc: 'Where rows are placed by key: the columns of the next version, as the JSON of schema.next of UMS.',
    },
    {
      name: 'ums_uid_',
      type: ['null', 'string'],
      default: null,
      doc: 'Where the version ends, in the order of ums_uid_.',
    },
    {
      name: 'ums_renamed_to_',
      type: ['null', 'string'],
      default: null,
      doc: 'With rename: the table that has the rows now, as schema.table.',
    },
    {
      name: 'ums_renamed_part_',
      type: ['null', 'string'],
      default: null,
      doc: 'With ums_renamed_to_: part 7 of the namespace there, unless it is 0.',
    },
  ],
});

/** Schema of `data_increment_heartbeat`; equal to ums-schema/ums-heartbeat.avsc. */
export const HEARTBEAT_SCHEMA: NamedSchema = named({
  type: 'record',
  name: 'UmsHeartbeat',
  namespace: 'umbus',
  doc: 'A sign of life that went the way of the rows of a table. The record key says which.',
  fields: [
    { name: 'ums_id_', type: 'long' },
    { name: 'ums_ts_', type: 'string' },
    { name: 'ums_batch_id_', type: 'int', default: 0 },
  ],
});

/** Schema of the begin and the end of a full pull, which are `data_initial_data` without rows; equal to ums-schema/ums-batch.avsc. */
export const BATCH_SCHEMA: NamedSchema = named({
  type: 'record',
  name: 'UmsBatch',
  namespace: 'umbus',
  doc: 'Where a full pull of a table begins or ends. The record key says of which table.',
  fields: [
    {
      name: 'ums_batch_id_',
      type: 'int',
      doc: 'Number of the pull. Rows of the table have it too, from its begin on.',
    },
    {
      name: 'ums_state_',
      type: 'string',
      doc: 'begin; end: all of its rows are published; abort: no more will come, and not all have.',
    },
    { name: 'ums_pull_', type: 'string', doc: 'Name of the pull.' },
    { name: 'ums_whole_', type: 'boolean', doc: 'Whether it brings all rows of the table.' },
    {
      name: 'ums_rows_',
      type: ['null', 'long'],
      default: null,
      doc: 'Rows that it published; null at its begin.',
    },
  ],
});

/** Subject of a schema on a topic: TopicRecordNameStrategy, `<topic>-<full name>`. */
export function recordSubject(topic: string, schema: NamedSchema): string {
  return `${topic}-${schema.name}`;
}

function named(
  record: Readonly<Record<'type' | 'name' | 'namespace' | 'doc', string> & { fields: readonly object[] }>,
): NamedSchema {
  return { name: `${record.namespace}.${record.name}`, text: JSON.stringify(record) };
}
