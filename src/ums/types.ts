/** The UMS data types (ums-schema/README.md). */
export const UMS_TYPES = [
  'string',
  'int',
  'long',
  'float',
  'double',
  'boolean',
  'date',
  'datetime',
  'decimal',
  'binary',
  'raw',
  'jsonobject',
] as const;

/** One of them. `long` and `decimal` travel as JSON strings. */
export type UmsType = (typeof UMS_TYPES)[number];

/** `protocol.type` of a message. */
export type UmsMessageType =
  | 'data_increment_data'
  | 'data_initial_data'
  | 'data_increment_heartbeat'
  | 'data_increment_termination';

/** `ums_op_`: insert, update (after image), delete, before image of an update. */
export type UmsOperation = 'i' | 'u' | 'd' | 'b';

/**
 * Why a table version ends: its rows are gone (`truncate`, `drop`), they go on under another name (`rename`), its columns change and its rows stay (`schema`), or rows went or came that
 * no row event says (`reload`).
 */
export type UmsTerminationReason = 'truncate' | 'drop' | 'rename' | 'schema' | 'reload';

/** All of them. */
export const terminationReasons: readonly UmsTerminationReason[] = [
  'truncate',
  'drop',
  'rename',
  'schema',
  'reload',
];

/** One column of a message. */
export interface UmsField {
  readonly name: string;
  readonly type: UmsType;
  readonly nullable: boolean;
  /** Whether masking changed the column in this message. */
  readonly encoded: boolean;
}

/**
 * What stands in a tuple where there is no value of the field's type (ums-schema/README.md, "Marks"): nothing is known of the column (`{}`), or its bytes are no text
 * of its character set.
 */
export interface UmsMark {
  /** The bytes; absent when nothing is known of the column. */
  readonly base64?: string;
  /** The character set that they are not text of, as the server names it. */
  readonly charset?: string;
}

/** A value of a tuple as JSON gives it. */
export type UmsValue = string | number | boolean | null | UmsMark;

/** Whether a value says that nothing is known of the column: the source's row image lacks it. Not the same as NULL. */
export function isAbsent(value: UmsValue): boolean {
  return typeof value === 'object' && value !== null && value.base64 === undefined;
}

/** What the version after a termination begins with. */
export interface UmsNextVersion {
  /** The columns, without system columns. */
  readonly fields: readonly UmsField[];
  /** Absent when the table has none. */
  readonly primaryKey?: readonly string[];
}

/** Where a full pull is: it begins, all of its rows are published, or no more will come and not all have. */
export type UmsBatchState = 'begin' | 'end' | 'abort';

/** All of them. */
export const batchStates: readonly UmsBatchState[] = ['begin', 'end', 'abort'];

/** What a message says of a full pull. */
export interface UmsBatch {
  readonly state: UmsBatchState;
  /** Name of the pull. */
  readonly pull: string;
  /** Whether it brings all rows of the table, so that rows of older batches are gone when it has ended. */
  readonly whole: boolean;
  /** Rows that it published; absent at its begin. */
  readonly rows?: number;
}

/** A UMS message (ums-schema/ums.schema.json). */
export interface UmsMessage {
  readonly protocol: { readonly type: UmsMessageType; readonly version: string };
  readonly schema: {
    readonly namespace: string;
    readonly batchId?: number;
    /** Only on data: grows with each change of the table's columns, compatible ones too. */
    readonly innerVersion?: number;
    readonly fields: readonly UmsField[];
    /** Names of the primary key's columns, in key order; absent when the table has none. */
    readonly primaryKey?: readonly string[];
    /** Only on messages without rows, of type `data_initial_data`. */
    readonly batch?: UmsBatch;
    /** Only on terminations: why the version ends. */
    readonly reason?: UmsTerminationReason;
    /** Only on terminations: the place in the order of `ums_uid_` where the version ends. */
    readonly uid?: string;
    /** Only on terminations with reason `rename`: the table (`schema.table`) that has the rows now; absent when no reader of the line has them. */
    readonly renamedTo?: string;
    /** With `renamedTo`: part 7 of the namespace there; absent for `0`. */
    readonly renamedPart?: string;
    /** Only on terminations with reason `schema` in topics whose rows are placed by key. */
    readonly next?: UmsNextVersion;
  };
  readonly payload: readonly { readonly tuple: readonly UmsValue[] }[];
}
