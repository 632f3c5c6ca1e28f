/** `umbus/consumer`: reading UMS messages and applying them. */

export type { SchemaRegistry } from '../ports/schema-registry.ts';
export type { BeatStamps } from '../ums/beat-stamps.ts';
export { partitionOfKey } from '../ums/placing-key.ts';
export type {
  NoticeReason,
  NoticeRows,
  NoticeStatement,
  SchemaNotice,
  SourcePlace,
} from '../ums/schema-notice.ts';
export type { SchemaChange, SchemaColumn, TableSchema, TypeChange, Verdict } from '../ums/table-schema.ts';
export type {
  UmsField,
  UmsMessage,
  UmsMessageType,
  UmsNextVersion,
  UmsOperation,
  UmsTerminationReason,
  UmsType,
  UmsValue,
} from '../ums/types.ts';
export { type AvroReader, type AvroRecord, createAvroReader } from './avro.ts';
export { openReader, type ReaderOptions } from './embedded.ts';
export { heartbeatOf, type UmsHeartbeat } from './heartbeat.ts';
export type { MessagePlace } from './invalid.ts';
export { createTable } from './joined-table.ts';
export { parseKey, parseNamespace, type UmsKey, type UmsNamespace } from './namespace.ts';
export { readUms } from './read.ts';
export { openRegistry, type RegistryAccess } from './registry.ts';
export { rows, type UmsRow, type UmsValues } from './rows.ts';
export { readSchemaNotice, schemaAsOf } from './schema-notice.ts';
export { type SubscribeFrom, type SubscribeOptions, subscribe, type UmsRecord } from './subscribe.ts';
export type { Applied, KeptRows, TableOptions, UmsTable } from './table.ts';
export { createTables, type UmsTables } from './tables.ts';
