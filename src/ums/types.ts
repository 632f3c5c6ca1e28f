/** The UMS data types (ums-schema/README.md). `long` and `decimal` travel as JSON strings. */
export type UmsType =
  | 'string'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'decimal'
  | 'binary'
  | 'raw'
  | 'jsonobject';

/** `protocol.type` of a message. */
export type UmsMessageType =
  | 'data_increment_data'
  | 'data_initial_data'
  | 'data_increment_heartbeat'
  | 'data_increment_termination';

/** `ums_op_`: insert, update (after image), delete, before image of an update. */
export type UmsOperation = 'i' | 'u' | 'd' | 'b';

/** Why a table version ends: its rows are gone (`truncate`, `drop`), or its columns change and its rows stay (`schema`). */
export type UmsTerminationReason = 'truncate' | 'drop' | 'schema';

/** One column of a message. */
export interface UmsField {
  readonly name: string;
  readonly type: UmsType;
  readonly nullable: boolean;
  /** Whether masking changed the column in this message. */
  readonly encoded: boolean;
}

/** A value of a tuple as JSON gives it. */
export type UmsValue = string | number | boolean | null;

/** A UMS message (ums-schema/ums.schema.json). */
export interface UmsMessage {
  readonly protocol: { readonly type: UmsMessageType; readonly version: string };
  readonly schema: {
    readonly namespace: string;
    readonly batchId?: number;
    readonly fields: readonly UmsField[];
    /** Names of the primary key's columns, in key order; absent when the table has none. */
    readonly primaryKey?: readonly string[];
    /** Only on terminations: why the version ends. */
    readonly reason?: UmsTerminationReason;
  };
  readonly payload: readonly { readonly tuple: readonly UmsValue[] }[];
}
